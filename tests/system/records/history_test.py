"""Earlier versions and reads at a revision, the same at every node and after the loss of leaders; sessions across nodes."""
import random
import threading
import unittest

from mainstay import Level, NotFound, TryAgain

from .harness import ClusterCase, insist, sized, tell


class HistoryTest(ClusterCase):
    def test_every_version_can_be_read_after_failovers(self):
        orders = self.client().collection("orders")
        orders.declare()
        chance, told = random.Random(7), {}  # key -> [(version, revision, type, value)]
        killer = self.start_killing(3, pause=0.3)
        number = 0
        while killer.running() or number < 200:
            number += 1
            key = f"k{chance.randrange(12)}"
            versions = told.setdefault(key, [])
            if versions and versions[-1][2] == "put" and chance.random() < 0.15:
                done, kind, value = insist(orders.delete, key, operation=f"op-{number}"), "delete", None
            else:
                done, kind, value = insist(orders.put, key, {"n": number}, operation=f"op-{number}"), "put", {"n": number}
            versions.append((done.version, done.revision, kind, value))
        killer.finish()
        points = 0
        for node in self.cluster.ids:
            points += self.compare(self.client(node).collection("orders"), told, chance)
        tell(f"{number} writes under {killer.done} leader kills, {points} reads at a revision over {len(self.cluster.ids)} nodes")

    def compare(self, orders, told, chance):
        points = 0
        for key, versions in told.items():
            found = [(one.version, one.revision, one.type, one.value) for one in orders.history(key)]
            self.assertEqual(versions[::-1], found)
            times = [one.time for one in orders.history(key)]
            self.assertEqual(sorted(times, reverse=True), times)
            self.assertEqual(found[:3], [(one.version, one.revision, one.type, one.value) for one in orders.history(key, limit=3)])
            for version, following in zip(versions, versions[1:] + [None]):
                # At its own revision, and at any up to the one before the next version.
                last = version[1] if following is None else following[1] - 1
                for revision in {version[1], chance.randint(version[1], last), last}:
                    points += 1
                    if version[2] == "delete":
                        with self.assertRaises(NotFound):
                            orders.get(key, revision=revision)
                    else:
                        record = orders.get(key, revision=revision)
                        self.assertEqual((version[3], version[0], version[1]), (record.value, record.version, record.revision))
            with self.assertRaises(NotFound):
                orders.get(key, revision=max(versions[0][1] - 1, 1))  # before it was created
        return points


class SessionTest(ClusterCase):
    def test_what_was_written_through_one_node_is_read_through_another(self):
        """With the session handed over, a session read at any node shows the write; a local read need not."""
        self.client().collection("orders").declare()
        clients = {node: self.client(node) for node in self.cluster.ids}
        rounds, behind = sized(100, 500), 0
        for number in range(rounds):
            writer = self.cluster.ids[number % len(clients)]
            clients[writer].collection("orders").put("shared", number)
            for reader, client in clients.items():
                if reader != writer:
                    behind += client.collection("orders").get("shared", level=Level.LOCAL).value != number if number else 0
                    client.join_session(clients[writer].session)
                    self.assertEqual(number, client.collection("orders").get("shared", level=Level.SESSION).value)
        tell(f"{rounds} writes read back through the other nodes; {behind} local reads were behind")

    def test_a_node_that_is_behind_answers_a_session_read_when_it_has_caught_up(self):
        asleep = next(node for node in self.cluster.ids if node != self.cluster.leader())
        awake = next(node for node in self.cluster.ids if node != asleep)
        writer, reader = self.client(awake), self.client(asleep)
        writer.collection("orders").declare()
        reader.collection("orders").find("late", level=Level.LOCAL)  # it has a connection already
        self.cluster.hang(asleep)
        try:
            for number in range(200):
                writer.collection("orders").put("late", number)
            # Asked while the node is frozen: the request waits in its socket, so it is read before it hears of the writes.
            waking = threading.Timer(0.2, self.cluster.resume, (asleep,))
            waking.start()
            reader.join_session(writer.session)
            self.assertEqual(199, reader.collection("orders").get("late", level=Level.SESSION, timeout=30.0).value)
            waking.join()
        finally:
            self.cluster.resume(asleep)

    def test_a_session_from_the_future_times_out_rather_than_lie(self):
        client = self.client()
        client.collection("orders").declare()
        client.collection("orders").put("now", 1)
        client.join_session("r999999999")
        with self.assertRaises(TryAgain):
            client.collection("orders").get("now", level=Level.SESSION, timeout=0.5)
        self.assertEqual(1, client.collection("orders").get("now").value)


if __name__ == "__main__":
    unittest.main()
