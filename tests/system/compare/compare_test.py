"""bench/compare runs against the peers that ./check unpacks: every side answers every request of every row; figures mean nothing here.

    python3 -m tests.system.compare.compare_test --build DIR [--peers NAME...]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from bench.peers import PEERS
from bench.peers.peer import Unavailable

OPTIONS = argparse.Namespace(build="build/check", peers=["etcd", "nats"])


def there(name):
    """Why a peer cannot be run here; "" when it can."""
    try:
        PEERS[name].require()
    except Unavailable as why:
        return str(why)
    return ""


class CompareTest(unittest.TestCase):
    def compare(self, *words, seconds=250):
        """Rows and what was said beside them."""
        run = subprocess.run(["bench/compare", "--quick", "--json", "--build", OPTIONS.build, *words], capture_output=True, text=True,
                             timeout=seconds)
        self.assertEqual(0, run.returncode, run.stderr)
        return [json.loads(line) for line in run.stdout.splitlines()], run.stderr

    def test_every_side_answers_every_request(self):
        missing = {name: why for name in OPTIONS.peers if (why := there(name))}
        peers = [name for name in OPTIONS.peers if name not in missing]
        if not peers:
            self.skipTest("; ".join(missing.values()))
        rows, _ = self.compare("--peer", *peers, "--rows", "writes", "reads")
        for kind in ("writes", "reads"):
            expected = [side.name for name in peers if kind == "writes" or PEERS[name].linearizable_reads
                        for side in PEERS[name].sides(argparse.Namespace(endpoint=None, endpoints=None))]
            self.assertEqual(expected, [row["peer"] for row in rows if row["row"] == kind])
        for row in rows:
            for side in (row["mainstay"], row["peer_figures"]):
                self.assertEqual(0, side["failures"], row)
                self.assertGreater(side["ops_per_s"], 0, row)
                self.assertGreater(side["cpu_us_per_op"], 0, row)
            self.assertAlmostEqual(row["ratio"], row["mainstay"]["ops_per_s"] / row["peer_figures"]["ops_per_s"], delta=0.01)
        for name, why in missing.items():  # the others ran; these are reported by name
            with self.subTest(peer=name):
                self.skipTest(why)

    def test_a_peer_that_is_asked_for_and_not_there_is_named(self):
        with tempfile.TemporaryDirectory() as empty:
            missing = "import os, sys; os.environ['PATH'] = sys.argv[1]; sys.path.insert(0, '.')\n" \
                      "from bench.peers import peer; peer.TOOLS = sys.argv[1]\n" \
                      "try: peer.program('no-such-server', 'no-such-package')\n" \
                      "except peer.Unavailable as why: print(why)"
            said = subprocess.run([sys.executable, "-c", missing, empty], capture_output=True, text=True, timeout=20).stdout
        self.assertIn("no-such-server of the Debian package no-such-package", said)
        self.assertIn("--fetch", said)


class OurRowsTest(unittest.TestCase):
    def test_the_report_has_every_row_of_mainstay_alone(self):
        """Failures, lag, memory and many records, at tiny sizes: the promises hold here, too."""
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report.md"
            run = subprocess.run(["bench/compare", "--quick", "--peer", "--rows", "kill", "hang", "rolling", "lag", "records", "mixed",
                                  "--json",
                                  "--build", OPTIONS.build, "--report", report], capture_output=True, text=True, timeout=280)
            self.assertEqual(0, run.returncode, run.stderr)
            rows = {row["row"]: row["mainstay"] for row in map(json.loads, run.stdout.splitlines())}
            self.assertEqual({"kill", "hang", "rolling", "lag", "memory", "records", "mixed"}, set(rows))
            self.assertEqual(0, rows["rolling"]["failed"], rows["rolling"])
            self.assertGreater(rows["kill"]["gap_ms"], 0)
            self.assertGreater(rows["lag"]["lag_ms"]["runs"], 0)
            self.assertGreater(rows["memory"]["resident_mib"], 1)
            self.assertGreater(rows["records"]["ready_s"], 0)
            page = report.read_text(encoding="utf-8")
            for part in ("leader killed", "leader hung", "rolling restart", "follower lag", "idle node", "Noise", "report-faults.svg"):
                self.assertIn(part, page)
            self.assertTrue((report.parent / "report-faults.svg").read_text(encoding="utf-8").startswith("<svg"))
            self.assertEqual(7, len(json.loads(report.with_suffix(".json").read_text(encoding="utf-8"))["rows"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/check")
    parser.add_argument("--peers", nargs="+", default=OPTIONS.peers)
    known = parser.parse_args()
    OPTIONS.build, OPTIONS.peers = known.build, known.peers
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(CompareTest)
    if "etcd" in OPTIONS.peers:
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(OurRowsTest))
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())


if __name__ == "__main__":
    main()
