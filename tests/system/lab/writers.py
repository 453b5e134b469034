"""Writers with an oracle: what each of them was told to be done must be there at the end, once."""
import threading
import time

from .client import Client


class Writer(threading.Thread):
    """Creates its own keys one after the other through its own node, each under its own operation id with If-None-Match, so that a doubled
    write would be seen: as version 2, or as a refusal. Remembers every acknowledgement and the longest wait for one."""

    def __init__(self, name, endpoints, collection="orders", pause=0.0):
        super().__init__(name=name, daemon=True)
        self.client = Client(endpoints)
        self.collection, self.pause = collection, pause
        self.acknowledged = {}  # key -> value
        self.attempted = 0
        self.unexpected = []    # answers that are neither an acknowledgement nor a refused connection
        self.moments = []       # (monotonic time of the acknowledgement, seconds it took)
        self._enough = threading.Event()

    def run(self):
        number = 0
        while not self._enough.is_set():
            number += 1
            key, value = f"{self.name}-{number:07}", {"writer": self.name, "number": number}
            self.attempted += 1
            began = time.monotonic()
            try:
                answer = self.client.put(self.collection, key, value, operation=f"op-{key}", If_None_Match="*")
            except TimeoutError as error:
                self.unexpected.append(str(error))
                return
            ended = time.monotonic()
            self.moments.append((ended, ended - began))
            if answer.status in (200, 201):
                self.acknowledged[key] = value
            else:
                self.unexpected.append(f"PUT {key}: {answer.status} {answer.body[:200]!r}")
            if self.pause:
                self._enough.wait(self.pause)
        self.client.close()

    def stop(self):
        self._enough.set()
        self.join(60)
        if self.is_alive():
            self.unexpected.append(f"writer {self.name} hangs")

    def longest_gap(self, start=None, end=None):
        """The longest time between two acknowledgements in [start, end], in seconds."""
        times = [moment for moment, _ in self.moments
                 if (start is None or moment >= start) and (end is None or moment <= end)]
        return max((later - earlier for earlier, later in zip(times, times[1:])), default=0.0)


def verify(writers, found):
    """Compares what was acknowledged with what a node shows: (lost, doubled, foreign)."""
    lost, doubled = [], []
    attempted = {}
    for writer in writers:
        attempted[writer.name] = writer.attempted
        for key, value in writer.acknowledged.items():
            record = found.get(key)
            if record is None or record["value"] != value:
                lost.append(key)
    for key, record in found.items():
        if record["version"] != 1:
            doubled.append(key)
    foreign = [key for key in found
               if int(key.rsplit("-", 1)[1]) > attempted.get(key.rsplit("-", 1)[0], -1)]
    return lost, doubled, foreign
