"""A plan of steps with estimated times, and lines that say how far it is."""
import dataclasses
import sys
import time
import traceback
import typing


@dataclasses.dataclass
class Step:
    label: str
    seconds: float  # estimated
    run: typing.Callable[[], None]
    group: str = ""  # of steps that make no sense once one of them has failed


def duration(seconds):
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


class Plan:
    """Steps in order. A step that fails ends its group; the others go on."""

    def __init__(self, steps, out=sys.stderr):
        self.steps, self.out, self.failures = steps, out, []

    def run(self):
        total, began, passed = sum(step.seconds for step in self.steps), time.monotonic(), 0.0
        self._say(f"{len(self.steps)} steps, about {duration(total)}")
        broken = set()
        for step in self.steps:
            gone = time.monotonic() - began
            # What is left, at the pace so far.
            pace = min(max(gone / passed, 0.5), 3) if passed > 20 else 1.0
            if not step.group or step.group not in broken:
                share, left = 100 * passed / max(total, 1e-9), pace * (total - passed)
                self._say(f"[{share:3.0f} %, {duration(gone)}, about {duration(left)} left] {step.label}")
                try:
                    step.run()
                except Exception as error:  # whatever it is: what was measured before must not be lost
                    traceback.print_exc(file=self.out)
                    broken.add(step.group)
                    self.failures.append((step.label, str(error) or type(error).__name__))
                    self._say(f"FAILED {step.label}: {error}")
            passed += step.seconds
        self._say(f"done in {duration(time.monotonic() - began)}" + (f", {len(self.failures)} steps failed" if self.failures else ""))
        return not self.failures

    def _say(self, text):
        print(text, file=self.out, flush=True)
