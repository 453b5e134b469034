"""Driving the load generator: one measurement, with the CPU time of servers and generator and the noise within the counted time."""
import dataclasses
import json
import pathlib
import signal
import subprocess
import threading

from bench.peers.ours import BUILD

from .machine import Noise

PATIENCE_SECONDS = 60  # beyond the time a run should take


def generator():
    path = pathlib.Path(BUILD["directory"]) / "bench" / "load" / "mainstay-load"
    if not path.exists():
        raise RuntimeError(f"{path} is missing: build first (./check does), or name the build directory with --build")
    return path


@dataclasses.dataclass
class Load:
    """What is asked of the generator, in its own words."""
    operation: str = "write"
    clients: int = 64
    seconds: float = 5
    warmup: float = 0.5
    rate: float = 0
    value_bytes: int = 256
    keys: int = 100_000
    seed: int = 1
    extra: tuple = ()

    def command(self, side, endpoints):
        words = [generator(), "--protocol", side.protocol, "--operation", self.operation, "--clients", self.clients, "--seconds",
                 self.seconds,
                 "--warmup", self.warmup, "--rate", self.rate, "--value-bytes", self.value_bytes, "--keys", self.keys, "--seed", self.seed,
                 *self.extra]
        for endpoint in endpoints:
            words += ["--endpoint", endpoint]
        return [str(word) for word in words]


class Running:
    """A generator at work. `lines` are read as they come; `figures` is its last one."""

    def __init__(self, side, load, on_line=None):
        self.side, self._on_line, self.figures = side, on_line or (lambda _: None), None
        self._popen = subprocess.Popen(load.command(side, side.endpoints), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._watchdog = threading.Timer(load.seconds + load.warmup + PATIENCE_SECONDS, self._popen.kill)
        self._watchdog.daemon = True
        self._watchdog.start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._popen.stdout:
            said = line.strip()
            if said == "counting":
                self._on_line(None)
            elif said:
                figures = json.loads(said)
                if "interval" not in figures:
                    self.figures = figures
                self._on_line(figures)

    def stop(self):
        """Ends the run early; its figures are of what was counted so far."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        self._reader.join()
        error = self._popen.stderr.read()
        code = self._popen.wait(PATIENCE_SECONDS)
        self._watchdog.cancel()
        if self.figures is None or code not in (0, 1):
            raise RuntimeError(f"{self.side.name}: the load generator failed: {error.strip() or 'no figures'}")
        return self.figures

    def abandon(self):
        """For the way out after an error: gone, whatever it did."""
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.wait(10)
        self._watchdog.cancel()


def measure(side, load):
    """The figures of one run, with CPU time a request and the noise beside it."""
    marks = {}

    def on_line(figures):
        if figures is None:
            marks["cpu"], marks["noise"] = side.cluster.cpu_seconds(), Noise(side.cluster.cpu_seconds)
        elif "interval" not in figures:
            marks["servers"] = side.cluster.cpu_seconds() - marks.get("cpu", 0.0)
            marks["others"] = marks["noise"].stop() if "noise" in marks else 0.0

    running = Running(side, load, on_line)
    try:
        figures = running.wait()
    finally:
        running.abandon()
    spent = marks["servers"] + figures["cpu_s"]
    figures["cpu_us_per_op"] = round(1e6 * spent / max(1, figures["ops"]), 1)
    # The generator is no part of the cluster: its own time is not noise.
    figures["other_cores"] = round(max(0.0, marks["others"] - figures["cpu_s"] / max(figures["seconds"], 0.1)), 2)
    return figures


def fill(side, records, value_bytes=256, clients=8, seconds=1800):
    """Writes keys 0 to `records` once each, in batches where the protocol has them."""
    return measure(side, Load("fill", clients, seconds, 0, value_bytes=value_bytes, keys=records))
