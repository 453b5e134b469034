"""Where the clusters of one comparison live, and what was measured there so far."""
import contextlib
import os
import pathlib

from bench.measure.machine import flush_ms
from bench.peers import PEERS
from bench.peers.ours import Mainstay
from tests.system.lab import scratch


class Arena:
    """One Mainstay cluster and at most one peer at a time, in a directory that is gone at the end."""

    def __init__(self, options, show):
        self.options, self._show = options, show
        self.rows, self.flushes, self.place = [], [], None
        self.ours = self.peer = None
        self._count = 0

    @contextlib.contextmanager
    def open(self):
        with scratch.directory("compare") as place:
            os.chmod(place, 0o711)  # servers that must not be root find their own directory
            self.place = pathlib.Path(place)
            self.flushes.append(flush_ms(place))
            try:
                yield self
                self.flushes.append(flush_ms(place))
            finally:
                self.close()

    def close(self):
        """Ends both clusters and removes what they wrote."""
        for cluster in (self.peer, self.ours):
            if cluster is not None:
                cluster.stop()
        self.peer = self.ours = None

    def start_peer(self, name):
        self.close()
        self.peer = PEERS[name](self._directory(name))
        self.peer.start()

    def start_ours(self, nodes=3):
        """A fresh cluster, so that each peer meets an equally empty one."""
        if self.ours is not None:
            self.ours.stop()
        self.ours = Mainstay(self._directory("mainstay"), nodes)
        self.ours.start()
        self.ours.wait_healthy()

    def add(self, row):
        self.rows.append(row)
        self._show(row)

    def _directory(self, name):
        self._count += 1
        return self.place / f"{name}-{self._count}"
