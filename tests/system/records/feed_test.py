"""A reader of the change feed across leader kills: every change once, in order, at every node the same."""
import asyncio
import itertools
import random
import unittest

from mainstay import AsyncClient, Compacted, Reset, Transaction

from tests.system.lab.client import Client
from tests.system.lab.process import wait_until

from .harness import AGGRESSIVE, ClusterCase, Worker, insist, sized, tell

KILLS = 20


def seen_of(change):
    return (change.revision, change.position, change.of, change.key, change.type, change.version, change.operation)


class FeedTest(ClusterCase):
    def test_readers_across_leader_kills_miss_nothing_and_see_nothing_twice(self):
        self.client().collection("feed").declare()
        self.client().collection("other").declare()
        self.acknowledged, self.feeds = {}, {}
        killer = self.start_killing(KILLS, pause=0.2)
        writers = [Worker(self.write, name) for name in ("w1", "w2")]
        readers = [Worker(self.read_on), Worker(self.read_again_and_again), Worker(self.read_with_asyncio)]
        killer.finish()
        for worker in writers:
            worker.enough.set()
            worker.join_or_raise()
        last = self.client().collection("feed").put("last", 0)
        self.acknowledged[last.operation] = {"last": (last.revision, 1)}
        for reader in readers:
            reader.join_or_raise()
        tell(f"{killer.done} leader kills, {len(self.acknowledged)} acknowledged commits, {len(self.feeds['on'])} changes in the feed")
        self.compare()

    def write(self, enough, name):
        """Commits of one to four records; some keys again and again, some deleted."""
        client, chance = self.client(policy=AGGRESSIVE), random.Random(name)
        live = set()
        for number in itertools.count():
            if enough.is_set():
                return
            transaction, touched = Transaction(), {}
            for key in {f"{name}-{chance.randrange(50)}" for _ in range(chance.randrange(1, 5))}:
                if key in live and chance.random() < 0.2:
                    transaction.delete("feed", key)
                    live.discard(key)
                else:
                    transaction.put("feed", key, {"n": number})
                    live.add(key)
                touched[key] = None
            transaction.put("other", name, number)  # not in the feed that is read
            operation = f"{name}-{number}"
            # Nothing here is ever refused, so it is repeated until it is done.
            done = insist(client.commit, transaction, operation=operation)
            self.acknowledged[operation] = {key: (done.revision, result.version)
                                            for key, result in zip(touched, done.results)}

    def take(self, name, change):
        """True at the end."""
        self.feeds.setdefault(name, []).append(seen_of(change))
        return change.key == "last"

    def read_on(self, enough):
        for change in self.client().changes(collection="feed"):
            if self.take("on", change):
                return

    def read_again_and_again(self, enough):
        """A new client every hundred changes, which goes on where the last one stopped."""
        after, done = 0, False
        while not done:
            client = self.client()
            for change in itertools.islice(client.changes(after, collection="feed"), 100):
                after, done = change.resume, self.take("again", change)
                if done:
                    break
            client.close()
            # A commit that was cut off comes again as a whole: take back its first part.
            self.feeds["again"] = [seen for seen in self.feeds["again"] if seen[0] <= after]

    def read_with_asyncio(self, enough):
        async def read():
            async with AsyncClient(self.cluster.endpoints) as client:
                async for change in client.changes(collection="feed"):
                    if self.take("asyncio", change):
                        return
        asyncio.run(read())

    def compare(self):
        feed = self.feeds["on"]
        self.assertEqual(feed, self.feeds["again"])
        self.assertEqual(feed, self.feeds["asyncio"])
        self.assertEqual(sorted(set(feed)), feed, "in order, none twice")
        # Each record's versions without a gap: none is missing.
        versions = {}
        for revision, position, of, key, kind, version, operation in feed:
            self.assertEqual(versions.get(key, 0) + 1, version, key)
            versions[key] = version
        # What the writers were told, and what the feed shows: the same.
        shown = {}
        for revision, position, of, key, kind, version, operation in feed:
            shown.setdefault(operation, {})[key] = (revision, version)
        self.assertEqual(self.acknowledged, shown)
        for node in self.cluster.ids:
            again = [seen_of(change) for change in self.client(node).changes(collection="feed", until=feed[-1][0])]
            self.assertEqual(feed, again, f"node {node}")
        # And the records are where the feed left them.
        left = {key: (kind, version) for _, _, _, key, kind, version, _ in feed}
        found = {record.key: ("put", record.version) for record in self.client().collection("feed").list()}
        self.assertEqual({key: how for key, how in left.items() if how[0] == "put"}, found)


class HandOverTest(ClusterCase):
    def test_following_from_the_beginning_builds_the_same_state(self):
        client = self.client()
        orders = client.collection("orders")
        orders.declare()
        for number in range(sized(300, 2000)):
            if number % 7 == 6:
                orders.delete(f"k{number - 1}")
            else:
                orders.put(f"k{number}", number)
        copy = {}
        for event in client.follow("orders", until=client.cluster().revision):
            if event.type == "delete":
                copy.pop(event.key)
            else:
                copy[event.key] = (event.value, event.version, event.revision)
        self.assertEqual(copy, {record.key: (record.value, record.version, record.revision) for record in orders.list()})

    def test_a_page_waits_for_the_next_change(self):
        client = self.client()
        client.collection("pages").declare()
        now = client.changes_page("now").next
        self.assertEqual((), client.changes_page(now, "pages", wait=0.2).changes)

        def write(enough):
            self.client().collection("pages").put("a", 1)
        worker = Worker(write)
        page = client.changes_page(now, "pages", wait=20.0)
        worker.join_or_raise()
        self.assertEqual(["a"], [change.key for change in page.changes])
        self.assertGreaterEqual(page.next, page.changes[-1].revision)


class RetentionTest(ClusterCase):
    """A feed that goes back two seconds: readers that were away for longer."""

    environment = {"LAB_RETENTION_WINDOW_MS": "2000"}
    RECORDS = 2500  # more than two pages of a list

    def setUp(self):
        super().setUp()
        self.orders = self.client().collection("orders")
        self.orders.declare()
        self.client().collection("clock").declare()

    def fill(self):
        for first in range(0, self.RECORDS, 100):
            transaction = Transaction()
            for number in range(first, first + 100):
                transaction.put("orders", f"k{number:05}", {"n": number})
            self.client().commit(transaction)

    def write_on(self, enough):
        """Changes and deletes what is there, so that the copy is of a moment that no reader can choose."""
        client, chance = self.client(), random.Random(1)
        while not enough.is_set():
            key = f"k{chance.randrange(self.RECORDS):05}"
            if chance.random() < 0.3:
                insist(client.collection("orders").delete, key)
            else:
                insist(client.collection("orders").put, key, {"n": chance.randrange(1000)})

    def wait_compacted(self, after):
        """Time goes on only with commits, so something is written until `after` has left the feed; what the client was told."""
        client = self.client()

        def look():
            client.collection("clock").put("now", 0)
            try:
                client.changes_page(after, "orders")
            except Compacted as compacted:
                return compacted
        return wait_until(look, 30, f"revision {after} compacted")

    def test_a_reader_that_was_away_is_handed_over_and_ends_with_the_right_state(self):
        self.fill()
        # Has read a part before it went away.
        copy, after = {}, 0
        for change in itertools.islice(self.client().changes(0, collection="orders"), 250):
            copy[change.key], after = (change.value, change.version), change.resume
        compacted = self.wait_compacted(after)
        self.assertGreater(compacted.floor, after)
        self.assertGreaterEqual(compacted.snapshot_revision, compacted.floor)
        writer = Worker(self.write_on)
        resets, handed_over, read, end = 0, 0, 0, None
        for event in self.client().follow("orders", after):
            if isinstance(event, Reset):
                copy.clear()
                resets, handed_over, end = resets + 1, 0, None
            elif event.type == "delete":
                copy.pop(event.key, None)
            else:
                copy[event.key] = (event.value, event.version)
            if isinstance(event, Reset):
                continue
            handed_over += event.snapshot
            read += not event.snapshot
            # Some of the feed behind the hand-over, and then to the end.
            if read == 100:
                writer.enough.set()
                writer.join_or_raise()
                end = self.orders.put("last", 0).revision
            if end is not None and event.revision >= end:
                break
        tell(f"compacted up to {compacted.floor}; {resets} hand-overs, {handed_over} records in the last one, {read} changes")
        self.assertGreaterEqual(resets, 1)
        self.assertGreater(handed_over, 1000, "more than one page")
        self.assertEqual(copy, {record.key: (record.value, record.version) for record in self.orders.list()})

    def test_every_node_says_from_where_to_go_on(self):
        first = self.orders.put("a", 1).revision
        self.wait_compacted(first - 1)
        for node in self.cluster.ids:
            client = Client([self.cluster.endpoint(node)])
            self.addCleanup(client.close)
            answer = client.request("GET", f"/v1/changes?after={first - 1}")
            self.assertEqual((answer.status, answer.json()["type"]), (410, "/errors/compacted"))
            self.assertGreaterEqual(answer.json()["floor"], first)
            snapshot = answer.json()["snapshot"]["revision"]
            self.assertGreaterEqual(snapshot, answer.json()["floor"])
            again = client.request("GET", f"/v1/changes?after={snapshot}")
            self.assertEqual(again.status, 200, again.body)


if __name__ == "__main__":
    unittest.main()
