"""bench/compare runs: both sides answer every request, in each operation.

    python3 -m tests.system.compare.compare_test --build DIR
"""
import argparse
import json
import shutil
import subprocess
import sys
import unittest

OPTIONS = argparse.Namespace(build="build/check")


class CompareTest(unittest.TestCase):
    @unittest.skipIf(shutil.which("etcd") is None, "etcd is neither installed nor in build/tools (./check unpacks it)")
    def test_both_sides_answer_every_request(self):
        words = ["--clients", "8", "--operations", "write", "read", "--seconds", "0.3", "--rounds", "1", "--json"]
        run = subprocess.run(["bench/compare", "--peer", "etcd", "--build", OPTIONS.build, *words],
                             capture_output=True, text=True, timeout=90)
        self.assertEqual(0, run.returncode, run.stderr)
        rows = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual(["write", "read"], [row["operation"] for row in rows])
        for row in rows:
            for side in ("mainstay", "peer_figures"):
                self.assertEqual(0, row[side]["failures"], row)
                self.assertGreater(row[side]["ops_per_s"], 0, row)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/check")
    known, rest = parser.parse_known_args()
    OPTIONS.build = known.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
