"""HAProxy in front of three real nodes, with config/examples/haproxy.cfg: what the nodes tell it about themselves decides where requests
go, and nobody notices when a node is taken out and started again.

    python3 -m tests.system.balancer.balancer_test --build DIR [-k name]
"""
import argparse
import csv
import pathlib
import shutil
import socket
import sys
import unittest

from tests.system.lab import scratch
from tests.system.lab.client import Client
from tests.system.lab.cluster import Cluster
from tests.system.lab.process import Process, can_trace, free_ports, wait_until
from tests.system.lab.writers import Writer, verify

OPTIONS = argparse.Namespace(build="build/check")
EXAMPLE = pathlib.Path("config/examples/haproxy.cfg")


class BalancerTest(unittest.TestCase):
    def setUp(self):
        if shutil.which("haproxy") is None:
            self.skipTest("haproxy is neither installed nor in build/tools (./check unpacks it)")
        self.directory = scratch.make("balancer")
        self.addCleanup(scratch.remove, self.directory)
        self.cluster = Cluster(f"{self.directory}/cluster", build=OPTIONS.build)
        self.addCleanup(self.cluster.stop)
        self.cluster.prepare()
        self.port, *agents = free_ports(1 + len(self.cluster.ids))
        self.agents = dict(zip(self.cluster.ids, agents))
        for node, agent in self.agents.items():
            self.cluster.write_configuration(node, {"api.agent_listen": f"127.0.0.1:{agent}"})
        self.cluster.start()
        self.cluster.declare("orders")
        self.start_balancer()
        self.writers = []
        self.addCleanup(self.stop_writers)

    # --- the balancer ---

    def start_balancer(self):
        """The example, with the addresses of this cluster."""
        text = EXAMPLE.read_text(encoding="utf-8")
        self.statistics = f"{self.directory}/haproxy.sock"

        def replace(old, new):
            nonlocal text
            self.assertEqual(1, text.count(old), f"{old} in {EXAMPLE}")
            text = text.replace(old, new)
        replace("    maxconn 8000\n", f"    maxconn 8000\n    stats socket {self.statistics}\n")
        replace("bind :7480\n    #", f"bind 127.0.0.1:{self.port}\n    #")
        replace(" agent-port 7410", "")
        for node in self.cluster.ids:
            replace(f"10.0.0.{node}:7400", f"{self.cluster.endpoint(node)} agent-port {self.agents[node]}")
        file = pathlib.Path(self.directory) / "haproxy.cfg"
        file.write_text(text, encoding="utf-8")
        self.balancer = Process(["haproxy", "-db", "-f", file], f"{self.directory}/haproxy.log")
        self.addCleanup(self.balancer.end)
        wait_until(lambda: pathlib.Path(self.statistics).exists() or not self.balancer.running(), 10, "haproxy's socket")
        self.assertTrue(self.balancer.running(), self.balancer.log_tail())
        self.wait_for({node: "UP" for node in self.cluster.ids})

    def servers(self):
        """{node: what HAProxy says of it}"""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(self.statistics)
            connection.sendall(b"show stat\n")
            text = b""
            while part := connection.recv(65536):
                text += part
        rows = csv.DictReader(text.decode().removeprefix("# ").splitlines())
        return {int(row["svname"].removeprefix("node-")): row for row in rows if row["svname"].startswith("node-")}

    def wait_for(self, states, seconds=30):
        wait_until(lambda: all(self.servers()[node]["status"].startswith(state) for node, state in states.items()), seconds, states)

    def weight(self, node):
        return int(self.servers()[node]["weight"])

    # --- the load ---

    def start_writers(self):
        for number in range(3):
            writer = Writer(f"writer{number}", [f"127.0.0.1:{self.port}"], pause=0.001)
            self.writers.append(writer)
            writer.start()
        self.progress()

    def stop_writers(self):
        for writer in self.writers:
            writer.stop()

    def progress(self, writes=100):
        goals = [(writer, len(writer.acknowledged) + writes) for writer in self.writers]
        wait_until(lambda: all(len(writer.acknowledged) >= goal for writer, goal in goals), 30, f"{writes} more writes of each writer")

    def check(self):
        """No request failed, no connection broke, and what was acknowledged is there."""
        self.stop_writers()
        for writer in self.writers:
            self.assertEqual(([], [], 0), (writer.unexpected, writer.client.errors, writer.client.broken), writer.name)
        for node in self.cluster.ids:
            client = Client([self.cluster.endpoint(node)])
            self.assertEqual(([], [], []), verify(self.writers, client.list_all("orders")), f"node {node}")
            client.close()

    def sessions(self, node):
        return int(self.servers()[node]["stot"])

    def test_nobody_notices_that_nodes_are_drained_and_started_again(self):
        self.start_writers()
        leader = self.cluster.leader()
        for node in (leader, next(node for node in self.cluster.ids if node != leader)):
            self.cluster.run_tool("drain", node)
            self.wait_for({node: "DRAIN"})
            before = self.sessions(node)
            self.progress()
            self.assertEqual(before, self.sessions(node), "a draining node gets nothing new")
            self.assertEqual(0, self.cluster.terminate(node))
            self.wait_for({node: "DOWN"})
            self.progress()
            self.cluster.start_node(node)
            self.wait_for({node: "UP"})
            before = self.sessions(node)
            wait_until(lambda: self.sessions(node) > before, 30, f"requests at node {node} again")
        self.check()

    def test_a_node_with_a_slow_disk_gets_less(self):
        if not can_trace():
            self.skipTest("strace may not trace here")
        self.start_writers()
        node = next(node for node in self.cluster.ids if node != self.cluster.leader())
        self.assertEqual(0, self.cluster.terminate(node))
        self.wait_for({node: "DOWN"})
        self.cluster.slow_flushes[node] = 80
        self.cluster.start_node(node)
        self.wait_for({node: "UP"})
        wait_until(lambda: 0 < self.weight(node) <= 30, 30, "less weight")
        del self.cluster.slow_flushes[node]
        self.assertEqual(0, self.cluster.terminate(node))
        self.cluster.start_node(node)
        self.wait_for({node: "UP"})
        wait_until(lambda: self.weight(node) > 30, 30, "its weight again")
        self.check()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/check")
    known, rest = parser.parse_known_args()
    OPTIONS.build = known.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
