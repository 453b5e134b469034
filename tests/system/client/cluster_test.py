"""The Python client against real nodes: how long a call takes while nodes are killed, freeze, drain, and over TLS.

    python3 -m tests.system.client.cluster_test --build DIR [-k name]
"""
import argparse
import asyncio
import socket
import ssl
import sys
import time
import unittest

from tests.system.lab.process import wait_until
from tests.system.records import harness
from tests.system.records.harness import ClusterCase, Worker, insist, tell

import mainstay
from mainstay import AsyncClient, Client, Unavailable

WAIT_MAX = 5.0  # seconds; a bound for a loaded test machine, not the promise


class Caller:
    """One write after the other; remembers the longest wait."""

    def __init__(self, client, name):
        self.client, self.name, self.longest, self.count = client, name, 0.0, 0

    def __call__(self, enough):
        orders = self.client.collection("orders")
        while not enough.is_set():
            began = time.monotonic()
            orders.put(f"{self.name}-{self.count}", self.count, exists=False)  # done twice it would be refused
            self.longest = max(self.longest, time.monotonic() - began)
            self.count += 1


class FailoverTest(ClusterCase):
    def setUp(self):
        super().setUp()
        self.client().collection("orders").declare()

    def callers(self, what, disturb):
        """A caller that begins at each of the nodes, while `disturb` goes on; no call fails."""
        ids = self.cluster.ids
        callers = []
        for place, node in enumerate(ids):
            client = mainstay.Client([self.cluster.endpoint(other) for other in ids[place:] + ids[:place]], shuffle=False)
            self.addCleanup(client.close)
            callers.append(Caller(client, f"{what}-{node}"))
        workers = [Worker(caller) for caller in callers]
        time.sleep(0.5)
        disturb()
        time.sleep(0.5)
        for worker in workers:
            worker.enough.set()
            worker.join_or_raise()
        for caller in callers:
            tell(f"{what}: {caller.name} made {caller.count} calls, the longest took {caller.longest * 1000:.0f} ms")
            self.assertGreater(caller.count, 10)
            self.assertLess(caller.longest, WAIT_MAX)

    def test_a_killed_leader(self):
        victim = self.cluster.leader()

        def disturb():
            self.cluster.kill(victim)
            time.sleep(1.5)
            self.cluster.start_node(victim)
            self.cluster.wait_ready()
        self.callers("kill", disturb)

    def test_a_frozen_leader(self):
        victim = self.cluster.leader()

        def disturb():
            self.cluster.hang(victim)
            time.sleep(2.0)
            self.cluster.resume(victim)
        try:
            self.callers("freeze", disturb)
        finally:
            self.cluster.resume(victim)

    def test_a_drained_node(self):
        victim = self.cluster.leader()

        def disturb():
            self.cluster.terminate(victim)
            self.cluster.start_node(victim)
            self.cluster.wait_ready()
        self.callers("drain", disturb)

    def test_a_node_drains_when_it_is_asked(self):
        victim = self.cluster.leader()
        client = self.client()
        client.drain(victim)
        client.collection("orders").put("drained", 1)
        wait_until(lambda: self.cluster.leader() != victim, 10, "another leader")
        self.cluster.terminate(victim)
        self.cluster.start_node(victim)
        self.cluster.wait_ready()

    def test_one_seed_is_enough_to_find_the_others(self):
        node = self.cluster.ids[0]
        client = Client(self.cluster.endpoint(node))
        self.addCleanup(client.close)
        client.collection("orders").put("seed", 1)
        self.assertEqual(set(self.cluster.endpoints), set(client.nodes))
        self.cluster.kill(node)
        try:
            client.collection("orders").put("seed", 2)
        finally:
            self.cluster.start_node(node)
            self.cluster.wait_ready()

    def test_many_calls_at_once_with_asyncio_through_a_kill(self):
        async def put_all():
            async with AsyncClient(self.cluster.endpoints) as client:
                orders = client.collection("orders")
                calls = asyncio.gather(*(orders.put(f"async-{n}", n, exists=False) for n in range(300)))
                victim = await asyncio.to_thread(self.cluster.leader)
                await asyncio.to_thread(self.cluster.kill, victim)
                done = await calls
                more = await asyncio.gather(*(orders.put(f"more-{n}", n, exists=False) for n in range(100)))
                return victim, done + more
        victim, done = asyncio.run(put_all())
        self.cluster.start_node(victim)
        self.cluster.wait_ready()
        self.assertEqual({1}, {one.version for one in done})
        found = {record.key for record in self.client().collection("orders").list(prefix="async-")}
        self.assertEqual(300, len(found))

    def test_a_feed_goes_on_at_another_node_when_its_own_dies(self):
        seen = []

        def read(enough):
            for change in self.client(shuffle=False).changes(self.client().cluster().revision, "orders"):
                seen.append((change.key, change.value))
                if change.key == "feed-end":
                    return
        reader = Worker(read)
        orders = self.client().collection("orders")
        for number in range(3):
            insist(orders.put, f"feed-{number}", number)
            self.cluster.kill(self.cluster.ids[number])
            insist(orders.put, f"feed-{number}-b", number)
            self.cluster.start_node(self.cluster.ids[number])
            self.cluster.wait_ready()
        orders.put("feed-end", 0)
        reader.join_or_raise()
        wanted = [(f"feed-{number}{end}", number) for number in range(3) for end in ("", "-b")] + [("feed-end", 0)]
        self.assertEqual(wanted[-len(seen):], seen)
        self.assertGreaterEqual(len(seen), len(wanted) - 1)  # the first may have been before the reader looked

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            address = f"127.0.0.1:{unused.getsockname()[1]}"
        with Client(address, timeout=0.5) as client, self.assertRaises(Unavailable):
            client.cluster()


class TlsTest(ClusterCase):
    """The API behind the nodes' own certificates."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        certificates = cls.cluster.directory / "certs"
        for node in cls.cluster.ids:
            cls.cluster.terminate(node)
            cls.cluster.write_configuration(node, {"api.tls_certificate": str(certificates / f"node-{node}.pem"),
                                                   "api.tls_key": str(certificates / f"node-{node}.key")})
        for node in cls.cluster.ids:
            cls.cluster.start_node(node)
        cls.ca = str(certificates / "ca.pem")

    def test_both_clients_over_tls(self):
        endpoints = [f"https://{endpoint}" for endpoint in self.cluster.endpoints]
        with Client(endpoints, ca=self.ca, timeout=30.0) as client:
            client.collection("orders").declare()
            client.collection("orders").put("A", 1)
            self.assertEqual(1, client.collection("orders").get("A").value)
            self.assertEqual(["A"], [change.key for change in client.changes(collection="orders", until=client.cluster().revision)])

        async def read():
            async with AsyncClient(endpoints, ca=self.ca) as client:
                changes = [change.key async for change in client.changes(collection="orders", until=(await client.cluster()).revision)]
                return (await client.collection("orders").get("A")).value, changes
        self.assertEqual((1, ["A"]), asyncio.run(read()))

    def test_another_authority_is_not_trusted(self):
        with Client(f"https://{self.cluster.endpoints[0]}", tls=ssl.create_default_context(), timeout=0.5) as client:
            with self.assertRaises(Unavailable) as raised:
                client.cluster()
        self.assertIn("certificate", str(raised.exception).lower())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/check", help="build directory with bin/mainstayd and bin/mainstay")
    options, rest = parser.parse_known_args()
    harness.OPTIONS.build = options.build
    return unittest.main(argv=["cluster_test", "-v", *rest], exit=False).result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
