"""What was fed, what must come of it, and what came."""
import collections
import threading
import urllib.parse

SHOWN_MAX = 5


class Books:
    """Expected and found. feed() is called by the feeder's thread, everything else by the one that kills."""

    def __init__(self, counterpart, client):
        self.counterpart, self.client = counterpart, client
        self.lock = threading.Lock()
        self.fed = 0
        self.records, self.effects = {}, {}  # path of a record / name of an effect -> number
        self.written = set()                 # records that the kit wrote itself

    def feed(self):
        """The next thing, whole."""
        with self.lock:
            number = self.fed + 1
            expected = self.counterpart.feed(number)
            if not expected or set(expected) - {"record", "effect", "value"}:
                raise ValueError(f"feed({number}) returned {expected!r}, not a dict of record, effect, value")
            if "record" in expected:
                self.records[expected["record"]] = number
            if "effect" in expected:
                self.effects[expected["effect"]] = number
            self.fed = number
        if "value" in expected:
            collection, key = expected["record"].split("/", 1)
            self.written.add(expected["record"])
            answer = self.client.put(collection, urllib.parse.quote(key, safe=""), expected["value"], operation=f"crash-kit-{number}")
            if answer.status not in (200, 201):
                raise RuntimeError(f"{expected['record']} was not written: {answer.status} {answer.body[:300]!r}")

    def happened(self):
        """{name: times}"""
        with self.lock:
            return collections.Counter(self.counterpart.effects())


class Verdict:
    """The outcome: `lines` for people, `exact` for the exit code."""

    def __init__(self, books, records, happened, waiting):
        """`records`: {path: version} as the cluster has them; `happened`: {name: times}; `waiting`: what the hub still holds open."""
        self.lines, self.exact = [], True
        if books.records:
            again = [path for path in books.records if path not in books.written and records.get(path, 1) > 1]
            self.count(f"{len(books.records)} inputs", {"missing": [path for path in books.records if path not in records],
                                                       "taken twice": again})
        if books.effects:
            twice = [f"{name} ({happened[name]} times)" for name in books.effects if happened[name] > 1]
            self.count(f"{len(books.effects)} effects", {"missing": [name for name in books.effects if name not in happened],
                                                        "doubled": twice,
                                                        "that nobody asked for": sorted(set(happened) - set(books.effects))})
        self.count("in the hub", waiting)

    def count(self, what, found):
        self.lines.append(f"{what}: " + ", ".join(f"{len(names)} {kind}" for kind, names in found.items()))
        for kind, names in found.items():
            self.exact = self.exact and not names
            self.lines += [f"    {kind}: {name}" for name in names[:SHOWN_MAX]]
