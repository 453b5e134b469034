"""What the ERP, the MES and the WMS have in common: they send documents, receive documents, and remember both."""
import json
import random

from .faults import LATE_TICKS, Faults


class Counterpart:
    """One of the three. `tick()` is one moment of its life, in a transaction; `receive()` takes what the hub says to it. One caller at a
    time: the plant sees to that."""

    name = ""

    def __init__(self, store, options):
        self.store, self.options = store, options
        self.random = random.Random(f"{options.seed}/{self.name}")
        self.faults = Faults()
        self.ticks = 0

    def tick(self):
        with self.store.transaction():
            self.ticks += 1
            self.live()

    def live(self):
        raise NotImplementedError

    # --- out ---

    def send(self, kind, key, document, revision=1):
        """Puts a document where the hub will find it: over files `<kind>-<key>-r<revision>`."""
        harm = self.faults.next_harm()
        hidden = self.ticks + LATE_TICKS if harm == "late" else 0
        self.store.run("insert into outbox(system, type, name, revision, document, harm, hidden_until) values(?, ?, ?, ?, ?, ?, ?)",
                       self.name, kind, f"{kind}-{key}-r{revision}", revision, json.dumps(document), harm, hidden)

    def mend(self):
        """Sends every document that a fault spoilt once more, unspoilt, under the same name. How many those were."""
        with self.store.transaction():
            return self.store.run("update outbox set harm = 'mended', written = 0 where system = ? and harm in ('poison', 'drift', 'unit')",
                                  self.name)

    # --- in ---

    def receive(self, kind, key, document):
        """True the first time; a repetition is counted, and has no effect. Raises ValueError when it will not have it."""
        with self.store.transaction():
            times = self.store.value("select times from received where system = ? and type = ? and key = ?", self.name, kind, key)
            if times is not None:
                self.store.run("update received set times = times + 1 where system = ? and type = ? and key = ?", self.name, kind, key)
                return False
            handler = getattr(self, "on_" + kind, None)
            if handler is None:
                raise ValueError(f"the {self.name} takes no '{kind}'")
            handler(document)
            self.store.run("insert into received values(?, ?, ?, 1, ?)", self.name, kind, key, json.dumps(document))
            return True

    def has_received(self, kind, key):
        return self.store.value("select times from received where system = ? and type = ? and key = ?", self.name, kind, key) is not None

    # --- its things ---

    def get(self, kind, key):
        return self.store.get(self.name, kind, key)

    def put(self, kind, key, state, document):
        self.store.put(self.name, kind, key, state, document)

    def all(self, kind, state=None):
        return self.store.all(self.name, kind, state)

    def take_sessions(self, sessions, document):
        """Cumulative counters of a machine's session, repeated, in any order: how much more than was known."""
        name = f"{document['machine']}/{document['session']}"
        known = sessions.setdefault(name, {"good": 0, "scrap": 0})
        grown = {}
        for what in ("good", "scrap"):
            count = int(document[what])
            grown[what] = max(0, count - known[what])
            known[what] = max(known[what], count)
        return grown
