"""The tool against real daemons: an import that is killed and goes on, a feed across killed leaders, tokens and TLS.

    python3 -m tests.system.tool.tool_test --build DIR [-k name]
"""
import argparse
import json
import pathlib
import signal
import subprocess
import sys
import time
import unittest

from tests.system.lab import scratch
from tests.system.lab.cluster import Cluster
from tests.system.lab.process import wait_until

OPTIONS = argparse.Namespace(build="build")
RECORDS = 4000


class ToolTest(unittest.TestCase):
    options = {"auth.enabled": False}

    def setUp(self):
        self.directory = pathlib.Path(scratch.make("tool"))
        self.cluster = Cluster(self.directory / "cluster", build=OPTIONS.build, options=self.options)

    def tearDown(self):
        self.cluster.stop()
        scratch.remove(self.directory)

    def start_tool(self, *words, **more):
        """The tool in the background."""
        return subprocess.Popen([str(self.cluster.tool), *map(str, words), "--endpoint", ",".join(self.cluster.endpoints)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


class DataTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.cluster.start()

    def exported(self, collection):
        return [json.loads(line) for line in self.cluster.run_tool("export", collection).splitlines()]

    def test_an_import_that_is_killed_goes_on_and_doubles_nothing(self):
        self.cluster.run_tool("collection", "declare", "stock",
                              json.dumps({"kind": "ledger", "ledger": {"dimensions": ["item", "location"], "scale": 2}}))
        file = self.directory / "moves.ndjson"
        with open(file, "w", encoding="utf-8") as lines:
            for n in range(RECORDS):
                lines.write(json.dumps({"id": f"M-{n:06}", "quantity": "1.25", "item": f"I{n % 7}", "from": {"location": "IN"},
                                        "to": {"location": "R1"}}) + "\n")
        position = pathlib.Path(f"{file}.import-position")

        def imported():
            return json.loads(position.read_text(encoding="utf-8"))["items"] if position.exists() else 0

        killed = 0
        while imported() < RECORDS:
            before = imported()
            tool = self.start_tool("import", "stock", file, "--batch", "50")
            wait_until(lambda: imported() > before or tool.poll() is not None, 60, "a batch of the import")
            if imported() < RECORDS and killed < 5:
                tool.send_signal(signal.SIGKILL)
                killed += 1
                if killed == 2:
                    self.cluster.kill(self.cluster.leader())
            self.addCleanup(tool.stdout.close)
            self.addCleanup(tool.stderr.close)
            tool.wait(60)
        self.assertGreaterEqual(killed, 2)
        self.cluster.run_tool("import", "stock", file, "--restart")
        self.assertEqual([f"M-{n:06}" for n in range(RECORDS)], [entry["id"] for entry in self.exported("stock")])
        total = json.loads(self.cluster.run_tool("ledger", "balances", "stock", "location=R1", "--by", "location", "--json"))
        self.assertEqual(f"{RECORDS * 1.25:.2f}", total["quantity"])

    def test_watch_goes_on_across_a_killed_leader(self):
        self.cluster.run_tool("collection", "declare", "orders")
        tool = self.start_tool("watch", "orders", "--after", "0", "--count", "200", "--json")
        for n in range(200):
            if n == 100:
                victim = self.cluster.leader()
                self.cluster.kill(victim)
            self.cluster.run_tool("put", "orders", f"k{n:03}", n)
        out, err = tool.communicate(timeout=60)
        self.assertEqual(0, tool.returncode, err)
        self.assertEqual([f"k{n:03}" for n in range(200)], [json.loads(line)["key"] for line in out.splitlines()])

    def test_bench_counts_a_stall_from_the_intended_starts(self):
        self.cluster.run_tool("collection", "declare", "load")
        quiet = json.loads(self.cluster.run_tool("bench", "load", "--rate", "100", "--duration", "2s", "--json"))
        self.assertEqual((200, 0), (quiet["answered"], quiet["failed"]))
        tool = self.start_tool("bench", "load", "--rate", "100", "--duration", "4s", "--json")
        time.sleep(1)
        for node in self.cluster.ids:
            self.cluster.hang(node)
        time.sleep(1)
        for node in self.cluster.ids:
            self.cluster.resume(node)
        out, err = tool.communicate(timeout=60)
        self.assertEqual(0, tool.returncode, err)
        # All that should have started in the second of the stall waited, not one: a tenth of them for 0.5 s or more.
        self.assertGreater(json.loads(out)["latency"]["p90_us"], 400_000, out)


class SecureTest(ToolTest):
    options = {}

    def setUp(self):
        super().setUp()
        self.cluster.prepare()
        certificates = self.cluster.directory / "certs"
        self.cluster.run_tool("certs", "api", "api", "--directory", certificates, "--host", "127.0.0.1")
        self.admin = json.loads(self.cluster.run_tool("token", "bootstrap", "--json"))
        for node in self.cluster.ids:
            self.cluster.write_configuration(node, {
                "http.connections_max": 500, "auth.enabled": True, "auth.bootstrap_token_hash": self.admin["bootstrap_token_hash"],
                "api.tls_certificate": str(certificates / "api.pem"), "api.tls_key": str(certificates / "api.key")})
            self.cluster.start_node(node)
        context = self.directory / "context.toml"
        context.write_text("endpoints = [%s]\nca = \"%s\"\n" % (", ".join(f'"{e}"' for e in self.cluster.endpoints),
                                                                certificates / "ca.pem"), encoding="utf-8")
        self.environment = {"MAINSTAY_CONTEXT_FILE": str(context), "PATH": "/usr/bin:/bin"}
        wait_until(lambda: self.tool("status", token=self.admin["token"]).returncode == 0, 30, "three nodes ready over TLS")

    def tool(self, *words, token=""):
        return subprocess.run([str(self.cluster.tool), *map(str, words)], capture_output=True, text=True, timeout=60,
                              env={**self.environment, "MAINSTAY_TOKEN": token})

    def ok(self, *words, token=""):
        run = self.tool(*words, token=token or self.admin["token"])
        self.assertEqual(0, run.returncode, run.stderr)
        return run.stdout

    def test_tokens_over_tls(self):
        self.ok("collection", "declare", "orders")
        self.ok("collection", "declare", "secrets")
        writer = self.ok("token", "create", "wms", "--role", "writer", "--collection", "orders").strip()
        self.ok("put", "orders", "A-1", "1", token=writer)
        self.assertEqual(7, self.tool("put", "orders", "A-1", "1").returncode, "no token")
        self.assertEqual(7, self.tool("put", "secrets", "A-1", "1", token=writer).returncode)
        self.assertEqual(7, self.tool("drain", "1", token=writer).returncode)
        audit = self.ok("audit")
        self.assertIn("127.0.0.1", audit)
        self.ok("token", "delete", writer.split("_")[1])
        wait_until(lambda: self.tool("get", "orders", "A-1", token=writer).returncode == 7, 5, "the token is taken back")
        plain = subprocess.run([str(self.cluster.tool), "get", "orders", "A-1", "--endpoint", self.cluster.endpoint(1), "--deadline",
                                "1s"], capture_output=True, text=True, timeout=60,
                               env={"PATH": "/usr/bin:/bin", "MAINSTAY_TOKEN": self.admin["token"]})
        self.assertNotEqual(0, plain.returncode, "no plain HTTP")

    def test_doctor_is_silent_about_a_secure_cluster(self):
        run = self.tool("doctor", "--config", self.cluster.node_directory(1) / "mainstayd.toml", token=self.admin["token"])
        self.assertEqual(("", 0), (run.stdout, run.returncode), run.stderr)

    def test_the_apis_certificate_is_renewed_while_nodes_run(self):
        certificates = self.cluster.directory / "certs"
        self.ok("certs", "api", "api", "--directory", certificates, "--renew", "--days", "5")

        def expiring():
            run = self.tool("doctor", "--json", "--interval", "100ms", token=self.admin["token"])
            return "certificate-expiring" in {finding["condition"] for finding in json.loads(run.stdout)["findings"]}

        wait_until(expiring, 30, "the new certificate in use")
        self.ok("certs", "api", "api", "--directory", certificates, "--renew")
        wait_until(lambda: not expiring(), 30, "the newest certificate in use")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    known, rest = parser.parse_known_args()
    OPTIONS.build = known.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
