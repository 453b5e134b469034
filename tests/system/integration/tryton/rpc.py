"""What a person at the ERP does: its JSON-RPC, for tests."""
import base64
import json
import urllib.request

from tests.system.integration.tryton.server import HUB_PASSWORD


class Person:
    def __init__(self, url):
        self.url, self.header, self.context = url, None, {}
        user, key = self.call("common.db.login", "hub", {"password": HUB_PASSWORD}, "en")
        self.header = "Session " + base64.b64encode(f"hub:{user}:{key}".encode()).decode()
        self.context = self.call("model.res.user.get_preferences", True, {})

    def call(self, method, *params):
        headers = {"Content-Type": "application/json", **({"Authorization": self.header} if self.header else {})}
        body = json.dumps({"id": 1, "method": method, "params": params}).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url, body, headers), timeout=60) as reply:
            answer = json.load(reply)
        if answer.get("error"):
            raise RuntimeError(answer["error"])
        return answer["result"]

    def model(self, model, method, *params):
        return self.call(f"model.{model}.{method}", *params, self.context)

    def find(self, model, *clauses):
        found, = self.model(model, "search", [list(clause) for clause in clauses])
        return found
