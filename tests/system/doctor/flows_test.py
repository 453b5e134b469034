"""The integration hub in trouble on real daemons: what `mainstay doctor` and `mainstay flow status` say at any node, and that a node
stops in time although its adapters hang.

    python3 -m tests.system.doctor.flows_test --build DIR [-k name]
"""
import argparse
import json
import pathlib
import socket
import sys
import time
import unittest

from tests.system.lab import scratch
from tests.system.lab.client import Client
from tests.system.lab.cluster import Cluster
from tests.system.lab.process import free_ports, wait_until

OPTIONS = argparse.Namespace(build="build/check")
STOP_SECONDS_MAX = 5.0

MAPPINGS = {
    "in.json": {"mapping": "in", "version": 1, "records": [{"collection": "things", "key": "/id", "value": {"id": "/id"}}]},
    "out.json": {"mapping": "out", "version": 1,
                 "effects": [{"type": "thing", "key": {"$format": "thing/{/id}"}, "subject": "/id", "document": {"id": "/id"}}]},
}

# Its counterpart takes the connection and says nothing, for longer than anybody waits.
HANGS = """kind = "http"
heartbeat = "200ms"
[settings]
url = "http://127.0.0.1:{port}"
[[settings.poll]]
type = "thing"
path = "/things"
[source]
poll = "100ms"
types = {{thing = "in.json"}}
[effects]
call_timeout = "60s"
"""

# Nobody listens there.
REFUSED = """kind = "http"
heartbeat = "200ms"
[settings]
url = "http://127.0.0.1:{port}"
[[settings.out]]
type = "thing"
path = "/told/{{key}}"
lookup = "/told/{{key}}"
[effects]
breaker_failures = 2
breaker_pause = "300ms"
backoff_min = "20ms"
backoff_max = "100ms"
attempts_max = 100000
[[export]]
collection = "things"
mapping = "out.json"
"""

FILES = """kind = "file"
heartbeat = "200ms"
[settings]
directory = "{directory}"
arrival = "rename"
done_directory = "done"
[[settings.in]]
type = "thing"
pattern = "*.json"
format = "json"
[source]
poll = "50ms"
types = {{thing = "in.json"}}
"""


class FlowsTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(scratch.make("doctor-flows"))
        self.addCleanup(scratch.remove, self.directory)
        self.adapters = self.directory / "adapters"
        self.adapters.mkdir()
        for name, mapping in MAPPINGS.items():
            (self.adapters / name).write_text(json.dumps(mapping), encoding="utf-8")

    def define(self, name, text, **values):
        (self.adapters / f"{name}.toml").write_text(text.format(**values), encoding="utf-8")

    def start(self, nodes=3):
        self.cluster = Cluster(self.directory / "cluster", nodes=nodes, build=OPTIONS.build,
                               options={"http.connections_max": 500, "adapters.directory": str(self.adapters)})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        self.cluster.declare("things")
        self.client = Client(self.cluster.endpoints)
        self.addCleanup(self.client.close)

    def findings(self):
        """{(condition, subject): evidence}"""
        run = self.cluster.run_tool("doctor", "--json", "--interval", "100ms", check=False)
        self.assertIn(run.returncode, (0, 1), run.stderr)
        return {(each["condition"], each["subject"]): each["evidence"] for each in json.loads(run.stdout)["findings"]}

    def wait_finding(self, condition, adapter):
        return wait_until(lambda: self.findings().get((condition, f"adapter {adapter}")), 40, f"{condition} of {adapter}")

    def paths(self, node, adapter):
        answer = Client([self.cluster.endpoint(node)]).request("GET", f"/v1/adapters/{adapter}?level=local")
        return {path["path"]: path for path in answer.json()["paths"]} if answer.status == 200 else {}

    def silent_port(self):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        self.addCleanup(listener.close)
        return listener.getsockname()[1]

    def test_each_trouble_of_a_flow_is_named_and_nothing_else(self):
        files = self.directory / "files"
        (files / "in").mkdir(parents=True)
        self.define("files", FILES, directory=files)
        self.start()
        wait_until(lambda: self.paths(1, "files").get("source", {}).get("sent"), 20, "a heartbeat of the healthy adapter")
        wait_until(lambda: not self.findings(), 20, "nothing to find")

        (files / "in" / "bad.json").write_text("{no json", encoding="utf-8")
        self.assertIn("1 dead letters wait", self.wait_finding("dead-letters", "files"))
        letters = self.client.request("GET", "/v1/adapters/files/letters").json()["letters"]
        self.cluster.run_tool("flow", "discard", "files", letters[0]["letter"])
        self.cluster.run_tool("flow", "pause", "files")
        self.assertEqual("somebody paused it", self.wait_finding("adapter-paused", "files"))
        self.cluster.run_tool("flow", "resume", "files")
        wait_until(lambda: not self.findings(), 30, "nothing to find again")

    def test_breakers_and_heartbeats_show_at_every_node(self):
        self.define("refused", REFUSED, port=free_ports(1)[0])
        self.start()
        self.client.put("things", "A", {"id": "A"})
        self.assertIn("too many calls failed in a row", self.wait_finding("counterpart-left-alone", "refused"))
        for node in self.cluster.ids:
            wait_until(lambda at=node: "open" in [path.get("breaker") for path in self.paths(at, "refused").values()], 10,
                       f"the open breaker at node {node}")
        self.assertIn("open", self.cluster.run_tool("flow", "status"))
        # The lane without a thing to tell beats on, the other one waits for its counterpart.
        evidence = self.wait_finding("heartbeat-overdue", "refused")
        self.assertIn("lane-", evidence)
        self.assertFalse(self.paths(1, "refused")["export"]["overdue"])

    def test_an_adapter_whose_only_node_is_down(self):
        home = self.directory / "files"
        home.mkdir()
        self.cluster = Cluster(self.directory / "cluster", build=OPTIONS.build, options={"http.connections_max": 500})
        self.addCleanup(self.cluster.stop)
        self.cluster.prepare()
        self.define("files", FILES, directory=home)
        self.cluster.write_configuration(3, {"adapters.directory": str(self.adapters)})
        self.cluster.start()
        # Who leads places adapters, and only node 3 knows of this one.
        client = Client(self.cluster.endpoints)
        self.addCleanup(client.close)
        wait_until(lambda: client.request("POST", "/v1/cluster/transfer", '{"to":3}') and self.cluster.leader() == 3, 20, "node 3 leads")
        wait_until(lambda: self.paths(1, "files"), 20, "the adapter at node 3")
        self.cluster.kill(3)
        self.assertIn("node 3, which is down", self.wait_finding("adapter-without-node", "files"))

    def test_a_worker_that_hangs_shows_and_does_not_hold_its_node_up(self):
        self.define("hangs", HANGS, port=self.silent_port())
        self.start()
        evidence = self.wait_finding("heartbeat-overdue", "hangs")
        self.assertRegex(evidence, r"source: the newest heartbeat that came through is \d+ s old")
        node = wait_until(lambda: json.loads(self.cluster.run_tool("flow", "status", "hangs", "--json"))["node"], 10, "its node")
        log = self.cluster.node_directory(node) / "mainstayd.log"
        began = time.monotonic()
        self.assertEqual(0, self.cluster.terminate(node, seconds=20))
        self.assertLess(time.monotonic() - began, STOP_SECONDS_MAX)
        self.assertIn("'hangs' is still in a call to its counterpart", log.read_text(encoding="utf-8"))
        # Another node takes it over meanwhile.
        other = wait_until(lambda: (found := self.adapter("hangs")["node"]) != node and found, 15, "another node")
        self.assertIn(other, self.cluster.ids)

    def adapter(self, name):
        return self.client.request("GET", f"/v1/adapters/{name}").json()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=OPTIONS.build)
    known, rest = parser.parse_known_args()
    OPTIONS.build = known.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
