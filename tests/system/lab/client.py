"""A small HTTP client for tests and the demonstration: one kept connection a node; a broken one moves to the next node."""
import http.client
import json
import time


class Answer:
    """Status, headers and body of one answer, and through which node it came."""

    def __init__(self, status, headers, body, endpoint):
        self.status, self.headers, self.body, self.endpoint = status, headers, body, endpoint

    def json(self):
        return json.loads(self.body)


class Client:
    """Talks to `endpoints` in order of preference. A request that was sent and not answered is repeated at the next node under the same
    operation id, which the cluster runs at most once. `errors` keeps every answer of the 5xx kind: an error that a user would have seen;
    `broken` counts connections lost, which a killed node cannot avoid."""

    def __init__(self, endpoints, timeout=10.0):
        self.endpoints = list(endpoints)
        self.timeout = timeout
        self.errors = []
        self.broken = 0
        self._at = 0
        self._connection = None

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def request(self, method, path, body=None, headers=None, deadline=20.0):
        """The answer, within `deadline` seconds; TimeoutError if no node answered."""
        until = time.monotonic() + deadline
        while time.monotonic() < until:
            try:
                return self._once(method, path, body, dict(headers or {}))
            except (OSError, http.client.HTTPException):
                self.broken += 1
                self.close()
                self._at = (self._at + 1) % len(self.endpoints)
                if self._at == 0:
                    time.sleep(0.01)  # every node refused: do not spin
        raise TimeoutError(f"{method} {path}: no node of {self.endpoints} answered within {deadline} s")

    def _once(self, method, path, body, headers):
        endpoint = self.endpoints[self._at]
        if self._connection is None:
            host, port = endpoint.rsplit(":", 1)
            self._connection = http.client.HTTPConnection(host, int(port), timeout=self.timeout)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        answer = Answer(response.status, response.headers, response.read(), endpoint)
        if answer.status >= 500:
            self.errors.append((method, path, answer.status, answer.body[:300]))
        return answer

    # --- records ---

    def put(self, collection, key, value, operation=None, **headers):
        wanted = {name.replace("_", "-"): text for name, text in headers.items()}
        if operation is not None:
            wanted["Idempotency-Key"] = operation
        return self.request("PUT", f"/v1/collections/{collection}/records/{key}", json.dumps(value), wanted)

    def get(self, collection, key, level=None):
        query = f"?level={level}" if level else ""
        return self.request("GET", f"/v1/collections/{collection}/records/{key}{query}")

    def list_all(self, collection, prefix=""):
        """Every record of a collection, page by page: {key: record}."""
        found, after = {}, ""
        while True:
            page = self.request("GET", f"/v1/collections/{collection}/records?prefix={prefix}&limit=1000&after={after}").json()
            for record in page["records"]:
                found[record["key"]] = record
            after = page.get("next")
            if not after:
                return found

    def cluster(self):
        return self.request("GET", "/v1/cluster").json()
