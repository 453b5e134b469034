"""Mainstay, seen as a peer: real daemons on loopback with mutual TLS between them, default settings."""
import subprocess

from tests.system.lab.cluster import Cluster
from tests.system.lab.process import wait_until

from .peer import Side, cpu_of

BUILD = {"directory": "build/check"}  # set by the commands


class Mainstay:
    """The same questions as of a Peer; nodes are 1..n."""

    name = "mainstay"
    attempt_ms = 250

    def __init__(self, directory, nodes=3, options=None, environment=None):
        self.cluster = Cluster(directory, nodes, build=BUILD["directory"], options=options, environment=environment)
        self.ids = self.cluster.ids
        for action in ("start", "start_node", "kill", "hang", "resume", "terminate", "stop", "endpoint", "leader", "wait_ready", "ready"):
            setattr(self, action, getattr(self.cluster, action))

    @classmethod
    def version(cls):
        said = subprocess.run([f"{BUILD['directory']}/bin/mainstayd", "--version"], capture_output=True, text=True, timeout=10).stdout
        return "Mainstay " + (said.split() or ["?"])[-1]

    @property
    def endpoints(self):
        return self.cluster.endpoints

    @property
    def processes(self):
        return self.cluster.processes

    def sides(self):
        return [Side(self, "Mainstay", "mainstay", lambda: self.endpoints, "HTTP and JSON, clients spread over the nodes")]

    def failover_side(self):
        return self.sides()[0]

    def drain(self, node):
        """Nothing: SIGTERM drains."""

    def healthy(self):
        """Every node is a ready member, and the state hashes of all agree."""
        views = [self.cluster.view(node) for node in self.ids]
        return all(self.ready(node) for node in self.ids) and all(view is not None and view["hashes_agree"] for view in views)

    def wait_healthy(self, seconds=60):
        wait_until(self.healthy, seconds, "every Mainstay node healthy")

    def cpu_seconds(self):
        return sum(cpu_of(process.pid) for process in self.processes.values())
