"""Tokens, roles, grants, revocation and the audit trail, on a cluster that asks for tokens."""
import base64
import datetime
import hashlib
import http.client
import os
import unittest

import mainstay
from mainstay import Entry, Forbidden, NotFound, Transaction, Unauthorized

from tests.system.lab.process import wait_until

from .harness import ClusterCase

BOOTSTRAP = "mst_bootstrp_" + base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
REVOKED_SECONDS = 5.0


class AccessTest(ClusterCase):
    options = {"auth.enabled": True, "auth.bootstrap_token_hash": "sha256:" + hashlib.sha256(BOOTSTRAP.encode()).hexdigest()}

    def setUp(self):
        super().setUp()
        self.admin = self.client(token=BOOTSTRAP)
        for name in ("orders", "wms-a", "wms-b"):
            self.admin.collection(name).declare()

    def token(self, role, **more):
        """A client with a new token of this role, known to every node."""
        made = self.admin.make_token(f"test-{role}", role, **more)
        for node in self.cluster.ids:
            self.seen(made, node)
        client = self.client(token=made.secret)
        return made, client

    def seen(self, made, node):
        client = self.client(node, token=made.secret)

        def known():
            try:
                client.cluster()
                return True
            except Unauthorized:
                return False
        wait_until(known, REVOKED_SECONDS, f"node {node} knows the token")

    def plain(self, node, path, **headers):
        connection = http.client.HTTPConnection(*self.cluster.endpoint(node).split(":"), timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers
        finally:
            connection.close()

    def test_without_a_token_only_the_health_is_told(self):
        for node in self.cluster.ids:
            for path in ("/livez", "/readyz", "/startupz"):
                self.assertEqual(200, self.plain(node, path)[0], path)
            for path in ("/v1/cluster", "/v1/collections", "/v1/changes", "/v1/tokens", "/metrics",
                         "/v1/collections/orders/records/x"):
                status, headers = self.plain(node, path)
                self.assertEqual((401, True), (status, headers["WWW-Authenticate"].startswith("Bearer")), path)
        for wrong in ("mst_bootstrp_" + "A" * 43, BOOTSTRAP[:-1], BOOTSTRAP + "A", "Basic abc", "mst_"):
            with self.assertRaises(Unauthorized):
                self.client(token=wrong).cluster()

    def test_roles_are_a_ladder(self):
        """What each role may do, from the weakest on; each may what the ones before may."""
        steps = {
            "reader": lambda client: (client.collection("orders").find("A"), client.cluster(), client.operation("none")),
            "writer": lambda client: (client.collection("orders").put("A", 1), client.fence("never"),
                                      client.commit(Transaction().put("orders", "B", 1)), client.collection("orders").delete("B")),
            "operator": lambda client: (client.collection("orders").declare(description="by an operator"),
                                        client.transfer(), client.collection("_audit").page()),
            "admin": lambda client: (list(client.tokens()), client.collection("_tokens").page()),
        }
        ladder = list(steps)
        for height, role in enumerate(ladder):
            _, client = self.token(role)
            for level, needed in enumerate(ladder):
                if level <= height:
                    steps[needed](client)
            for refused in self.beyond(client, height):
                with self.assertRaises(Forbidden) as raised:
                    refused()
                self.assertIn(ladder[height + 1], str(raised.exception))

    def beyond(self, client, height):
        """Each single thing that the next role may and this one may not."""
        orders = client.collection("orders")
        return [
            [lambda: orders.put("A", 2), lambda: orders.patch("A", {}), lambda: orders.delete("A"),
             lambda: client.commit(Transaction().put("orders", "A", 2)), lambda: client.fence("x"),
             lambda: client.ledger("orders").post(Entry("e", 1, {}, {"a": "1"}, {"a": "2"}))],
            [lambda: client.collection("new").declare(), lambda: orders.drop(), lambda: client.transfer(),
             lambda: client.drain(1), lambda: client.remove_member(1), lambda: client.promote_member(1)],
            [lambda: list(client.tokens()), lambda: client.make_token("x", "reader"), lambda: client.delete_token("abcdefgh")],
            [],
        ][height]

    def test_grants_limit_the_records(self):
        _, client = self.token("writer", collections=["orders", "wms-*"])
        client.collection("orders").put("A", 1)
        client.collection("wms-a").put("A", 1)
        client.commit(Transaction().put("wms-a", "B", 1).put("wms-b", "B", 1))
        self.admin.collection("secret").declare()
        self.admin.collection("secret").put("A", "for others")
        secret = client.collection("secret")
        for refused in (lambda: secret.get("A"), lambda: secret.put("A", 1), lambda: secret.page(), lambda: list(secret.history("A")),
                        lambda: next(iter(client.changes(collection="secret"))),
                        lambda: client.commit(Transaction().put("orders", "A", 2).put("secret", "A", 2)),
                        lambda: client.commit(Transaction().require("secret", "A", exists=True).put("orders", "A", 2))):
            with self.assertRaises((Forbidden, NotFound)):
                refused()
        self.assertEqual(1, self.admin.collection("orders").get("A").value)
        with self.assertRaises(Forbidden):  # a batch as a whole, before any of it runs
            client.batch([Transaction().put("orders", "C", 1), Transaction().put("secret", "C", 1)])
        self.assertIsNone(client.collection("orders").find("C"))
        seen = {change.collection for change in client.changes(until=client.cluster().revision)}
        self.assertLessEqual(seen, {"orders", "wms-a", "wms-b"})
        self.assertIn("wms-b", seen)
        self.assertNotIn("secret", {one["name"] for one in client.collections()})

    def test_a_token_that_is_taken_back_ends_everywhere(self):
        made, _ = self.token("reader")
        self.assertIn(made.id, {one.id for one in self.admin.tokens()})
        self.admin.delete_token(made.id)
        for node in self.cluster.ids:
            wait_until(lambda: self.plain(node, "/v1/cluster", Authorization=f"Bearer {made.secret}")[0] == 401, REVOKED_SECONDS,
                       f"node {node} refuses the token")
        self.assertNotIn(made.id, {one.id for one in self.admin.tokens()})

    def test_a_token_expires(self):
        when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
        made, client = self.token("reader", expires=when.strftime("%Y-%m-%dT%H:%M:%SZ"))
        client.cluster()

        def refused():
            try:
                client.cluster()
                return False
            except Unauthorized:
                return True
        wait_until(refused, 10, "the token expires")
        self.assertIn(made.id, {one.id for one in self.admin.tokens()})

    def test_secrets_are_kept_nowhere(self):
        made, _ = self.token("reader")
        stored = self.admin.collection("_tokens").get(made.id).value
        self.assertEqual("sha256:" + hashlib.sha256(made.secret.encode()).hexdigest(), stored["hash"])
        self.assertNotIn(made.secret, str(stored))
        for node in self.cluster.ids:
            with open(self.cluster.processes[node].log_path, encoding="utf-8", errors="replace") as file:
                log = file.read()
            self.assertNotIn(made.secret.rpartition("_")[2], log)
            self.assertNotIn(BOOTSTRAP, log)

    def test_administrative_calls_leave_a_trail(self):
        made, operator = self.token("operator")
        operator.collection("audited").declare()
        operator.collection("audited").drop()
        operator.transfer()
        with self.assertRaises(Forbidden):
            operator.make_token("x", "admin")
        self.admin.delete_token(made.id)
        trail = [record.value for record in self.admin.collection("_audit").list()]
        mine = [entry for entry in trail if made.name in str(entry["who"]) or made.id in str(entry["who"])]
        for words in (("audited",), ("transfer",)):
            self.assertTrue([entry for entry in mine if all(word in str(entry) for word in words)], (words, mine))
        for entry in trail:
            self.assertLessEqual({"who", "what", "target", "outcome", "from"}, set(entry))
            self.assertIn("127.0.0.1", entry["from"])
        self.assertTrue([entry for entry in trail if made.id in str(entry["target"])], trail)
        with self.assertRaises(Forbidden):
            self.admin.collection("_audit").put("x", 1)
        with self.assertRaises(mainstay.Refused):
            self.admin.collection("_audit").delete(next(iter(self.admin.collection("_audit").list())).key)


if __name__ == "__main__":
    unittest.main()
