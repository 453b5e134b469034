"""Both clients against scripted nodes: what breaks, and what the caller sees of it."""
import asyncio
import json
import threading
import time
import unittest
from dataclasses import replace

from mainstay import (AsyncClient, Busy, Client, Compacted, Conflict, Entry, Forbidden, NotFound, OutcomeUnknown, Policy,
                      PreconditionFailed, ProtocolError, Reset, Transaction, Unavailable)

from .fake_node import CLOSE, HANG, RESET, Blocking, Broken, FakeNode, answer, chunks, problem, written

QUICK = Policy(timeout=5.0, connect_timeout=0.2, first_attempt=0.15, refresh=0, feed_silence=0.3, feed_patience=3.0)


def line(revision, position=0, of=1, key="k", **more):
    return json.dumps({"revision": revision, "position": position, "of": of, "collection": "orders", "key": key, "type": "put",
                       "version": 1, "time": "2026-11-22T22:47:05.123Z", "operation": "o", "value": {"n": revision},
                       **more}).encode() + b"\n"


class Faults:
    """The tests; below, once for each client."""

    def setUp(self):
        self.nodes = []

    def tearDown(self):
        for node in self.nodes:
            node.stop()

    def node(self, *script):
        """Gives these answers one after the other, the last one from then on."""
        left = list(script)

        def next_answer(asked):
            what = left.pop(0) if len(left) > 1 else left[0]
            return what(asked) if callable(what) else what
        self.nodes.append(FakeNode(next_answer))
        return self.nodes[-1]

    def gone(self):
        node = self.node(CLOSE)
        node.stop()
        return self.nodes.pop()

    def client(self, *nodes, **more):
        return self.make([node.address for node in nodes], **{"policy": QUICK, "shuffle": False, **more})

    # --- failover ---

    def test_a_refused_connection_goes_to_the_next_node(self):
        good = self.node(written())
        with self.client(self.gone(), self.gone(), good) as client:
            self.assertEqual(1, client.collection("orders").put("A", {}).version)
            self.assertEqual(good.address, client.nodes[0])  # the others are behind it now

    def test_a_lost_answer_is_asked_for_again_under_the_same_operation_id(self):
        for fault in (RESET, CLOSE, HANG, Broken(b"HTTP/1.1 2"), Broken(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
                      Broken(chunks(b'{"version', end=False)), Broken(chunks(end=False) + b"ffff\r\n{"), b"SMTP ready\r\n\r\n"):
            first = self.node(fault)
            second = self.node(lambda asked: written(operation=asked.headers["idempotency-key"], **{"Mainstay-Replayed": "true"}))
            with self.client(first, second) as client:
                began = time.monotonic()
                done = client.collection("orders").put("A", {"n": 1})
                self.assertLess(time.monotonic() - began, 1.0, fault)
            self.assertTrue(done.replayed)
            self.assertEqual(done.operation, first.asked[0].headers["idempotency-key"])
            self.assertEqual(first.asked[0].body, second.asked[0].body)

    def test_a_kept_connection_that_was_closed_is_opened_again_at_the_same_node(self):
        other, node = self.node(written(version=9)), self.node(written(version=1), CLOSE, written(version=2))
        with self.client(node, other) as client:
            orders = client.collection("orders")
            self.assertEqual([1, 2], [orders.put("A", 1).version, orders.put("A", 2).version])
        self.assertEqual((2, 0), (node.connections, other.connections))

    def test_connections_are_kept(self):
        node = self.node(written())
        with self.client(node) as client:
            for n in range(20):
                client.collection("orders").put("A", n)
        self.assertEqual(1, node.connections)

    def test_a_node_that_is_not_ready_is_left_for_another_at_once(self):
        for status, kind in ((503, "not_ready"), (503, "not_leader"), (503, "unavailable"), (500, "internal"), (500, "io_error")):
            first, second = self.node(problem(status, kind, {"Retry-After": "1"})), self.node(written())
            with self.client(first, second) as client:
                began = time.monotonic()
                client.collection("orders").put("A", {})
                self.assertLess(time.monotonic() - began, 0.5)

    def test_busy_waits_as_long_as_it_is_told(self):
        node = self.node(problem(503, "busy", {"Retry-After": "1"}), written())
        with self.client(node) as client:
            began = time.monotonic()
            client.collection("orders").put("A", {})
            self.assertGreater(time.monotonic() - began, 0.45)

    def test_busy_to_the_end_is_raised_as_busy(self):
        node = self.node(problem(503, "busy", {"Retry-After": "1"}))
        patient = replace(QUICK, first_attempt=5.0)  # a slow machine is no lost answer
        with self.client(node, policy=patient) as client, self.assertRaises(Busy) as raised:
            client.collection("orders").put("A", {}, timeout=1.0)
        self.assertEqual(1.0, raised.exception.retry_after)
        self.assertLess(len(node.asked), 15)

    def test_a_proxy_without_a_problem_document_is_tried_again(self):
        node = self.node(answer(502, b"<html>", kind="text/html"), written())
        with self.client(node) as client:
            client.collection("orders").put("A", {})
        self.assertEqual(2, len(node.asked))

    def test_no_node_at_all_is_told_within_the_deadline(self):
        with self.client(self.gone(), self.gone()) as client:
            began = time.monotonic()
            with self.assertRaises(Unavailable) as raised:
                client.collection("orders").put("A", {}, timeout=0.4)
            self.assertLess(time.monotonic() - began, 1.0)
        self.assertIn("127.0.0.1", str(raised.exception))

    # --- definite outcomes ---

    def test_a_write_without_an_end_names_its_operation(self):
        node = self.node(HANG)
        with self.client(node) as client, self.assertRaises(OutcomeUnknown) as raised:
            client.collection("orders").put("A", {}, operation="op-1", timeout=0.4)
        self.assertEqual("op-1", raised.exception.operation)
        self.assertEqual({"op-1"}, {asked.headers["idempotency-key"] for asked in node.asked})

    def test_an_unknown_outcome_is_asked_again_until_it_is_known(self):
        node = self.node(problem(504, "outcome_unknown", operation="x"), problem(504, "outcome_unknown", operation="x"), written())
        with self.client(node) as client:
            client.collection("orders").put("A", {})
        self.assertEqual(3, len(node.asked))

    def test_a_read_without_an_end_is_no_unknown_outcome(self):
        with self.client(self.node(HANG)) as client, self.assertRaises(Unavailable):
            client.collection("orders").get("A", timeout=0.3)

    def test_the_deadline_of_a_request_is_told_and_shrinks(self):
        node = self.node(problem(504, "deadline_exceeded"), problem(504, "deadline_exceeded"), answer(200, 1, {
            "ETag": '"1"', "Mainstay-Revision": "1"}))
        with self.client(node) as client:
            client.collection("orders").get("A", timeout=2.0)
        told = [int(asked.headers["mainstay-deadline-ms"]) for asked in node.asked]
        self.assertEqual(sorted(told), told)  # attempts grow
        self.assertLess(max(told), 2000)

    def test_operation_and_fence(self):
        node = self.node(problem(404, "not_found"), answer(200, {"operation": "a/b", "state": "fenced"}),
                         answer(200, {"operation": "a/b", "state": "refused", "error": "operation_fenced"}))
        with self.client(node) as client:
            self.assertIsNone(client.operation("a/b"))
            self.assertEqual("fenced", client.fence("a/b").state)
            self.assertEqual("operation_fenced", client.operation("a/b").error)
        self.assertEqual(["/v1/operations/a%2Fb", "/v1/operations/a%2Fb/fence"], [asked.target for asked in node.asked[:2]])

    def test_administration_is_not_repeated_when_it_may_have_arrived(self):
        first, second = self.node(RESET), self.node(answer(200, {"result": "x"}))
        with self.client(first, second) as client, self.assertRaises(OutcomeUnknown):
            client.transfer(2)
        self.assertEqual(0, len(second.asked))
        with self.client(self.gone(), second) as client:
            self.assertEqual("x", client.transfer(2))

    def test_a_node_is_asked_to_drain_at_its_own_address(self):
        own = self.node(answer(200, {"result": "drains"}))
        cluster = answer(200, {"cluster": "c", "node": 1, "role": "leader", "leader": 1, "term": 1, "revision": 1, "members": [
            {"id": 2, "role": "voter", "peer_address": "p:1", "connected": True, "api_address": own.address}]})
        first = self.node(cluster)
        with self.client(first, discover=False) as client:
            self.assertEqual("drains", client.drain(2))
            self.assertRaises(NotFound, client.drain, 3)
        self.assertEqual(["/v1/nodes/2/drain"], [asked.target for asked in own.asked])
        self.assertEqual({"/v1/cluster"}, {asked.target for asked in first.asked})

    # --- refusals ---

    def test_refusals_are_raised_at_once_as_their_class(self):
        node = self.node(problem(412, "precondition_failed", {"ETag": '"4"'}), problem(404, "not_found"), problem(403, "forbidden"),
                         problem(409, "conflict", pointer="/operations/2"))
        with self.client(node) as client:
            with self.assertRaises(PreconditionFailed) as raised:
                client.collection("orders").put("A", {}, version=3)
            self.assertEqual(4, raised.exception.found_version)
            self.assertIsNone(client.collection("orders").find("A"))
            self.assertRaises(Forbidden, client.collection("orders").get, "A")
            with self.assertRaises(Conflict) as raised:
                client.commit(Transaction().put("orders", "A", 1))
            self.assertEqual("/operations/2", raised.exception.pointer)
        self.assertEqual(4, len(node.asked))
        self.assertEqual('"3"', node.asked[0].headers["if-match"])

    def test_nonsense_is_a_protocol_error(self):
        node = self.node(answer(200, b"not JSON"), answer(200, {"x": 1}), answer(200, [1]))
        with self.client(node) as client:
            for _ in range(3):
                self.assertRaises(ProtocolError, client.collection("orders").put, "A", {})

    # --- sessions, tokens, members ---

    def test_the_session_goes_from_writes_to_reads(self):
        read = answer(200, 1, {"ETag": '"1"', "Mainstay-Revision": "1", "Mainstay-Session": "r5"})
        node = self.node(written(revision=17), read)
        with self.client(node, token="mst_secret") as client:
            client.collection("orders").put("A", 1)
            client.collection("orders").get("A", level="session")
            self.assertEqual("r17", client.session)
            client.collection("orders").get("A")
        self.assertEqual("r17", node.asked[1].headers["mainstay-session"])
        self.assertTrue(node.asked[1].target.endswith("?level=session"))
        self.assertNotIn("mainstay-session", node.asked[2].headers)
        self.assertEqual("Bearer mst_secret", node.asked[0].headers["authorization"])

    def test_members_are_discovered(self):
        second = self.node(written(version=2))
        member = {"id": 1, "role": "voter", "peer_address": "p:1", "connected": True}
        cluster = answer(200, {"cluster": "c", "node": 1, "role": "leader", "leader": 1, "term": 1, "revision": 1, "members": [
            {**member, "api_address": second.address}, {**member, "api_address": "0.0.0.0:7400"}]})
        first = self.node(lambda asked: cluster if asked.target == "/v1/cluster" else written(version=1))
        with self.client(first, policy=Policy(refresh=60, connect_timeout=0.2)) as client:
            orders = client.collection("orders")
            self.assertEqual(1, orders.put("A", 1).version)
            self.assertEqual({first.address, second.address}, set(client.nodes))
            first.stop()
            self.assertEqual(2, orders.put("A", 1).version)

    # --- pages, batches, ledgers ---

    def test_lists_go_from_page_to_page(self):
        def page(asked):
            if "after=" not in asked.target:
                return answer(200, {"records": [{"key": "a", "version": 1, "revision": 1, "value": 1}], "next": "a/ü"})
            self.assertIn("after=a%2F%C3%BC", asked.target.replace("a/%", "a%2F%"))
            return answer(200, {"records": [{"key": "b", "version": 1, "revision": 2, "value": 1}], "next": None})
        with self.client(self.node(page)) as client:
            self.assertEqual(["a", "b"], [record.key for record in client.collection("orders").list(prefix="x")])

    def test_a_batch_repeats_only_what_is_not_settled(self):
        def outcomes(asked):
            items = json.loads(asked.body)["operations"]
            if len(items) == 3:
                return answer(200, {"outcomes": [
                    {"status": 201, "operation": items[0]["operation"], "version": 1, "revision": 1, "created": True, "changed": True},
                    {"status": 503, "operation": items[1]["operation"], "problem": {"type": "/errors/busy", "title": "b", "status": 503}},
                    {"status": 412, "operation": items[2]["operation"],
                     "problem": {"type": "/errors/precondition_failed", "title": "p", "status": 412}}]})
            return answer(200, {"outcomes": [{"status": 200, "operation": items[0]["operation"], "version": 2, "revision": 3,
                                              "created": False, "changed": True}]})
        node = self.node(outcomes)
        with self.client(node) as client:
            done = client.batch([Transaction().put("orders", key, 1) for key in "abc"], operation="import")
        self.assertEqual(["import/0", "import/1", "import/2"], [one.operation for one in done])
        self.assertEqual([1, 2], [one.unwrap().results[0].version for one in done[:2]])
        self.assertRaises(PreconditionFailed, done[2].unwrap)
        self.assertEqual(["import/1"], [item["operation"] for item in json.loads(node.asked[1].body)["operations"]])

    def test_entries_and_balances_keep_every_digit(self):
        entry = Entry("m-1", "0.10", {"item": "A"}, {"location": "R1"}, {"location": "R2"})
        node = self.node(
            answer(200, {"revision": 1, "operation": "o", "results": [{"id": "m-1", "created": True}]}),
            answer(200, {"entries": [{"id": "m-1", "revision": 1, "time": "2026-11-22T22:47:05Z", "entry": {
                "quantity": "0.10", "item": "A", "from": {"location": "R1"}, "to": {"location": "R2"}}}], "next": None}),
            answer(200, {"balances": [{"item": "A", "quantity": "12345678901234567.891", "revision": 4}], "next": None}))
        with self.client(node) as client:
            stock = client.ledger("stock")
            self.assertTrue(stock.post(entry).results[0].created)
            found, = stock.entries()
            self.assertEqual(("m-1", "0.10", {"item": "A"}), (found.id, str(found.quantity), found.dimensions))
            balance, = stock.balances({"item": "A", "location": "R&1"}, by=["item"])
            self.assertEqual(balance.quantity, stock.balance({"item": "A"}))
        self.assertEqual("12345678901234567.891", str(balance.quantity))
        self.assertEqual({"item": "A"}, balance.dimensions)
        self.assertIn("by=item", node.asked[2].target)
        self.assertIn("location=R%261", node.asked[2].target)
        self.assertEqual("0.10", json.loads(node.asked[0].body)["quantity"])

    # --- the feed ---

    def test_the_feed_goes_on_at_another_node_without_loss_or_repetition(self):
        first = self.node(Broken(chunks(line(1), line(2, 0, 2, "a"), end=False)))
        second = self.node(chunks(line(2, 0, 2, "a") + line(2, 1, 2, "b"), b'{"revision":2,"heart', b'beat":true}\n', line(3), line(4)))
        with self.client(first, second) as client:
            seen = [(change.revision, change.position, change.resume) for change in client.changes(until=3)]
        self.assertEqual([(1, 0, 1), (2, 0, 1), (2, 1, 2), (3, 0, 3)], seen)
        self.assertEqual("/v1/changes?after=1", second.asked[0].target)
        self.assertEqual("application/x-ndjson", second.asked[0].headers["accept"])

    def test_a_truncated_line_of_the_feed_is_not_taken(self):
        first = self.node(Broken(chunks(line(1), line(2)[:-9], end=False)))
        second = self.node(chunks(line(2)))
        with self.client(first, second) as client:
            self.assertEqual([1, 2], [change.revision for change in client.changes(until=2)])

    def test_a_silent_feed_is_left(self):
        def half(asked):
            return chunks(line(1), end=False)  # and then nothing, on an open connection
        first, second = self.node(half), self.node(chunks(line(2)))
        with self.client(first, second) as client:
            self.assertEqual([1, 2], [change.revision for change in client.changes(until=2)])

    def test_a_heartbeat_moves_the_place(self):
        first = self.node(Broken(chunks(line(1), b'{"revision":8,"heartbeat":true}\n', end=False)))
        second = self.node(chunks(line(9)))
        with self.client(first, second) as client:
            self.assertEqual([1, 9], [change.revision for change in client.changes(until=9)])
        self.assertEqual("/v1/changes?after=8", second.asked[0].target)

    def test_a_compacted_feed_raises_and_follow_hands_over(self):
        compacted = problem(410, "compacted", floor=9, snapshot={"revision": 10})

        def script(asked):
            if "/records" in asked.target:
                return answer(200, {"records": [{"key": "a", "version": 3, "revision": 11, "value": 3},
                                                {"key": "b", "version": 1, "revision": 5, "value": 1}], "next": None})
            if "after=2" in asked.target:
                return compacted
            return chunks(line(11, key="a"), line(11 + 1, key="b"), line(13, key="a"))
        with self.client(self.node(script)) as client:
            with self.assertRaises(Compacted) as raised:
                next(iter(client.changes(after=2)))
            self.assertEqual((9, 10), (raised.exception.floor, raised.exception.snapshot_revision))
            events = list(client.follow("orders", after=2, until=13))
        self.assertEqual(Reset(10), events[0])
        self.assertEqual([("a", 11, True), ("b", 5, True), ("b", 12, False), ("a", 13, False)],
                         [(event.key, event.revision, event.snapshot) for event in events[1:]])

    def test_a_feed_that_ends_with_a_problem(self):
        first = self.node(chunks(line(1), b'{"problem":{"type":"/errors/not_ready","title":"n","status":503}}\n'))
        second = self.node(chunks(line(2), b'{"problem":{"type":"/errors/compacted","title":"c","status":410,"floor":7}}\n'))
        seen = []
        with self.client(first, second) as client, self.assertRaises(Compacted):
            for change in client.changes():
                seen.append(change.revision)
        self.assertEqual([1, 2], seen)

    def test_a_feed_without_any_node_gives_up(self):
        with self.client(self.gone(), policy=Policy(feed_patience=0.3, connect_timeout=0.1)) as client:
            self.assertRaises(Unavailable, next, iter(client.changes()))

    def test_not_found_in_a_feed_is_raised(self):
        with self.client(self.node(problem(404, "not_found"))) as client:
            self.assertRaises(NotFound, next, iter(client.changes(collection="nowhere")))


class ClientFaults(Faults, unittest.TestCase):
    def make(self, nodes, **more):
        return Client(nodes, **more)

    def test_threads_share_a_client(self):
        node, failed = self.node(lambda asked: written(operation=asked.headers["idempotency-key"])), []
        with self.client(node) as client:
            def work(name):
                for n in range(30):
                    done = client.collection("orders").put("A", n, operation=f"{name}-{n}")
                    if done.operation != f"{name}-{n}":
                        failed.append(done)
            threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
        self.assertEqual([], failed)
        self.assertEqual(240, len(node.asked))
        self.assertLessEqual(node.connections, 8)


class AsyncClientFaults(Faults, unittest.TestCase):
    def make(self, nodes, **more):
        return Blocking(AsyncClient(nodes, **more))

    def test_calls_at_once_and_a_cancelled_one(self):
        """A cancelled call gives its connection up: the next one does not read the other's answer."""
        slow = threading.Event()

        def script(asked):
            if asked.headers["idempotency-key"] == "slow":
                slow.wait(10)
            return written(operation=asked.headers["idempotency-key"])
        node = self.node(script)

        async def calls():
            async with AsyncClient(node.address, policy=Policy(refresh=0, first_attempt=20)) as client:
                orders = client.collection("orders")
                waiting = asyncio.ensure_future(orders.put("A", 1, operation="slow"))
                done = await asyncio.gather(*(orders.put("A", n, operation=f"op-{n}") for n in range(20)))
                waiting.cancel()
                slow.set()
                with self.assertRaises(asyncio.CancelledError):
                    await waiting
                return [one.operation for one in done] + [(await orders.put("A", 1, operation="last")).operation]
        self.assertEqual([f"op-{n}" for n in range(20)] + ["last"], asyncio.run(calls()))


if __name__ == "__main__":
    unittest.main()
