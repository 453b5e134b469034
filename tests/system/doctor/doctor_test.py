"""Real daemons in trouble, and what `mainstay doctor` says about each; silent while nothing is wrong. And `mainstay debug bundle`
beside running and dead nodes.

    python3 -m tests.system.doctor.doctor_test --build DIR [-k name]
"""
import argparse
import json
import pathlib
import socket
import subprocess
import sys
import time
import unittest

from tests.system.lab import scratch
from tests.system.lab.client import Client
from tests.system.lab.cluster import Cluster
from tests.system.lab.damage import damage
from tests.system.lab.process import can_trace, wait_until

OPTIONS = argparse.Namespace(build="build")
BUNDLE_SECONDS_MAX = 10.0


class DoctorCase(unittest.TestCase):
    """A fresh cluster of three a test."""

    environment = None  # of lab daemons

    def setUp(self):
        self.directory = scratch.make("doctor")
        self.others = []
        # Fewer clients than files may be open anywhere.
        self.cluster = Cluster(f"{self.directory}/cluster", build=OPTIONS.build,
                               options={"auth.enabled": False, "http.connections_max": 500}, environment=self.environment)
        self.cluster.start()

    def tearDown(self):
        for cluster in [self.cluster, *self.others]:
            cluster.stop()
        scratch.remove(self.directory)

    def configuration(self, node):
        return str(self.cluster.node_directory(node) / "mainstayd.toml")

    def run_doctor(self, *words):
        run = self.cluster.run_tool("doctor", "--json", "--interval", "1s", *words, check=False)
        self.assertIn(run.returncode, (0, 1), run.stderr)
        return json.loads(run.stdout), run.returncode

    def conditions(self, *words):
        """{condition: first evidence} of the findings."""
        found = {}
        document, code = self.run_doctor(*words)
        for finding in document["findings"]:
            self.assertTrue(finding["mend"] and finding["risk"] and finding["subject"], finding)
            found.setdefault(finding["condition"], finding["evidence"])
        worst = {finding["severity"] for finding in document["findings"]} - {"note"}
        self.assertEqual(code, 1 if worst else 0, document)
        return found

    def healthy(self):
        document, code = self.run_doctor()
        return code == 0 and not document["findings"]

    def wait_healthy(self):
        wait_until(self.healthy, 30, "a healthy cluster")

    def expect(self, expected, *words):
        found = self.conditions(*words)
        self.assertEqual(set(expected), set(found), found)
        return found


class DoctorTest(DoctorCase):
    def test_silent_about_a_healthy_cluster(self):
        self.wait_healthy()
        words = [word for node in self.cluster.ids for word in ("--config", self.configuration(node))]
        run = self.cluster.run_tool("doctor", *words, check=False)
        self.assertEqual((run.stdout, run.stderr, run.returncode), ("", "", 0))

    def test_nodes_that_are_down(self):
        self.wait_healthy()
        self.cluster.kill(3)
        wait_until(lambda: self.conditions(), 20, "a finding")
        found = self.expect(["one-failure-from-no-quorum", "unreachable-node", "not-running"], "--config", self.configuration(3))
        self.assertIn("2 of 3 voters are up", found["one-failure-from-no-quorum"])
        self.cluster.kill(2)
        wait_until(lambda: self.cluster.view(1)["leader"] is None, 10, "no leader")
        found = self.conditions()
        self.assertEqual({"no-quorum", "unreachable-node"}, set(found) - {"leader-flapping", "not-ready"}, found)
        self.cluster.kill(1)
        self.expect(["nobody-answers"])

    def test_a_node_that_hangs(self):
        self.wait_healthy()
        self.cluster.hang(2)
        wanted = {"one-failure-from-no-quorum", "unreachable-node", "directory-locked"}
        wait_until(lambda: wanted <= set(self.conditions("--config", self.configuration(2))), 30, wanted)
        found = self.conditions("--config", self.configuration(2))
        self.assertIn("(mainstayd)", found["directory-locked"])
        self.cluster.resume(2)

    def test_a_drain_that_nobody_ended_and_a_learner_that_never_comes(self):
        self.wait_healthy()
        self.cluster.run_tool("drain", 2)
        wait_until(lambda: set(self.conditions()) == {"forgotten-drain"}, 30, "the drain alone")
        self.cluster.terminate(2)
        self.cluster.start_node(2)
        self.cluster.wait_ready()
        self.wait_healthy()
        self.cluster.run_tool("member", "add", 4, "127.0.0.1:9", "127.0.0.1:9", "--incarnation", 7)
        found = self.expect(["learner-stuck", "unreachable-node"])
        self.assertIn("the leader has no link to 127.0.0.1:9", found["learner-stuck"])
        self.cluster.run_tool("member", "remove", 4)
        self.wait_healthy()

    def test_a_disk_below_its_reserve(self):
        self.wait_healthy()
        self.cluster.terminate(3)
        self.cluster.write_configuration(3, {"storage.free_min": "10000TiB"})
        self.cluster.start_node(3)
        wait_until(lambda: (self.cluster.view(3) or {}).get("disk_low"), 20, "a low disk")
        wait_until(lambda: set(self.conditions()) == {"disk-low"}, 20, "disk-low alone")

    def test_two_clusters_mixed_up(self):
        self.wait_healthy()
        other = Cluster(f"{self.directory}/other", nodes=1, build=OPTIONS.build, options={"auth.enabled": False})
        self.others.append(other)
        other.start()
        endpoints = [word for endpoint in [*self.cluster.endpoints, *other.endpoints] for word in ("--endpoint", endpoint)]
        found = self.conditions(*endpoints)
        self.assertIn("wrong-cluster", found)
        self.assertIn("it belongs to cluster", found["wrong-cluster"])

    def test_hosts_whose_node_cannot_start(self):
        self.wait_healthy()
        self.assertEqual(0, self.cluster.terminate(3))
        file = pathlib.Path(self.configuration(3))
        text = file.read_text(encoding="utf-8")
        data = self.cluster.node_directory(3) / "data"

        def with_text(old, new):
            self.assertIn(old, text)
            file.write_text(text.replace(old, new), encoding="utf-8")
            return self.conditions("--offline", "--config", file)

        self.assertEqual({"not-running"}, set(with_text("[node]", "[node]")))
        host, port = self.cluster.endpoint(3).split(":")
        with socket.socket() as taker:
            taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taker.bind((host, int(port)))
            taker.listen()
            found = with_text("[node]", "[node]")
            self.assertIn("by pid", found["port-taken"])
        self.assertIn("api.listen", with_text("[api]\nlisten", "[api]\nlisen")["configuration-wrong"])
        self.assertIn("file-missing", with_text("node-3.key", "node-9.key"))
        self.assertIn("certificate-mismatch", with_text("certs/node-3", "certs/node-2"))
        self.assertIn("directory-of-another-node", with_text("node3/data", "node2/data"))
        file.write_text(text, encoding="utf-8")
        with open(data / "records" / "data.mdb", "r+b") as records:
            records.truncate(1000)
        self.assertIn("directory-damaged", self.conditions("--offline", "--config", file))

    def test_certificates_are_rotated_while_nodes_run(self):
        self.wait_healthy()
        certificates = self.cluster.directory / "certs"

        def rotate(days):
            for node in self.cluster.ids:
                self.cluster.run_tool("certs", "rotate", node, "--directory", certificates, "--days", days)

        processes = {node: process.pid for node, process in self.cluster.processes.items()}
        rotate(5)
        wait_until(lambda: "certificate-expiring" in self.conditions(), 30, "certificates that end soon")
        rotate(300)
        self.wait_healthy()
        self.assertEqual(processes, {node: process.pid for node, process in self.cluster.processes.items()})

    def bundle(self, name, *words):
        file = pathlib.Path(self.directory) / name
        began = time.monotonic()
        self.cluster.run_tool("debug", "bundle", "--output", file, *words)
        self.assertLess(time.monotonic() - began, BUNDLE_SECONDS_MAX)
        home = pathlib.Path(self.directory) / f"{name}.d"
        home.mkdir()
        subprocess.run(["tar", "--zstd", "-xf", str(file), "-C", str(home)], check=True)
        return {str(path.relative_to(home / "mainstay-debug")): path for path in home.rglob("*") if path.is_file()}

    def test_bundles_beside_running_and_dead_nodes(self):
        self.wait_healthy()
        self.cluster.run_tool("collection", "declare", "orders")
        self.cluster.run_tool("put", "orders", "A-1", '"a secret record"')
        files = self.bundle("running.tar.zst", "--config", self.configuration(1))
        for name in ("nodes/node-1/cluster.json", "nodes/node-3/metrics.txt", "data/inputs.dump", "data/state.txt", "doctor.txt"):
            self.assertIn(name, files)
        for process in self.cluster.processes.values():
            process.kill()
        dead = self.bundle("dead.tar.zst", "--config", self.configuration(1))
        self.assertIn("data/identity.json", dead)
        self.assertIn("nobody-answers", dead["doctor.txt"].read_text(encoding="utf-8"))
        for path in [*files.values(), *dead.values()]:
            content = path.read_bytes()
            self.assertNotIn(b"a secret record", content, path)
            self.assertNotIn(b"BEGIN EC PRIVATE KEY-----\nM", content, path)

    def test_a_disk_that_flushes_slowly(self):
        if not can_trace():
            self.skipTest("strace may not trace here")
        self.wait_healthy()
        self.cluster.terminate(3)
        self.cluster.slow_flushes[3] = 150
        self.cluster.start_node(3)
        self.cluster.wait_ready()
        self.cluster.declare("orders")
        client = Client(self.cluster.endpoints)
        self.addCleanup(client.close)

        def found():
            for number in range(5):
                client.put("orders", "a", number)
            return self.conditions().get("slow-disk")
        self.assertRegex(wait_until(found, 30, "slow-disk"), "a durable write takes 1[5-9][0-9] ms in the mean")
        document, _ = self.run_doctor()
        slow = [finding["subject"] for finding in document["findings"] if finding["condition"] == "slow-disk"]
        self.assertEqual(["node 3"], slow)

    def test_damage_that_a_scrub_finds(self):
        """On a node alone: with others it takes itself out at once (tests/system/faults)."""
        alone = Cluster(f"{self.directory}/alone", nodes=1, build=OPTIONS.build,
                        options={"auth.enabled": False, "http.connections_max": 500, "storage.scrub_every": "1s"})
        self.others.append(alone)
        alone.start()
        alone.declare("orders")
        client = Client(alone.endpoints)
        self.addCleanup(client.close)
        self.assertEqual(201, client.put("orders", "a", "a value that rots").status)
        endpoint = ("--endpoint", alone.endpoint(1))
        wait_until(lambda: {"single-voter"} == set(self.conditions(*endpoint)), 20, "nothing but a single voter")
        self.assertGreater(damage(alone.node_directory(1) / "data" / "records" / "data.mdb", b"a value that rots"), 0)
        wait_until(lambda: "scrub-damage" in self.conditions(*endpoint), 30, "the damage")


class SurroundingsTest(DoctorCase):
    """Hosts that differ: lab daemons."""

    environment = {}

    def test_a_clock_that_is_ahead_and_a_release_that_is_older(self):
        self.wait_healthy()
        follower = next(node for node in self.cluster.ids if node != self.cluster.leader())
        self.cluster.terminate(follower)
        self.cluster.node_environment[follower] = {"LAB_CLOCK_AHEAD_MS": "3000", "LAB_RELEASE": "0.4.9"}
        self.cluster.start_node(follower)
        self.cluster.wait_ready()
        wait_until(lambda: {"clock-skew", "version-mix"} == set(self.conditions()), 30, "clock and release")
        found = self.conditions()
        self.assertRegex(found["clock-skew"], r"its clock is (29|30)\d\d ms (ahead of|behind) that of node \d")
        self.assertIn(f"nodes {follower} run 0.4.9", found["version-mix"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    known, rest = parser.parse_known_args()
    OPTIONS.build = known.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
