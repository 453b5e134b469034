"""The laboratory itself: the demonstration ends whenever it is told to, and nobody leaves directories or processes behind.

    python3 -m tests.system.lab.lab_test --build DIR [-k name]
"""
import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

from tests.system.lab import scratch

OPTIONS = argparse.Namespace(build="build/check")


class LabTest(unittest.TestCase):
    """With a temporary folder of its own."""

    def setUp(self):
        self.folder = scratch.make("lab")
        self.addCleanup(scratch.remove, self.folder)
        self.temporary = pathlib.Path(self.folder) / "tmp"
        self.temporary.mkdir()

    def start(self, *words):
        child = subprocess.Popen([sys.executable, "-B", *words], text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 env={**os.environ, "TMPDIR": str(self.temporary)})
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stdin.close)
        self.addCleanup(child.wait, 10)
        self.addCleanup(child.kill)
        return child

    def left(self):
        return sorted(path.name for path in self.temporary.iterdir())

    def processes(self):
        """Those that were told of the temporary folder."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.temporary) in words:
                found.append(words)
        return found

    def interrupted_at(self, step, number):
        demonstration = self.start("-m", "tests.system.lab.demonstration", "--build", OPTIONS.build)
        for line in demonstration.stdout:
            if step in line:
                break
        else:
            self.fail(f"the demonstration ended before '{step}': {demonstration.wait(10)}")
        demonstration.send_signal(number)
        rest, _ = demonstration.communicate(timeout=30)
        self.assertEqual(1, demonstration.returncode, rest)
        self.assertNotIn("Traceback", rest)
        self.assertIn("==> ends", rest)
        self.assertEqual(([], []), (self.left(), self.processes()))

    def test_the_demonstration_takes_ctrl_c_as_soon_as_the_nodes_run(self):
        self.interrupted_at("node 1: http", signal.SIGINT)

    def test_the_demonstration_takes_sigterm_while_it_writes(self):
        self.interrupted_at("declare a collection", signal.SIGTERM)

    def test_what_a_killed_test_left_is_removed_by_the_next_one(self):
        code = "import sys, time; from tests.system.lab import scratch; print(scratch.make('first'), flush=True); sys.stdin.read()"
        killed, lives = self.start("-c", code), self.start("-c", code)
        places = [child.stdout.readline().strip() for child in (killed, lives)]
        self.assertEqual(sorted(map(os.path.basename, places)), self.left())
        killed.kill()
        killed.wait(10)
        before = tempfile.tempdir
        tempfile.tempdir = str(self.temporary)
        try:
            scratch.sweep()
        finally:
            tempfile.tempdir = before
        self.assertEqual([os.path.basename(places[1])], self.left(), "what is in use stays")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/check")
    known, rest = parser.parse_known_args()
    OPTIONS.build = known.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
