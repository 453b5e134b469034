"""bench/capacity, bench/restarts and bench/soak run at tiny sizes and write their reports; figures mean nothing here.

    python3 -m tests.system.compare.alone_test --build DIR
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

OPTIONS = argparse.Namespace(build="build/check")


class AloneTest(unittest.TestCase):
    def run_quick(self, command, plots):
        """What the command printed, line by line as JSON, and its report's figures."""
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report.md"
            run = subprocess.run([f"bench/{command}", "--quick", "--json", "--build", OPTIONS.build, "--report", report],
                                 capture_output=True, text=True, timeout=180)
            self.assertEqual(0, run.returncode, run.stderr)
            page = report.read_text(encoding="utf-8")
            for plot in plots:
                self.assertIn(f"report-{plot}.svg", page)
                self.assertTrue((report.parent / f"report-{plot}.svg").read_text(encoding="utf-8").startswith("<svg"))
            figures = json.loads(report.with_suffix(".json").read_text(encoding="utf-8"))
        return [json.loads(line) for line in run.stdout.splitlines()], figures

    def test_capacity_has_a_point_for_each_place_on_its_axes(self):
        rows, figures = self.run_quick("capacity", ["clients-ops", "clients-p99", "sizes-ops", "records-ops"])
        self.assertEqual([("clients", 1), ("clients", 4), ("sizes", 64), ("sizes", 1_048_574), ("records", 500), ("records", 1000)],
                         [(row["curve"], row["x"]) for row in rows])
        for row in rows:
            self.assertGreater(row["ops_per_s"], 0, row)
            self.assertEqual(0, row["failures"], row)
        self.assertEqual(6, len(figures["rows"]))

    def test_restarts_are_distributions(self):
        (found,), figures = self.run_quick("restarts", ["distributions"])
        self.assertEqual({"drain_to_exit", "start_to_ready", "leader_change", "client_gap"}, set(found))
        for of in found.values():
            self.assertEqual(2, of["runs"])
            self.assertGreater(of["min"], 0)
        self.assertEqual([], figures["facts"]["failures"])

    def test_a_soak_meets_faults_and_judges_every_series(self):
        (found,), figures = self.run_quick("soak", ["memory", "descriptors", "disk", "p50", "p99", "rate"])
        self.assertGreater(found["faults"], 0)
        self.assertGreater(found["ops"], 0)
        self.assertEqual({"memory", "descriptors", "disk", "p50", "p99"}, set(figures["series"]))
        for name in ("memory", "descriptors", "disk"):
            self.assertGreater(len(figures["series"][name]), 5, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/check")
    known, rest = parser.parse_known_args()
    OPTIONS.build = known.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
