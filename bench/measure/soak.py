"""What a long run watches, and when it calls a series flat."""
import dataclasses
import os
import pathlib
import random
import threading
import time

from bench.rows.state import resident_mib
from tests.system.lab.process import wait_until

from .statistics import growth, slope_per_hour

HANG_SECONDS = 1.5


@dataclasses.dataclass
class Series:
    """(seconds, value) as time goes on. Flat: the last quarter is no more than `share` above the first, or no more than `slack` units."""
    title: str
    unit: str
    share: float
    slack: float
    points: list = dataclasses.field(default_factory=list)

    def verdict(self):
        """(growth as a share, units an hour, whether it is flat)"""
        grown = growth(self.points)
        first = self.points[len(self.points) // 10][1] if self.points else 0
        return grown, slope_per_hour(self.points), grown <= self.share or grown * first <= self.slack


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def disk_mib(directory):
    """What the files take on disk: LMDB's are longer than that."""
    total = 0
    for path in pathlib.Path(directory).rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except OSError:
            continue  # a file that has just gone
    return total / 2**20


class Watch:
    """Samples one node, which nothing stops during the run, every `seconds`."""

    def __init__(self, ours, node, seconds, began):
        self.ours, self.node, self.seconds, self.began = ours, node, seconds, began
        self.series = {"memory": Series("resident memory without copies of files", "MiB", 0.2, 16),
                       "descriptors": Series("open file descriptors", "", 0.1, 10), "disk": Series("data on disk", "MiB", 0.25, 64)}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        pid, home = self.ours.processes[self.node].pid, self.ours.cluster.node_directory(self.node) / "data"
        while not self._ended.wait(self.seconds):
            now = time.monotonic() - self.began
            try:
                values = {"memory": resident_mib(pid), "descriptors": descriptors(pid), "disk": disk_mib(home)}
            except (OSError, KeyError):
                return  # the node has ended: the run finds out by itself
            for name, value in values.items():
                self.series[name].points.append((now, value))

    def stop(self):
        self._ended.set()
        self._thread.join(10)


class Faults:
    """One fault at a time, drawn from a seed; the cluster is whole again after each. `spared` is only ever hung."""

    def __init__(self, ours, seed, spared, began):
        self.ours, self.spared, self.began = ours, spared, began
        self.chance, self.log = random.Random(seed), []  # (seconds, what)

    def one(self):
        kind = self.chance.choice(["kill", "kill", "hang", "restart", "kill leader"])
        others = [node for node in self.ours.ids if node != self.spared]
        node = self.chance.choice(self.ours.ids if kind == "hang" else others)
        if kind == "kill leader" and (leader := self.ours.leader()) != self.spared:
            node = leader
        self.log.append((time.monotonic() - self.began, f"{kind}, node {node}"))
        if kind == "hang":
            self.ours.hang(node)
            since = time.monotonic()
            wait_until(lambda: time.monotonic() > since + HANG_SECONDS, 5, "the hang is over")
            self.ours.resume(node)
        else:
            self.ours.terminate(node) if kind == "restart" else self.ours.kill(node)
            self.ours.start_node(node)
        self.ours.wait_healthy(120)
        return self.log[-1][1]
