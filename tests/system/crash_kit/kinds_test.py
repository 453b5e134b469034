"""The crash kit on the adapters that need nothing else installed; and that it finds what is missing or doubled.

    python3 -m tests.system.crash_kit.kinds_test --build DIR [-k name]

MAINSTAY_FLOWS=full for the number of kills that the promise is shown with."""
import argparse
import collections
import os
import pathlib
import sys
import unittest

from ..lab import scratch
from .__main__ import parse, run
from .books import Books, Verdict
from .description import load_counterpart

HERE = pathlib.Path(__file__).parent
CONSUMER = HERE.parent / "install" / "consumer"
FULL = os.environ.get("MAINSTAY_FLOWS") == "full"
KILLS = 250 if FULL else 5
OPTIONS = argparse.Namespace(build="build/check")


class KitCase(unittest.TestCase):
    def kit(self, definition, counterpart, *options, kills=KILLS):
        """(whether it was exact, what was told)"""
        told = []

        def tell(line, **_):
            told.append(line)
            print(f"    {line}", flush=True)
        given = parse([str(definition), str(counterpart), "--programs", OPTIONS.build, "--kills", str(kills), *map(str, options)])
        return run(given, tell), told

    def of_kind(self, kind, *options, **more):
        return self.kit(HERE / "kinds" / f"{kind}.toml", HERE / "kinds" / f"{kind}_counterpart.py", *options, **more)

    def library(self, name):
        return pathlib.Path(OPTIONS.build) / "tests" / "system" / "crash_kit" / f"libcrash_kit_{name}.so"

    def assert_exact(self, outcome):
        exact, told = outcome
        self.assertTrue(exact, told)


class Kinds(KitCase):
    def test_file(self):
        self.assert_exact(self.of_kind("file"))

    def test_edi(self):
        self.assert_exact(self.of_kind("edi"))

    def test_http(self):
        self.assert_exact(self.of_kind("http"))

    def test_an_adapter_outside_the_tree(self):
        self.assert_exact(self.kit(CONSUMER / "line-printer.toml", CONSUMER / "line_printer_counterpart.py",
                                   "--library", self.library("line_printer")))

    def test_another_node_goes_on(self):
        self.assert_exact(self.of_kind("file", "--nodes", 3, kills=max(3, KILLS // 5)))

    def test_a_careless_adapter_is_found(self):
        exact, told = self.of_kind("careless", "--library", self.library("careless"), kills=8)
        self.assertFalse(exact)
        self.assertTrue(any("doubled: thing/" in line for line in told), told)


class Verdicts(unittest.TestCase):
    def verdict(self, records=("a", "b"), happened=("x", "y"), **waiting):
        books = Books(None, None)
        books.records, books.effects = {"a": 1, "b": 2}, {"x": 1, "y": 2}
        counts = collections.Counter(happened)
        return Verdict(books, records if isinstance(records, dict) else dict.fromkeys(records, 1), counts, {"dead letters": [], **waiting})

    def test_all_is_there_once(self):
        self.assertTrue(self.verdict().exact)

    def test_each_mistake_is_named(self):
        for verdict, named in ((self.verdict(records=("a",)), "missing: b"), (self.verdict(records={"a": 1, "b": 2}), "taken twice: b"),
                               (self.verdict(happened=("x",)), "missing: y"),
                               (self.verdict(happened=("x", "y", "y")), "doubled: y (2 times)"),
                               (self.verdict(happened=("x", "y", "z")), "that nobody asked for: z"),
                               (self.verdict(**{"dead letters": ["x: no"]}), "dead letters: x: no")):
            self.assertFalse(verdict.exact, named)
            self.assertIn(f"    {named}", verdict.lines)

    def test_a_counterpart_that_lacks_something_is_refused(self):
        with scratch.directory("crash-kit") as directory:
            path = pathlib.Path(directory) / "half.py"
            path.write_text("class Counterpart:\n    def __init__(self, directory): pass\n    def feed(self, number): pass\n",
                            encoding="utf-8")
            with self.assertRaisesRegex(ValueError, r"no effects\(\)"):
                load_counterpart(path, pathlib.Path(directory) / "counterpart")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=OPTIONS.build, help="build directory that holds mainstayd")
    given, rest = parser.parse_known_args()
    OPTIONS.build = given.build
    unittest.main(module="__main__", argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
