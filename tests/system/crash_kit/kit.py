"""Runs one adapter on real nodes and kills the node that runs it, again and again, while inputs come and effects go."""
import pathlib
import random
import threading
import time
import urllib.parse

from ..lab.client import Client
from ..lab.cluster import Cluster
from ..lab.process import wait_until
from .books import Books, Verdict
from .description import load_counterpart, write_definition

BACKLOG = 40                # inputs that are kept unfinished
AIMED = 0.6                 # share of kills that follow a step of the adapter; the others come at any moment since the start
AIMED_SECONDS = 0.02
ANY_SECONDS = 0.5
STEP_SECONDS = 3.0          # an adapter that does nothing for so long is killed as well


class Feeder(threading.Thread):
    """Lets the counterpart say more as long as the adapter keeps up."""

    def __init__(self, books, done):
        super().__init__(daemon=True)
        self.books, self.done = books, done
        self.enough, self.trouble = threading.Event(), None

    def run(self):
        try:
            while not self.enough.wait(0.02):
                for _ in range(min(10, BACKLOG - (self.books.fed - self.done()))):
                    self.books.feed()
        except Exception as error:  # told by whoever waits for the end
            self.trouble = error

    def end(self):
        self.enough.set()
        self.join(60)
        if self.trouble is not None:
            raise self.trouble


class CrashKit:
    """start(), kill() as often as wanted, finish(), stop()."""

    def __init__(self, directory, definition, counterpart, programs, library=None, nodes=1, seed=1):
        directory = pathlib.Path(directory)
        self.random, self.kills, self.longest = random.Random(seed), 0, 0.0
        self.aimed, self.cut, self.cut_done = 0, set(), set()
        self.done, self.feeder = 0, None
        self.counterpart = load_counterpart(counterpart, directory / "counterpart")
        try:
            values = {"directory": directory / "counterpart", **getattr(self.counterpart, "values", {})}
            text = pathlib.Path(definition).read_text(encoding="utf-8")
            if "@directory@" not in text:
                del values["directory"]
            self.adapter = write_definition(definition, directory / "adapters", values, library)
            self.cluster = Cluster(directory / "cluster", nodes=nodes, build=programs,
                                   options={"adapters.directory": str((directory / "adapters").resolve())})
        except BaseException:
            self.stop_counterpart()
            raise
        self.client = Client(self.cluster.endpoints, timeout=5.0)
        self.books = Books(self.counterpart, Client(self.cluster.endpoints, timeout=5.0))

    def start(self):
        self.cluster.start()
        for name, declaration in getattr(self.counterpart, "collections", {}).items():
            self.cluster.declare(name, **declaration)
        self.wait_placed(0)
        self.feeder = Feeder(self.books, lambda: self.done)
        self.feeder.start()

    def stop(self):
        if self.feeder is not None:
            self.feeder.enough.set()
        self.cluster.stop()
        if self.feeder is not None:
            self.feeder.join(60)
        self.stop_counterpart()

    def stop_counterpart(self):
        stop = getattr(self.counterpart, "stop", None)
        if stop is not None:
            stop()

    # --- killing ---

    def kill(self):
        """One kill, and the node back to life."""
        node, epoch = self.placement()
        self.wait_for_a_moment()
        self.cluster.kill(node)
        self.kills += 1
        began = time.monotonic()
        self.cluster.start_node(node)
        self.wait_placed(epoch)
        self.longest = max(self.longest, time.monotonic() - began)
        if len(self.cluster.ids) > 1:  # a majority has to be there before the next one
            wait_until(lambda: self.cluster.ready(node), 60, f"node {node} ready again")
        self.look_at_calls()

    def wait_for_a_moment(self):
        """The moment is what is random here: not what is waited for."""
        if self.feeder.trouble is not None:
            self.feeder.end()
        if self.random.random() >= AIMED:
            time.sleep(self.random.uniform(0.0, ANY_SECONDS))
            return
        self.aimed += 1
        before, deadline = self.step(), time.monotonic() + STEP_SECONDS
        while self.step() == before and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(self.random.uniform(0.0, AIMED_SECONDS))

    def step(self):
        """Grows with each thing that the adapter brought to its end; the feeder looks at it too."""
        self.done = sum(self.books.happened().values()) if self.books.effects or not self.books.fed else self.taken()
        return self.done

    def taken(self):
        """Records that were made of inputs: of adapters without effects."""
        names = {path.split("/", 1)[0] for path in self.books.records}
        try:
            return sum((self.ask(f"/v1/collections/{name}") or {}).get("records", 0) for name in names)
        except TimeoutError:
            return self.done

    def look_at_calls(self):
        """Which calls the kill cut short, and which of them had happened: nobody told the hub."""
        open_now = {effect["key"]: effect for effect in self.open("hub-effects").values()}
        short = {key for key, effect in open_now.items() if effect["state"] in ("sent", "unknown")}
        self.cut |= short
        happened = self.books.happened()
        self.cut_done |= {key for key in short if happened[key]}

    # --- the end ---

    def finish(self, seconds):
        """Waits until everything has come to its end; the verdict."""
        self.feeder.end()
        began, expected = time.monotonic(), len(self.books.effects)
        while time.monotonic() - began < seconds:
            if len(self.books.happened()) >= expected and not self.missing_records() and not self.open("hub-effects"):
                break
            time.sleep(0.1)
        waiting = {"dead letters": [f"{key}: {letter['reason']}" for key, letter in self.open("hub-letters").items()],
                   "effects open": [f"{key}: {effect['state']} {effect.get('detail', '')}"
                                    for key, effect in self.open("hub-effects").items()]}
        verdict = Verdict(self.books, self.versions(), self.books.happened(), waiting)
        verdict.lines.insert(0, f"{self.kills} kills with SIGKILL of the node that ran '{self.adapter}', {self.aimed} of them within "
                                f"{AIMED_SECONDS * 1000:.0f} ms after a step of it; it ran again after {self.longest:.2f} s at most")
        if self.books.effects:
            verdict.lines.insert(1, f"{len(self.cut)} calls seen that a kill had cut short, {len(self.cut_done)} of which had happened")
        verdict.lines.append("verdict: " + ("0 missing, 0 doubled" if verdict.exact else "NOT EXACT"))
        return verdict

    def missing_records(self):
        return set(self.books.records) - set(self.versions())

    def versions(self):
        """{path: version} of every record in the collections that inputs make records in."""
        names = {path.split("/", 1)[0] for path in self.books.records}
        return {f"{name}/{key}": record["version"] for name in names for key, record in self.pages(f"/v1/collections/{name}/records?")}

    # --- questions ---

    def ask(self, path):
        def answered():
            answer = self.client.request("GET", path, deadline=30.0)
            return answer if answer.status != 503 else None  # a node that just started
        answer = wait_until(answered, 30, f"GET {path} answered")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status} {answer.body[:300]!r}")
        return answer.json()

    def pages(self, path):
        after = ""
        while True:
            page = self.ask(f"{path}&limit=1000" + (f"&after={urllib.parse.quote(after, safe='')}" if after else ""))
            if page is None:
                return
            yield from ((record["key"], record) for record in page["records"])
            after = page.get("next")
            if not after:
                return

    def open(self, collection):
        """What the hub has not brought to an end: {key: row}."""
        return {key: record["value"] for key, record in self.pages(f"/v1/collections/{collection}/records?index=open&value={self.adapter}")}

    def placement(self):
        """(node, epoch); (0, 0) while nobody can say."""
        try:
            answer = self.client.request("GET", f"/v1/collections/hub-adapters/records/{self.adapter}", deadline=1.0)
        except TimeoutError:
            return 0, 0
        if answer.status != 200:
            return 0, 0
        row = answer.json()
        return row["node"], row["epoch"]

    def wait_placed(self, epoch):
        def placed():
            for node, process in self.cluster.processes.items():
                if not process.running():
                    raise RuntimeError(f"node {node} ended with {process.popen.returncode}:\n{process.log_tail()}")
            return self.placement()[1] > epoch
        wait_until(placed, 60, f"'{self.adapter}' placed on a node")
