"""The fence loses to a write that happened, and wins over one that did not; nothing lies between."""
import json
import socket
import unittest
import uuid

from mainstay import OperationFenced, OutcomeUnknown, Transaction

from .harness import ClusterCase, Worker, tell


class FenceTest(ClusterCase):
    def setUp(self):
        super().setUp()
        self.orders = self.client().collection("orders")
        self.orders.declare()

    def test_before_the_write_the_fence_wins(self):
        client = self.client(1)
        self.assertEqual("fenced", client.fence("early").state)
        for node in self.cluster.ids:
            with self.assertRaises(OperationFenced):
                self.client(node).collection("orders").put("early", 1, operation="early")
        self.assertIsNone(self.orders.find("early"))
        self.assertEqual("fenced", self.client(2).fence("early").state)
        self.assertEqual("fenced", self.client(3).operation("early").state)

    def test_after_the_write_the_fence_loses(self):
        done = self.orders.put("late", 1, operation="late")
        state = self.client(3).fence("late")
        self.assertEqual(("committed", done.revision), (state.state, state.revision))
        again = self.client(2).collection("orders").put("late", 1, operation="late")
        self.assertTrue(again.replayed)
        self.assertEqual((done.version, done.revision), (again.version, again.revision))

    def test_a_write_that_hangs_in_a_frozen_node_is_fenced_elsewhere(self):
        """The request is in the node's socket when it freezes. Its client gives up, fences, and is told that it will never happen:
        so it does not, when the node wakes up and reads it."""
        frozen, other = 3, 1
        if self.cluster.leader() == frozen:
            self.client().transfer(other)
        operation = uuid.uuid4().hex
        body = json.dumps({"n": 1}).encode()
        self.cluster.hang(frozen)
        try:
            host, port = self.cluster.endpoint(frozen).split(":")
            with socket.create_connection((host, int(port)), timeout=30) as raw:
                raw.sendall(b"PUT /v1/collections/orders/records/frozen HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                            b"Idempotency-Key: %s\r\nMainstay-Deadline-Ms: 20000\r\nContent-Type: application/json\r\n"
                            b"Content-Length: %d\r\n\r\n%s" % (operation.encode(), len(body), body))
                with self.assertRaises(OutcomeUnknown) as raised:
                    self.client(frozen).collection("orders").put("frozen", {"n": 1}, operation=operation, timeout=1.0)
                fenced = self.client(other).fence(raised.exception.operation)
                self.assertEqual("fenced", fenced.state)
                self.cluster.resume(frozen)
                answer = b""
                while part := raw.recv(65536):
                    answer += part
        finally:
            self.cluster.resume(frozen)
        self.assertIn(b" 409 ", answer.split(b"\r\n")[0])
        self.assertIn(b"/errors/operation_fenced", answer)
        self.assertIsNone(self.orders.find("frozen"))

    def test_a_write_whose_answer_was_lost_is_known_to_the_fence(self):
        """The client hangs up without reading the answer; the fence tells it."""
        operation = uuid.uuid4().hex
        host, port = self.cluster.endpoint(2).split(":")
        with socket.create_connection((host, int(port)), timeout=30) as raw:
            raw.sendall(b"PUT /v1/collections/orders/records/lost HTTP/1.1\r\nHost: x\r\nIdempotency-Key: %s\r\n"
                        b"Content-Type: application/json\r\nContent-Length: 1\r\n\r\n7" % operation.encode())
            raw.recv(1)  # it has begun to answer, so it is done
        self.assertEqual("committed", self.client(1).fence(operation).state)
        self.assertEqual(7, self.orders.get("lost").value)

    def test_races_have_one_winner(self):
        """A write and its fence at the same time, at different nodes."""
        rounds, won = 150, 0
        writer, fencer = self.client(1), self.client(2)
        for number in range(rounds):
            operation, found = f"race-{number}", []

            def fence(enough):
                found.append(fencer.fence(operation))
            fence_worker = Worker(fence)
            try:
                writer.collection("orders").put(operation, number, operation=operation)
                written = True
            except OperationFenced:
                written = False
            fence_worker.join_or_raise()
            self.assertEqual("committed" if written else "fenced", found[0].state)
            self.assertEqual(written, self.orders.find(operation) is not None)
            won += not written
        tell(f"{rounds} races: the fence won {won}, the write {rounds - won}; never both, never neither")

    def test_a_transaction_is_fenced_as_a_whole(self):
        self.client().fence("whole")
        with self.assertRaises(OperationFenced):
            self.client().commit(Transaction().put("orders", "w1", 1).put("orders", "w2", 1), operation="whole")
        self.assertEqual([], list(self.orders.list(prefix="w")))


if __name__ == "__main__":
    unittest.main()
