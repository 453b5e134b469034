"""What the commands that measure Mainstay alone have in common: options, the build directory, a cluster in a scratch directory."""
import argparse
import contextlib
import os
import pathlib
import sys

from bench.peers.ours import BUILD, Mainstay
from bench.peers.peer import ROOT
from tests.system.lab import scratch

from .load import generator


def parser(description, report):
    """Options that each of them has; `report`: where its report goes by habit, for the help."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="tiny sizes: whether everything works, figures mean nothing")
    options.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    options.add_argument("--report", metavar="FILE", help=f"write the report there, its plots and figures beside it ({report})")
    options.add_argument("--build", default=os.environ.get("MAINSTAY_BUILD", str(ROOT / "build" / "check")),
                         help="build directory with mainstayd and mainstay-load")
    return options


def use_build(options):
    BUILD["directory"] = options.build
    try:
        generator()
    except RuntimeError as why:
        sys.exit(str(why))


@contextlib.contextmanager
def cluster(purpose, nodes=3, environment=None):
    """(a running Mainstay cluster, its directory); both are gone at the end. `environment`: of lab daemons (tests/system/lab)."""
    with scratch.directory(purpose) as place:
        ours = Mainstay(pathlib.Path(place) / "mainstay", nodes, environment=environment)
        try:
            ours.start()
            ours.wait_healthy()
            yield ours, pathlib.Path(place)
        finally:
            ours.stop()
