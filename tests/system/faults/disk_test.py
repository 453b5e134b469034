"""Disks that fill up, and get room again: real daemons whose directories are small file systems in memory. Below the reserve inserts are
refused and everything else goes on; without a single byte left a node may end, and comes back with all it had when there is room. No node
is bricked, no acknowledged write is lost.

    python3 -m tests.system.faults.disk_test --build DIR [-k name]

Mounting needs root. The file systems are in a mount namespace of the test's own and vanish with it.
"""
import argparse
import os
import shutil
import subprocess
import sys
import unittest

from tests.system.lab import scratch
from tests.system.lab.client import Client
from tests.system.lab.cluster import Cluster
from tests.system.lab.process import wait_until
from tests.system.lab.writers import Writer, verify

OPTIONS = argparse.Namespace(build="build")
MIB = 1 << 20
DISK_BYTES, RESERVE_BYTES = 192 * MIB, 32 * MIB
SMALL_BODY = '{"value": 1}'


def may_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


class SmallDisk:
    """A file system of its own under `directory`, which a ballast file beside the node's own files makes smaller."""

    def __init__(self, directory):
        self.directory, self.ballast = directory, directory / "ballast"
        directory.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", directory], check=True)

    def free(self):
        return shutil.disk_usage(self.directory).free

    def leave(self, bytes_left):
        """Fills it up to so many bytes, in writes, so that what others take meanwhile is no mistake."""
        with open(self.ballast, "ab", buffering=0) as file:
            while (more := min(MIB, self.free() - bytes_left)) > 0:
                try:
                    file.write(bytes(more))
                except OSError:
                    return

    def make_room(self):
        self.ballast.unlink()

    def remove(self):
        subprocess.run(["umount", "-l", self.directory], check=False)


class DiskTest(unittest.TestCase):
    def setUp(self):
        self.directory = scratch.make("disk")
        self.cluster = Cluster(self.directory, build=OPTIONS.build, options={"storage.free_min": f"{RESERVE_BYTES // MIB}MiB"})
        self.disks = {node: SmallDisk(self.cluster.node_directory(node) / "data") for node in self.cluster.ids}
        self.writers = []
        self.cluster.start()
        self.cluster.declare("orders")
        self.client = Client(self.cluster.endpoints)

    def tearDown(self):
        for writer in self.writers:
            writer.stop()
        self.cluster.stop()
        if any(test is self for test, _ in self._outcome.result.failures + self._outcome.result.errors):
            for node in self.cluster.ids:
                print(f"--- node {node}\n{self.cluster.processes[node].log_tail()}", file=sys.stderr)
        for disk in self.disks.values():
            disk.remove()
        scratch.remove(self.directory)

    def start_writers(self):
        ids = self.cluster.ids
        for i, node in enumerate(ids):
            writer = Writer(f"writer{node}", [self.cluster.endpoint(other) for other in ids[i:] + ids[:i]], pause=0.001)
            writer.client.timeout = 1.0
            self.writers.append(writer)
            writer.start()
        wait_until(lambda: all(len(writer.acknowledged) >= 100 for writer in self.writers), 30, "100 writes of each writer")

    def put(self, key):
        return self.client.request("PUT", f"/v1/collections/orders/records/{key}", SMALL_BODY).status

    def low(self, node):
        view = self.cluster.view(node)
        return view is not None and view["disk_low"]

    def check(self):
        for writer in self.writers:
            writer.stop()
        for node in self.cluster.ids:
            found = Client([self.cluster.endpoint(node)]).list_all("orders")
            lost, doubled, foreign = verify(self.writers, {key: one for key, one in found.items() if key.startswith("writer")})
            self.assertEqual((lost, doubled, foreign), ([], [], []), f"node {node}")
        print(f"    {sum(len(writer.acknowledged) for writer in self.writers)} writes acknowledged, each there once on every node",
              flush=True)

    def test_below_the_reserve_inserts_wait_and_the_rest_goes_on(self):
        for number in range(50):
            self.assertEqual(self.put(f"before-{number}"), 201)
        for disk in self.disks.values():  # whoever leads
            disk.leave(RESERVE_BYTES // 2)
        wait_until(lambda: all(self.low(node) for node in self.cluster.ids), 20, "low disks")
        wait_until(lambda: self.put("refused") == 507, 20, "an insert to be refused")
        self.assertEqual(self.client.get("orders", "before-1").status, 200)
        self.assertEqual(self.client.request("DELETE", "/v1/collections/orders/records/before-2").status, 200)
        for disk in self.disks.values():
            disk.make_room()
        wait_until(lambda: self.put("after") == 201, 20, "inserts again")
        self.assertTrue(all(process.running() for process in self.cluster.processes.values()))

    def test_a_follower_without_a_byte_left_ends_and_comes_back(self):
        self.start_writers()
        victim = next(node for node in self.cluster.ids if node != self.cluster.leader())
        self.disks[victim].leave(0)
        process = self.cluster.processes[victim]
        wait_until(lambda: not process.running(), 60, "the node without room to end")
        self.assertNotEqual(process.popen.returncode, 0)
        self.assertIn("no space left", process.log_tail().lower())
        before = sum(len(writer.acknowledged) for writer in self.writers)
        wait_until(lambda: sum(len(writer.acknowledged) for writer in self.writers) > before + 100, 20, "writes without it")
        self.disks[victim].make_room()
        self.cluster.start_node(victim)
        self.cluster.wait_ready()
        self.check()

    def test_all_disks_full_at_once(self):
        self.start_writers()
        for disk in self.disks.values():
            disk.leave(0)
        running = [process for process in self.cluster.processes.values() if process.running()]
        wait_until(lambda: sum(process.running() for process in running) < 2 or all(
            self.low(node) for node in self.cluster.ids if self.cluster.processes[node].running()), 60,
                   "no majority, or every node that runs to refuse inserts")
        for writer in self.writers:
            writer.stop()
        for disk in self.disks.values():
            disk.make_room()
        for node, process in self.cluster.processes.items():
            if not process.running():
                self.cluster.start_node(node)
        self.cluster.wait_ready()
        self.check()
        wait_until(lambda: self.put("after") == 201, 20, "inserts again")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", default="build")
    parser.add_argument("--own-mounts", action="store_true")
    parsed, rest = parser.parse_known_args()
    if not may_mount():
        print("not run: mounting small file systems needs root (and unshare -m)")
        sys.exit(0)
    if not parsed.own_mounts:
        os.execvp("unshare", ["unshare", "-m", sys.executable, "-m", "tests.system.faults.disk_test", "--own-mounts", *sys.argv[1:]])
    OPTIONS.build = parsed.build
    unittest.main(argv=sys.argv[:1] + rest, verbosity=2, warnings="ignore")
