"""`mainstay torture` as a user runs it. A short run passes; a lie planted in it makes it fail; whatever happens, nothing is left behind.

    python3 -m tests.system.torture.torture_test --build DIR [-k name]
"""
import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

from tests.system.lab import scratch
from tests.system.lab.process import wait_until

OPTIONS = argparse.Namespace(build="build/check")
# A test machine may be busy with other things: what is looked at here is safety, and that it is measured.
BUSY = ["--in-time", "80"]
SEED = "9"  # its first faults: see --plan


class TortureTest(unittest.TestCase):
    def setUp(self):
        self.home = scratch.make("torture")
        self.addCleanup(scratch.remove, self.home)
        self.directory = pathlib.Path(self.home) / "run"
        self.tool = pathlib.Path(OPTIONS.build).resolve() / "bin" / "mainstay"

    def words(self, *more):
        return [str(self.tool), "torture", "--directory", str(self.directory), *BUSY, *more]

    def run_torture(self, *more):
        run = subprocess.run(self.words(*more), capture_output=True, text=True, timeout=300)
        self.assertEqual(self.left_behind(), [], "every process is gone")
        return run

    def left_behind(self):
        """Processes whose command line names the directory of the run."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    command = (entry / "cmdline").read_bytes().decode(errors="replace")
                except OSError:
                    continue
                if str(self.directory) in command:
                    found.append(command)
        return found

    def test_a_short_run_passes(self):
        run = self.run_torture("--minutes", "0.6", "--seed", SEED, "--json")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        verdict = json.loads(run.stdout)
        print(run.stderr)
        print(f"    {verdict['requests']} requests, {verdict['percent_in_time']}% within 1 s, "
              f"longest gap {verdict['longest_gap_ms']} ms, {len(verdict['faults'])} faults", flush=True)
        self.assertTrue(verdict["passed"])
        self.assertEqual([check["name"] for check in verdict["checks"] if not check["passed"]], [])
        looked = {check["name"]: check["looked_at"] for check in verdict["checks"]}
        for name in ("linearizability", "no acknowledged write missing", "no doubled effect", "transactions whole",
                     "feeds complete and in order", "ledger exact, sum zero", "files: orders in, effects out once"):
            self.assertGreater(looked[name], 10, name)
        self.assertTrue(any("left_out" not in fault for fault in verdict["faults"]))
        self.assertEqual(json.loads((self.directory / "torture.json").read_text(encoding="utf-8")), verdict)
        page = (self.directory / "report.html").read_text(encoding="utf-8")
        self.assertIn("<svg", page)
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()),
                         ["node1.log", "node2.log", "node3.log", "report.html", "torture.json"])

    def test_a_lost_write_fails_it(self):
        run = self.run_torture("--minutes", "0.1", "--seed", SEED, "--plant-lost-write", "--loopback")
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertRegex(run.stdout, r"mainstay torture \S+: FAIL")
        self.assertRegex(run.stdout, r"FAIL  no acknowledged write missing")
        self.assertIn("s1-000000001", run.stdout)
        self.assertIn(f"again: mainstay torture --replay {SEED}", run.stdout)
        self.assertIn("left out: faults of the network, because not wanted", run.stdout)
        self.assertTrue((self.directory / "node1" / "data").is_dir(), "kept, to look at")

    def test_interrupted_it_cleans_up(self):
        process = subprocess.Popen(self.words("--minutes", "5", "--seed", SEED), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            wait_until(lambda: len(self.left_behind()) >= 4, 60, "the nodes of the run")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=90)
        finally:
            process.kill()
        self.assertEqual(self.left_behind(), [])
        self.assertNotEqual(process.returncode, 0, out + err)

    def test_killed_it_takes_its_nodes_along(self):
        process = subprocess.Popen(self.words("--minutes", "5"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: len(self.left_behind()) >= 4, 60, "the nodes of the run")
        finally:
            process.kill()
            process.wait(10)
        wait_until(lambda: self.left_behind() == [], 10, "every process gone")

    def test_the_same_seed_plans_the_same(self):
        plans = [subprocess.run(self.words("--minutes", "10", word, "77", "--plan"), capture_output=True, text=True, timeout=20).stdout
                 for word in ("--seed", "--replay", "--seed")]
        self.assertEqual(plans[0], plans[1])
        self.assertEqual(plans[0], plans[2])
        self.assertGreater(len(re.findall(r"^[0-9.]+ s: ", plans[0], re.MULTILINE)), 60)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", default=OPTIONS.build)
    parsed, rest = parser.parse_known_args()
    OPTIONS.build = parsed.build
    unittest.main(argv=sys.argv[:1] + rest, verbosity=2, warnings="ignore")
