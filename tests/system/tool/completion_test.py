"""What bash and zsh make of `mainstay completion` on a terminal, when somebody types and presses TAB.

    python3 -m tests.system.tool.completion_test --build DIR [-k name]
"""
import argparse
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import time
import unittest

from tests.system.lab import scratch

OPTIONS = argparse.Namespace(build="build/check")
SECONDS_MAX = 20
PROMPT = "ready> "


class Shell:
    """An interactive shell on a terminal of its own; `type` gives what the screen showed until `shown` was on it."""

    def __init__(self, words, home):
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.execvpe(words[0], words, {"PATH": os.environ["PATH"], "HOME": home, "TERM": "dumb", "PS1": PROMPT, "LANG": "C"})

    def type(self, text, shown):
        os.write(self.terminal, text.encode())
        seen, until = "", time.monotonic() + SECONDS_MAX
        while not re.search(shown, seen):
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                raise TimeoutError(f"typed {text!r}, wanted {shown!r}, the screen shows {seen!r}")
            seen += os.read(self.terminal, 4096).decode(errors="replace")
        return seen

    def end(self):
        os.close(self.terminal)
        os.kill(self.child, 9)
        os.waitpid(self.child, 0)


class CompletionTest(unittest.TestCase):
    def setUp(self):
        self.home = scratch.make("completion")
        self.addCleanup(scratch.remove, self.home)
        tool = str(pathlib.Path(OPTIONS.build).resolve() / "bin" / "mainstay")
        self.scripts = {}
        for shell in ("bash", "zsh"):
            self.scripts[shell] = pathlib.Path(self.home) / shell / "_mainstay"
            self.scripts[shell].parent.mkdir()
            script = subprocess.run([tool, "completion", shell], capture_output=True, text=True, check=True).stdout
            self.scripts[shell].write_text(script, encoding="utf-8")
        (pathlib.Path(self.home) / "a-file.json").write_text("{}", encoding="utf-8")

    def start(self, words):
        shell = Shell(words, self.home)
        self.addCleanup(shell.end)
        return shell

    def completes(self, shell):
        """The same in every shell."""
        shell.type(f"cd {self.home}\n", PROMPT)
        for typed, shown in (("mainstay coll\t", r"mainstay collection "),
                             ("mainstay collection dec\t", r"mainstay collection declare "),
                             ("mainstay --json put c k --if-a\t", r"--if-absent "),
                             ("mainstay get c k --level li\t", r"--level linearizable "),
                             ("mainstay import orders a-f\t", r"a-file\.json")):
            with self.subTest(typed=typed):
                shell.type(typed, shown)
                shell.type("\x15\n", re.escape(PROMPT))  # takes the line back
        # What there is to choose from, when it is not decided.
        shell.type("mainstay member \t\t", r"(?s)(?=.*promote)(?=.*remove)(?=.*list)(?=.*add)")

    def test_bash(self):
        shell = self.start(["bash", "--norc", "--noprofile", "-i"])
        shell.type(f"PS1='{PROMPT}'; bind 'set enable-bracketed-paste off'; source {self.scripts['bash']}; echo loa''ded\n", "loaded")
        self.completes(shell)

    def test_zsh(self):
        program = shutil.which("zsh")
        if program is None:
            self.skipTest("zsh is neither installed nor in build/tools (./check unpacks it)")
        # Unpacked and not installed, it does not find its own files.
        home = pathlib.Path(program).resolve().parent.parent
        functions = sorted(str(path) for path in (home / "usr/share/zsh/functions").glob("**/") if path.is_dir())
        modules = list((home / "usr/lib").glob("*/zsh/*/"))
        shell = self.start(["zsh", "-f", "-i"])
        shell.type(f"PROMPT='{PROMPT}'; unsetopt zle_bracketed_paste; echo sta''rted\n", "started")
        if modules:
            shell.type(f"module_path=({modules[0]}); fpath=({' '.join(functions)}); echo mo''dules\n", "modules")
        shell.type(f"fpath+=({self.scripts['zsh'].parent}); autoload -Uz compinit; compinit -u -D; bindkey -e; echo loa''ded\n", "loaded")
        self.completes(shell)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/check")
    known, rest = parser.parse_known_args()
    OPTIONS.build = known.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
