"""The logic without any input or output."""
import pathlib
import re
import subprocess
import sys
import unittest
from decimal import Decimal
from random import Random

import mainstay
from mainstay import Entry, Level, Transaction, _calls, _core, _feed, _http1, _json, errors
from mainstay._core import AttemptFailed, Attempts, Nodes, Pause, Policy, Request, Response, Send

HERE = pathlib.Path(__file__).resolve().parents[1]
TREE = HERE.parents[1]


def response(status=200, kind=None, node="a:1", **headers):
    body = b"{}" if kind is None else b'{"type":"/errors/%s","title":"t","status":%d}' % (kind.encode(), status)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if kind is not None:
        fields["content-type"] = "application/problem+json"
    return Response(status, fields, body, node)


class NodesTest(unittest.TestCase):
    def setUp(self):
        self.nodes = Nodes(["a:1", "b:1", "c:1"], Random(1), shuffle=False)

    def test_the_first_is_asked_until_it_fails_and_then_stays_behind(self):
        self.assertEqual("a:1", self.nodes.pick(0, ()))
        self.nodes.failed("a:1", 0)
        self.assertEqual("b:1", self.nodes.pick(0, ()))
        self.assertEqual("b:1", self.nodes.pick(100, ()))
        self.assertEqual(["b:1", "c:1", "a:1"], self.nodes.all)

    def test_what_failed_in_this_call_is_avoided_while_there_is_another(self):
        self.assertEqual("b:1", self.nodes.pick(0, {"a:1"}))
        self.assertEqual("a:1", self.nodes.pick(0, {"a:1", "b:1", "c:1"}))

    def test_of_failed_nodes_the_one_that_failed_least_comes_first(self):
        for node in ("a:1", "a:1", "b:1", "c:1", "c:1"):
            self.nodes.failed(node, 0)
        self.assertEqual("b:1", self.nodes.pick(0, ()))

    def test_time_away_doubles_up_to_a_bound_and_an_answer_ends_it(self):
        for _ in range(50):
            self.nodes.failed("a:1", 0)
            self.nodes.failed("b:1", 0)
            self.nodes.failed("c:1", 0)
        self.nodes.answered("c:1")
        self.assertEqual("c:1", self.nodes.pick(0, ()))

    def test_learning_keeps_the_order_and_the_seeds(self):
        self.nodes.failed("a:1", 0)
        self.nodes.learn(["x:1", "c:1", "0.0.0.0:7400", ""])
        self.assertEqual(["b:1", "c:1", "a:1", "x:1"], self.nodes.all)
        self.nodes.learn(["c:1"])  # x left the cluster
        self.assertEqual(["b:1", "c:1", "a:1"], self.nodes.all)

    def test_time_to_look_comes_at_intervals(self):
        self.assertTrue(self.nodes.look(5, 30))
        self.assertFalse(self.nodes.look(34, 30))
        self.assertTrue(self.nodes.look(35, 30))
        self.assertFalse(self.nodes.look(100, 0))

    def test_clients_begin_at_different_nodes(self):
        firsts = {Nodes(["a:1", "b:1", "c:1"], Random(seed), shuffle=True).all[0] for seed in range(30)}
        self.assertEqual({"a:1", "b:1", "c:1"}, firsts)


class AttemptsTest(unittest.TestCase):
    policy = Policy(first_attempt=1.0, pause_first=0.1)

    def attempts(self, operation="op", deadline=10.0, names=("a:1", "b:1"), **more):
        self.nodes = Nodes(names, Random(1), shuffle=False)
        return Attempts(Request("PUT", "/x", b"{}", operation=operation, **more), self.nodes, self.policy, deadline, Random(1))

    def send(self, attempts, now):
        step = attempts.next(now)
        self.assertIsInstance(step, Send)
        return step

    def test_a_request_carries_its_operation_its_deadline_and_its_type(self):
        step = self.send(self.attempts(), 0.0)
        self.assertEqual("op", step.headers["Idempotency-Key"])
        self.assertEqual("application/json", step.headers["Content-Type"])
        # The node says "not yet" before we hang up.
        self.assertLess(int(step.headers["Mainstay-Deadline-Ms"]), step.timeout * 1000)

    def test_an_attempt_never_outlives_the_deadline(self):
        attempts = self.attempts(deadline=0.5)
        self.assertEqual(0.5, self.send(attempts, 0.0).timeout)

    def test_attempts_that_were_not_answered_get_longer(self):
        attempts = self.attempts(deadline=100.0)
        now, lengths = 0.0, []
        while len(lengths) < 4:
            step = attempts.next(now)
            if isinstance(step, Pause):
                now += step.seconds
                continue
            lengths.append(step.timeout)
            now += step.timeout
            attempts.failed(step.node, now, AttemptFailed("slow", sent=True))
        self.assertEqual([1.0, 2.0, 4.0, 8.0], lengths)

    def test_pauses_come_only_when_every_node_has_failed_and_grow(self):
        attempts = self.attempts(deadline=1000.0)
        now, pauses, sent = 0.0, [], 0
        while len(pauses) < 8:
            step = attempts.next(now)
            if isinstance(step, Pause):
                pauses.append(step.seconds)
                now += step.seconds
                self.assertEqual(2 * len(pauses), sent)
            else:
                sent += 1
                attempts.failed(step.node, now, AttemptFailed("refused", sent=False))
        self.assertTrue(0.05 <= pauses[0] <= 0.1, pauses)
        self.assertTrue(all(0.5 <= pause <= 1.0 for pause in pauses[-3:]), pauses)

    def test_the_end_depends_on_what_was_sent(self):
        attempts = self.attempts()
        attempts.failed(self.send(attempts, 0).node, 0, AttemptFailed("refused", sent=False))
        self.assertRaises(errors.Unavailable, attempts.next, 10.0)
        attempts = self.attempts()
        attempts.failed(self.send(attempts, 0).node, 0, AttemptFailed("reset", sent=True))
        attempts.failed(self.send(attempts, 0).node, 0, AttemptFailed("refused", sent=False))
        with self.assertRaises(errors.OutcomeUnknown) as raised:
            attempts.next(10.0)
        self.assertEqual("op", raised.exception.operation)
        attempts = self.attempts(operation=None)
        attempts.failed(self.send(attempts, 0).node, 0, AttemptFailed("reset", sent=True))
        self.assertRaises(errors.Unavailable, attempts.next, 10.0)

    def test_a_refusal_to_be_busy_does_not_make_an_unknown_outcome_known(self):
        attempts = self.attempts()
        attempts.failed(self.send(attempts, 0).node, 0, AttemptFailed("reset", sent=True))
        self.assertFalse(attempts.answered(0, response(503, "busy", node=self.send(attempts, 0).node)))
        self.assertRaises(errors.OutcomeUnknown, attempts.next, 10.0)

    def test_which_answers_are_final(self):
        for status, kind, final in ((200, None, True), (404, "not_found", True), (412, "precondition_failed", True),
                                    (507, "storage_full", True), (410, "compacted", True), (503, "busy", False),
                                    (429, "rate_limited", False), (504, "outcome_unknown", False), (504, "deadline_exceeded", False),
                                    (500, "corrupt", False), (502, None, False), (501, None, True)):
            attempts = self.attempts()
            self.assertEqual(final, attempts.answered(0, response(status, kind, self.send(attempts, 0).node)), (status, kind))

    def test_a_node_that_closes_the_connection_is_asked_last_from_then_on(self):
        attempts = self.attempts()
        self.assertTrue(attempts.answered(0, response(node=self.send(attempts, 0).node, connection="close")))
        self.assertEqual(["b:1", "a:1"], self.nodes.all)

    def test_a_pause_never_reaches_the_deadline(self):
        attempts = self.attempts(deadline=0.4)
        attempts.answered(0, response(503, "busy", self.send(attempts, 0).node, retry_after="60"))
        step = attempts.next(0.0)
        self.assertIsInstance(step, Pause)
        self.assertLess(step.seconds, 0.4)


class WordsTest(unittest.TestCase):
    def test_every_error_of_the_server_has_its_class(self):
        table = (TREE / "runtime/base/errc.def").read_text(encoding="utf-8")
        rows = dict(re.findall(r"^X\((\w+),\s*(\d+)", table, re.MULTILINE))
        self.assertEqual(set(rows), set(errors.BY_KIND))
        self.assertLess(set(errors.BY_KIND[kind].__name__ for kind in rows), set(mainstay.__all__))
        for kind, status in rows.items():
            error = errors.from_problem(int(status), {"type": f"/errors/{kind}", "title": "t", "detail": "d"})
            self.assertEqual((kind, int(status), "t: d"), (error.kind, error.status, str(error)))

    def test_an_unknown_error_is_classed_by_its_status(self):
        for status, kind in ((418, errors.Refused), (599, errors.ServerFault), (503, errors.TryAgain)):
            self.assertIsInstance(errors.from_problem(status, {"type": "/errors/new"}), kind)

    def test_numbers_keep_their_digits(self):
        for text in ("0.1", "12345678901234567890.000000000000000001", "-0.00", "1E+400", "3"):
            value = _json.loads(text)
            self.assertNotIsInstance(value, float)
            self.assertEqual(value, _json.loads(_json.dumps(value)))
            self.assertEqual(_json.dumps({"a": [value, "ü\n"]}), ('{"a":[%s,"ü\\n"]}' % text).encode())
        self.assertRaises(ValueError, _json.dumps, [Decimal("NaN")])
        self.assertRaises(ValueError, _json.dumps, float("inf"))
        self.assertRaises(TypeError, _json.dumps, {"a": {1, 2}})
        self.assertRaises(TypeError, _json.dumps, {1: Decimal("1.5")})

    def test_floats_are_not_quantities(self):
        for quantity in (0.1, True, None):
            self.assertRaises(TypeError, Entry("e", quantity, {}, {}, {}).content)
        self.assertRaises(ValueError, Entry("e", "Infinity", {}, {}, {}).content)
        self.assertEqual("0.0000001", Entry("e", Decimal("1E-7"), {}, {}, {}).content()["quantity"])

    def test_a_reversal_swaps_the_ends(self):
        entry = Entry("e", "5", {"item": "A"}, {"location": "1"}, {"location": "2"}).reversal("e-r")
        self.assertEqual({"quantity": "5", "item": "A", "from": {"location": "2"}, "to": {"location": "1"}, "reverses": "e"},
                         entry.content())

    def test_a_transaction_is_what_the_api_takes(self):
        transaction = (Transaction().require("orders", "A", version=3, fields={"/state": None})
                       .require("orders", "B", exists=False).require_balance("stock", {"item": "A"}, 5)
                       .put("orders", "A", 1).patch("orders", "C", {"x": None}).delete("orders", "D")
                       .post("stock", Entry("e", 1, {"item": "A"}, {"l": "1"}, {"l": "2"})))
        self.assertEqual({
            "conditions": [{"collection": "orders", "key": "A", "version": 3, "fields": [{"pointer": "/state", "equals": None}]},
                           {"collection": "orders", "key": "B", "absent": True},
                           {"ledger": "stock", "at": {"item": "A"}, "at_least": "5"}],
            "operations": [{"put": {"collection": "orders", "key": "A", "value": 1}},
                           {"patch": {"collection": "orders", "key": "C", "value": {"x": None}}},
                           {"delete": {"collection": "orders", "key": "D"}},
                           {"post": {"collection": "stock", "id": "e", "entry": {
                               "quantity": "1", "item": "A", "from": {"l": "1"}, "to": {"l": "2"}}}}]}, transaction.body())
        self.assertRaises(ValueError, transaction.require, "orders", "A")

    def test_names_are_encoded(self):
        call = _calls.get("orders", "a/b ü?", revision=7, level=Level.LOCAL)
        self.assertEqual("/v1/collections/orders/records/a%2Fb%20%C3%BC%3F?revision=7&level=local", call.request.target)

    def test_index_bounds_are_json(self):
        call = _calls.records("orders", prefix="", index="by-item", value=_calls.UNSET, low="10", high=None, after=None, limit=5,
                              level=Level.LINEARIZABLE)
        self.assertEqual("/v1/collections/orders/records?index=by-item&from=%2210%22&to=null&limit=5", call.request.target)

    def test_operation_ids_are_checked(self):
        self.assertNotEqual(_core.checked_operation(None), _core.checked_operation(None))
        for wrong in ("", "a" * 129, "a\r\nX: y", "ü", "a b"):
            self.assertRaises(ValueError, _core.checked_operation, wrong)

    def test_addresses(self):
        self.assertEqual(("h:1", True), _core.address_of(" https://h:1/ "))
        self.assertEqual(("[::1]:7400", False), _core.address_of("[::1]:7400"))
        for wrong in ("h", "h:", ":1", "h:0", "h:70000", "ftp://h:1"):
            self.assertRaises(ValueError, _core.address_of, wrong)

    def test_the_newest_session_stays(self):
        session = _core.Session()
        for token in ("r5", None, "r12", "r9"):
            session.saw(token)
        self.assertEqual("r12", session.token)

    def test_a_secret_is_not_printed(self):
        self.assertNotIn("mst_", repr(mainstay.Token("i", "n", "reader", None, None, "mst_i_s")))


class FeedTest(unittest.TestCase):
    def take(self, place, revision, position=0, of=1):
        change = place.take(b'{"revision":%d,"position":%d,"of":%d,"collection":"c","key":"k","type":"put","version":1}'
                            % (revision, position, of))
        return change and (change.revision, change.position)

    def test_a_commit_that_came_in_part_is_asked_for_again(self):
        place = _feed.FeedPlace(4)
        self.assertEqual(4, place.after)
        self.assertEqual([(5, 0), (7, 0), (7, 1)], [self.take(place, 5), self.take(place, 7, 0, 3), self.take(place, 7, 1, 3)])
        self.assertEqual(6, place.after)
        self.assertEqual([None, None, (7, 2)], [self.take(place, 7, position, 3) for position in range(3)])
        self.assertEqual(7, place.after)

    def test_until_ends_it_without_a_change_of_that_revision(self):
        place = _feed.FeedPlace(0, until=3)
        self.assertEqual((2, 0), self.take(place, 2))
        self.assertFalse(place.done)
        self.assertIsNone(self.take(place, 5))
        self.assertTrue(place.done)
        self.assertTrue(_feed.FeedPlace(3, until=3).done)

    def test_nonsense_is_refused(self):
        for line in (b"[]", b"{", b"{}", b'{"revision":1}'):
            self.assertRaises(errors.ProtocolError, _feed.FeedPlace(0).take, line)


class HttpTest(unittest.TestCase):
    def test_heads(self):
        head = _http1.request_head("PUT", "/x", "h:1", {"A": "b"}, b"12")
        self.assertEqual(b"PUT /x HTTP/1.1\r\nHost: h:1\r\nContent-Length: 2\r\nA: b\r\n\r\n", head)
        self.assertRaises(ValueError, _http1.request_head, "GET", "/", "h", {"A": "b\r\nC: d"}, None)
        self.assertEqual((200, {"a": "1, 2", "b": "x"}), _http1.response_head(b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nB:x\r\n\r\n"))
        self.assertEqual("close", _http1.response_head(b"HTTP/1.0 200\r\n\r\n")[1]["connection"])
        for wrong in (b"", b"HTTP/2 200\r\n", b"HTTP/1.1 2x0 OK\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n", b"HTTP/1.1 200 OK\r\n a: b\r\n"):
            self.assertRaises(_http1.Malformed, _http1.response_head, wrong)

    def test_lengths(self):
        for headers, wanted in (({"content-length": "5"}, 5), ({"transfer-encoding": "Chunked"}, -1), ({}, None)):
            self.assertEqual(wanted, _http1.body_length("GET", 200, headers))
        self.assertEqual(0, _http1.body_length("GET", 304, {"content-length": "5"}))
        self.assertRaises(_http1.Malformed, _http1.body_length, "GET", 200, {"content-length": "-5"})
        self.assertEqual(26, _http1.chunk_length(b"1a;x=y\r\n"))
        for wrong in (b"\r\n", b"-1\r\n", b"+1\r\n", b"g\r\n"):
            self.assertRaises(_http1.Malformed, _http1.chunk_length, wrong)


class PackageTest(unittest.TestCase):
    def test_the_client_for_threads_is_made_from_the_other(self):
        made = subprocess.run([sys.executable, HERE / "make_sync.py", "--check"], check=False)
        self.assertEqual(0, made.returncode, "run clients/python/make_sync.py")

    def test_one_version(self):
        wanted = re.search(r"project\(mainstay VERSION (\S+)", (TREE / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
        self.assertEqual(wanted, mainstay.__version__)
        self.assertIn(f'version = "{wanted}"', (HERE / "pyproject.toml").read_text(encoding="utf-8"))
        self.assertIn(f"mainstay-python/{wanted}", (HERE / "src/mainstay/aio.py").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
