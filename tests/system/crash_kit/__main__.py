"""Kills the node that runs an adapter, again and again, and shows that nothing is missing and nothing happened twice.

DEFINITION is the adapter's definition file, with its mappings beside it; COUNTERPART a Python file with a class Counterpart:

    __init__(directory)   an empty directory of its own
    feed(number)          lets the counterpart say the number-th thing; returns {"record": "collection/key", "effect": name}:
                          what must come of it. With "value" the kit writes the record itself (adapters without a source)
    effects()             what happened there: one name each time that it happened
    values, collections   optional: {word: value} for @word@ in the definition (@directory@ is known), collections to declare
    stop()                optional

The exit code is 0 only if nothing is missing, doubled, parked or left."""
import argparse
import sys

from ..lab import scratch
from .kit import CrashKit


def parse(words=None, programs="build/check"):
    parser = argparse.ArgumentParser(prog="mainstay-crash-kit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("definition", metavar="DEFINITION")
    parser.add_argument("counterpart", metavar="COUNTERPART")
    parser.add_argument("--library", help="the shared library that brings the kind; default: what the definition names")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--nodes", type=int, default=1, help="1: the node starts again; 3: another one goes on. Default: 1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drain", type=float, default=120, help="seconds that everything may take to come to its end. Default: 120")
    parser.add_argument("--programs", default=programs, help="directory with bin/mainstayd. Default: %(default)s")
    return parser.parse_args(words)


def run(given, tell=print):
    """True if the verdict is clean."""
    with scratch.directory("crash-kit") as directory:
        kit = CrashKit(directory, given.definition, given.counterpart, given.programs, given.library, given.nodes, given.seed)
        try:
            kit.start()
            for number in range(given.kills):
                kit.kill()
                if (number + 1) % 50 == 0:
                    tell(f"{number + 1} kills, {kit.books.fed} inputs", flush=True)
            verdict = kit.finish(given.drain)
        finally:
            kit.stop()
    for line in verdict.lines:
        tell(line, flush=True)
    return verdict.exact


def main(words=None, **defaults):
    return 0 if run(parse(words, **defaults)) else 1


if __name__ == "__main__":
    sys.exit(main())
