"""Three real daemons, a writer at each, and what can happen to a node: kill -9, SIGSTOP, SIGTERM, all of them at once, a lost disk,
a state that differs. No acknowledged write is lost, none is doubled, no client sees an error; every gap without acknowledgements is
printed.

    python3 -m tests.system.faults.faults_test --build DIR --forge PROGRAM --simulator PROGRAM [-k name]
"""
import argparse
import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import unittest

from tests.system.lab import scratch
from tests.system.lab.client import Client
from tests.system.lab.cluster import Cluster
from tests.system.lab.damage import damage
from tests.system.lab.process import free_ports, wait_until
from tests.system.lab.writers import Writer, verify

OPTIONS = argparse.Namespace(build="build", forge="", simulator="")
GAP_MAX = 5.0  # seconds; a bound for a loaded test machine, not the promise
EXIT_START_OVER = 75


class ClusterTest(unittest.TestCase):
    """A fresh cluster a test; `check()` compares every node with what the writers were told."""

    options = {}

    def setUp(self):
        self.directory = scratch.make("faults")
        self.cluster = Cluster(self.directory, build=OPTIONS.build, options=self.options)
        self.writers = []
        self.cluster.start()
        self.cluster.declare("orders")
        self.cluster.declare("reads")

    def tearDown(self):
        for writer in self.writers:
            writer.stop()
        self.cluster.stop()
        result = self._outcome.result
        failed = any(test is self for test, _ in result.failures + result.errors)
        if failed:
            for node in self.cluster.ids:
                print(f"--- node {node}\n{self.cluster.processes[node].log_tail()}", file=sys.stderr)
        scratch.remove(self.directory)

    def start_writers(self):
        ids = self.cluster.ids
        for i, node in enumerate(ids):
            writer = Writer(f"writer{node}", [self.cluster.endpoint(other) for other in ids[i:] + ids[:i]], pause=0.001)
            writer.client.timeout = 1.0  # a frozen node is given up after this, the next one asked
            self.writers.append(writer)
            writer.start()
        self.progress()

    def acknowledged(self):
        return sum(len(writer.acknowledged) for writer in self.writers)

    def progress(self, writes=100, seconds=30):
        """Waits until every writer was told `writes` more times that its write is done."""
        goals = [(writer, len(writer.acknowledged) + writes) for writer in self.writers]
        wait_until(lambda: all(len(writer.acknowledged) >= goal for writer, goal in goals), seconds,
                   f"{writes} more writes of each writer")

    def gaps(self, what, began, writers=None):
        ended = time.monotonic()
        for writer in writers or self.writers:
            gap = writer.longest_gap(began - 0.2, ended)
            print(f"    {what}: {writer.name} waited {gap * 1000:.0f} ms at most", flush=True)
            self.assertLess(gap, GAP_MAX)

    def restart(self, node):
        self.cluster.start_node(node)
        self.cluster.wait_ready()

    def others(self, node):
        return [other for other in self.cluster.ids if other != node]

    def check(self, quarantine=False):
        """`quarantine`: a node found that it differs. In the moment before it ends, it may tell its clients to ask another one."""
        def shown(answers):
            return [one for one in answers if not (quarantine and "differs from the majority" in str(one))]

        for writer in self.writers:
            writer.stop()
            self.assertEqual(shown(writer.unexpected), [], writer.name)
            self.assertEqual(shown(writer.client.errors), [], writer.name)
        for node in self.cluster.ids:
            found = Client([self.cluster.endpoint(node)]).list_all("orders")
            lost, doubled, foreign = verify(self.writers, found)
            self.assertEqual((lost, doubled, foreign), ([], [], []), f"node {node}")
        print(f"    {self.acknowledged()} writes acknowledged, each there once on every node", flush=True)

    def agreed(self, seconds=20):
        """Every node is a voter, has applied the same and compared its state with the others'."""
        def same():
            views = [self.cluster.view(node) for node in self.cluster.ids]
            if not all(views):
                return False
            voters = all(member["role"] == "voter" for view in views for member in view["members"])
            checked = {view["checked_index"] for view in views}
            return voters and len(checked) == 1 and all(view["hashes_agree"] for view in views) \
                and all(view["applied"] >= view["checked_index"] > 0 for view in views)
        wait_until(same, seconds, "all nodes voters with equal state")


class FaultTest(ClusterTest):
    def test_killed_leaders(self):
        self.start_writers()
        for _ in range(3):
            victim = self.cluster.leader()
            began = time.monotonic()
            self.cluster.kill(victim)
            self.progress()
            self.gaps(f"kill -9 of leader {victim}", began)
            self.restart(victim)
            self.progress(20)
        self.check()
        self.agreed()

    def test_a_killed_follower_is_not_missed(self):
        self.start_writers()
        victim = self.others(self.cluster.leader())[0]
        began = time.monotonic()
        self.cluster.kill(victim)
        self.progress()
        self.gaps(f"kill -9 of follower {victim}", began)
        self.restart(victim)
        self.check()

    def test_a_frozen_leader_is_replaced_and_comes_back(self):
        self.start_writers()
        victim = self.cluster.leader()
        elsewhere = [writer for writer in self.writers if writer.name != f"writer{victim}"]
        began = time.monotonic()
        self.cluster.hang(victim)
        wait_until(lambda: any((view := self.cluster.view(node)) and view["role"] == "leader" for node in self.others(victim)),
                   20, "another leader")
        self.progress()
        self.gaps(f"SIGSTOP of leader {victim}", began, elsewhere)
        self.cluster.resume(victim)
        wait_until(lambda: self.cluster.ready(victim), 20, f"node {victim} ready again")
        self.progress(20)
        self.check()
        self.agreed()

    def test_a_drained_leader_hands_over_and_exits_cleanly(self):
        self.start_writers()
        for _ in range(2):
            victim = self.cluster.leader()
            began = time.monotonic()
            self.assertEqual(self.cluster.terminate(victim), 0)
            took = time.monotonic() - began
            self.progress()
            self.gaps(f"SIGTERM of leader {victim} (gone after {took:.1f} s)", began)
            self.restart(victim)
        self.check()

    def test_all_nodes_killed_at_once(self):
        self.start_writers()
        self.progress()
        began = time.monotonic()
        for node in self.cluster.ids:
            self.cluster.kill(node)
        for node in self.cluster.ids:
            self.cluster.start_node(node)
        self.cluster.wait_ready()
        self.progress()
        self.gaps("kill -9 of all nodes", began)
        self.check()
        self.agreed()

    def test_a_lost_disk_comes_back_as_a_new_member(self):
        self.start_writers()
        victim = self.cluster.leader()
        before = self.cluster.view(victim)["incarnation"]
        began = time.monotonic()
        self.cluster.kill(victim)
        shutil.rmtree(self.cluster.node_directory(victim) / "data")
        self.restart(victim)
        self.progress()
        self.gaps(f"leader {victim} lost its disk", began)
        self.check()
        self.agreed()
        self.assertNotEqual(self.cluster.view(victim)["incarnation"], before)

    def test_a_read_anywhere_shows_what_was_acknowledged_anywhere(self):
        clients = [Client([endpoint]) for endpoint in self.cluster.endpoints]
        for number in range(300):
            key, writer, reader = f"r-{number % 7}", clients[number % 3], clients[(number + 1 + number // 3) % 3]
            self.assertIn(writer.put("reads", key, number).status, (200, 201))
            self.assertEqual(reader.get("reads", key).json(), number)

    def test_leadership_moves_on_request(self):
        self.start_writers()
        for target in self.others(self.cluster.leader()):
            began = time.monotonic()
            self.cluster.run_tool("transfer", "--to", str(target))
            wait_until(lambda: self.cluster.leader() == target, 10, f"node {target} leads")
            self.progress()
            self.gaps(f"transfer to node {target}", began)
        self.check()

    def test_a_member_leaves_and_comes_back(self):
        self.start_writers()
        victim = self.others(self.cluster.leader())[0]
        peer = next(member for member in self.cluster.view(victim)["members"] if member["id"] == victim)
        began = time.monotonic()
        client = Client([self.cluster.endpoint(self.cluster.leader())])
        self.assertEqual(client.request("DELETE", f"/v1/cluster/members/{victim}").status, 200)
        wait_until(lambda: len(client.cluster()["members"]) == 2, 5, "two members")
        self.progress(20)
        body = json.dumps({"id": victim, **{name: peer[name] for name in ("peer_address", "api_address", "incarnation")}})
        answer = client.request("POST", "/v1/cluster/members", body)
        self.assertEqual(answer.status, 200, answer.body)
        self.progress()
        self.gaps(f"node {victim} removed and added", began, [writer for writer in self.writers if writer.name != f"writer{victim}"])
        self.agreed()
        self.check()

    def test_a_stranger_is_refused_and_counted(self):
        for node in self.cluster.ids:
            with socket.create_connection(("127.0.0.1", self.cluster._peer[node]), timeout=5) as stranger:
                stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
                stranger.settimeout(5)
                try:
                    self.assertNotIn(b"200", stranger.recv(1000))
                except ConnectionResetError:
                    pass
            client = Client([self.cluster.endpoint(node)])
            wait_until(lambda: 'mainstay_links_refused_total{reason="handshake"} 1' in client.request("GET", "/metrics").body.decode(),
                       10, "the refusal in the metrics")
            self.assertEqual(client.put("orders", "after", node).status, 201 if node == 1 else 200)

    def test_a_dump_of_a_running_node_replays_in_the_simulator(self):
        self.start_writers()
        node = self.cluster.leader()
        dump = self.cluster.node_directory(node) / "data" / "inputs.dump"
        self.cluster.processes[node].signal(signal.SIGUSR1)
        wait_until(dump.exists, 10, "the dump")
        run = subprocess.run([OPTIONS.simulator, "--replay-dump", dump], capture_output=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stdout[-2000:] + run.stderr[-2000:])
        self.assertIn(b"append_reply", run.stdout)
        self.check()

    def test_a_crash_leaves_a_dump_that_replays_in_the_simulator(self):
        self.start_writers()
        node = self.cluster.leader()
        process = self.cluster.processes[node]
        process.signal(signal.SIGABRT)
        self.assertEqual(process.popen.wait(10), -signal.SIGABRT)
        dump = self.cluster.node_directory(node) / "data" / "input-ring.dump"
        run = subprocess.run([OPTIONS.simulator, "--replay-dump", dump], capture_output=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stdout[-2000:] + run.stderr[-2000:])
        self.assertIn(b"append_reply", run.stdout)
        self.progress()
        self.restart(node)
        self.check()

    def test_each_node_tells_what_it_knows_of_the_others(self):
        wanted = {"gateway", "peer_link", "log_writer", "applier", "copier", "replica"}

        def told(node):  # what is gathered about once a second
            view = self.cluster.view(node)
            others = [member for member in view["members"] if member["id"] != node]
            linked = all(member["release"] == view["release"] and member["protocol"] > 0 for member in others)
            running = {actor["name"] for actor in view["actors"] if actor["state"] == "running"}
            return view if linked and wanted <= running else None
        for node in self.cluster.ids:
            view = wait_until(lambda: told(node), 10, f"release and protocol of every link of node {node}, and its actors")
            self.assertEqual(len(view["members"]), 3)
            for member in view["members"]:
                self.assertLess(abs(member["clock_offset_ms"]), 1000, "the same clock")
            self.assertGreater(view["disk_total_bytes"], view["disk_free_bytes"])
            self.assertGreater(view["log_bytes"], 0)
            self.assertGreater(view["peer_certificate_expires"], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
            self.assertIsNone(view["api_certificate_expires"], "plain HTTP")

    def test_the_metrics_pass_promtool(self):
        if shutil.which("promtool") is None:
            self.skipTest("promtool is not installed")
        for endpoint in self.cluster.endpoints:
            text = Client([endpoint]).request("GET", "/metrics").body
            run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=30)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


class SnapshotTest(ClusterTest):
    options = {"storage.snapshot_entries": 200}

    def installed(self, node):
        text = Client([self.cluster.endpoint(node)]).request("GET", "/metrics").body.decode()
        return "mainstay_snapshots_installed_total 1" in text

    def test_a_node_far_behind_is_fed_a_snapshot(self):
        self.start_writers()
        victim = self.others(self.cluster.leader())[0]
        self.cluster.kill(victim)
        self.progress(600)
        # Leaders keep recent entries in memory; a restarted one has only what its log still holds.
        for node in self.others(victim):
            self.cluster.kill(node)
            self.cluster.start_node(node)
            wait_until(lambda: self.cluster.ready(node), 30, f"node {node} ready")
        shutil.rmtree(self.cluster.node_directory(victim) / "data")
        self.restart(victim)
        wait_until(lambda: self.installed(victim), 30, "a snapshot installed")
        self.progress(20)
        self.agreed()
        self.check()


class IntegrityTest(ClusterTest):
    def test_a_node_that_differs_takes_itself_out_and_heals(self):
        self.start_writers()
        victim = self.others(self.cluster.leader())[0]
        before = self.cluster.view(victim)["incarnation"]
        self.cluster.terminate(victim)
        subprocess.run([OPTIONS.forge, self.cluster.node_directory(victim) / "data"], check=True, timeout=30)
        began = time.monotonic()
        self.cluster.start_node(victim)
        code = self.cluster.processes[victim].popen.wait(30)
        self.assertEqual(code, EXIT_START_OVER)
        print(f"    node {victim} found that it differs and ended {time.monotonic() - began:.1f} s after its start", flush=True)
        self.restart(victim)  # what a service manager does
        self.progress(20)
        self.agreed()
        self.assertNotEqual(self.cluster.view(victim)["incarnation"], before)
        evidence = list((self.cluster.node_directory(victim) / "data" / "evidence").iterdir())
        self.assertNotEqual(evidence, [])
        self.check(quarantine=True)


class ScrubTest(ClusterTest):
    options = {"storage.scrub_every": "1s"}

    def test_a_node_whose_records_rot_takes_itself_out_and_heals(self):
        self.start_writers()
        client = Client(self.cluster.endpoints)
        self.addCleanup(client.close)
        self.assertEqual(201, client.put("orders", "rots-0", "a value that rots").status)
        victim = self.others(self.cluster.leader())[0]
        wait_until(lambda: client.request("GET", "/v1/collections/orders/records/rots-0").status == 200, 10, "the record")
        file = self.cluster.node_directory(victim) / "data" / "records" / "data.mdb"
        wait_until(lambda: damage(file, b"a value that rots"), 10, "the value in the file")
        self.assertEqual(self.cluster.processes[victim].popen.wait(30), EXIT_START_OVER)
        self.restart(victim)  # what a service manager does
        self.progress(20)
        self.agreed()
        found = self.cluster.run_tool("get", "orders", "rots-0", "--endpoint", self.cluster.endpoint(victim))
        self.assertIn("a value that rots", found)
        client.request("DELETE", "/v1/collections/orders/records/rots-0")  # no writer's
        self.check(quarantine=True)


class DaemonTest(unittest.TestCase):
    """What the daemon itself adds: TLS for clients, the port for load balancers, signals."""

    def setUp(self):
        self.directory = scratch.make("daemon")
        self.addCleanup(scratch.remove, self.directory)
        self.agent = free_ports(1)[0]
        self.cluster = Cluster(self.directory, nodes=1, build=OPTIONS.build)
        home = self.cluster.node_directory(1)
        self.certificate, self.key = home / "api.pem", home / "api.key"
        self.cluster.options.update({"api.agent_listen": f"127.0.0.1:{self.agent}", "api.tls_certificate": str(self.certificate),
                                     "api.tls_key": str(self.key)})
        self.cluster.prepare()
        self.use_certificate(self.cluster.directory / "certs")
        self.addCleanup(self.cluster.stop)
        self.cluster.start_node(1)
        wait_until(lambda: self.agent_says().startswith("ready up "), 30, "the node to be ready for a load balancer")

    def use_certificate(self, made_in):
        shutil.copy(made_in / "node-1.key", self.key)
        shutil.copy(made_in / "node-1.pem", self.certificate)

    def agent_says(self):
        try:
            with socket.create_connection(("127.0.0.1", self.agent), timeout=5) as connection:
                return connection.makefile().read()
        except OSError:
            return ""

    def ask(self, path, authority):
        context = ssl.create_default_context(cafile=authority / "ca.pem")
        host, port = self.cluster.endpoint(1).split(":")
        connection = http.client.HTTPSConnection(host, int(port), timeout=5, context=context)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except ssl.SSLError:
            return None
        finally:
            connection.close()

    def test_certificates_change_while_it_runs_and_a_drain_is_told(self):
        first, second = self.cluster.directory / "certs", self.cluster.directory / "renewed"
        self.assertEqual(self.ask("/readyz", first), 200)
        for words in (("init-ca",), ("node", 1, "--host", "127.0.0.1")):
            self.cluster.run_tool("certs", *words, "--directory", second, "--cluster", "lab")
        self.assertIsNone(self.ask("/readyz", second))
        self.use_certificate(second)
        self.cluster.processes[1].signal(signal.SIGHUP)
        wait_until(lambda: self.ask("/readyz", second) == 200, 10, "the new certificate")
        self.assertTrue(self.cluster.processes[1].running())
        self.cluster.processes[1].signal(signal.SIGTERM)
        wait_until(lambda: self.agent_says() in ("drain\n", ""), 10, "the load balancer to be told")
        self.assertEqual(self.cluster.processes[1].popen.wait(30), 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", default="build")
    parser.add_argument("--forge", default="")
    parser.add_argument("--simulator", default="")
    parsed, rest = parser.parse_known_args()
    OPTIONS.build, OPTIONS.forge, OPTIONS.simulator = parsed.build, parsed.forge, parsed.simulator
    unittest.main(argv=sys.argv[:1] + rest, verbosity=2, warnings="ignore")
