"""What is promised of records, shown on real clusters of three nodes with the Python client.

    python3 -m tests.system.records.records_test --build DIR [--full] [-k name] [module ...]

Without --full (or MAINSTAY_RECORDS=full) in the sizes of ./check."""
import argparse
import sys
import unittest

from tests.system.records import harness

MODULES = ("feed", "increments", "fence", "ledger", "history", "access")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/check", help="build directory with bin/mainstayd and bin/mainstay")
    parser.add_argument("--full", action="store_true", help="all of it: a million ledger entries, 100 000 increments")
    parser.add_argument("-k", metavar="NAME", help="only tests whose name holds this")
    parser.add_argument("modules", nargs="*", help=f"of {', '.join(MODULES)}; without: all")
    options = parser.parse_args()
    harness.OPTIONS.build = options.build
    harness.OPTIONS.full |= options.full
    unknown = set(options.modules) - set(MODULES)
    if unknown:
        parser.error(f"no such module: {', '.join(sorted(unknown))}")
    names = [f"tests.system.records.{name}_test" for name in options.modules or MODULES]
    more = ["-k", options.k] if options.k else []
    return unittest.main(module=None, argv=["records_test", "-v", *more, *names], exit=False).result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
