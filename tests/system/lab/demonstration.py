"""The demonstration of ./quickstart: three nodes, writers at each, the leader killed, nothing lost and nothing doubled.

    python3 -m tests.system.lab.demonstration [--exit] [--build DIR] [--directory DIR]
"""
import argparse
import pathlib
import signal
import sys
import time

from . import scratch
from .client import Client
from .cluster import Cluster
from .writers import Writer, verify

LOAD_SECONDS = 3.0


class Teller:
    """Progress on a terminal, plain lines otherwise."""

    def __init__(self, stream=sys.stdout):
        self.stream, self.terminal = stream, stream.isatty()

    def step(self, text):
        print(f"\033[1m==>\033[0m {text}" if self.terminal else f"==> {text}", file=self.stream, flush=True)

    def line(self, text):
        print(f"    {text}", file=self.stream, flush=True)

    def progress(self, seconds, read):
        """Shows `read()` for `seconds`: rewritten in place on a terminal, once at the end otherwise."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.1)
            if self.terminal:
                print(f"\r    {read()}\033[K", end="", file=self.stream, flush=True)
        print(f"\r    {read()}" if self.terminal else f"    {read()}", file=self.stream, flush=True)


def acknowledged(writers):
    return sum(len(writer.acknowledged) for writer in writers)


def kill_leader(cluster, writers, teller):
    victim = cluster.leader()
    teller.step(f"kill the leader, node {victim}, with SIGKILL while all three writers go on")
    began = time.monotonic()
    cluster.kill(victim)
    teller.progress(LOAD_SECONDS, lambda: f"{acknowledged(writers)} writes acknowledged")
    ended = time.monotonic()
    for writer in writers:
        teller.line(f"{writer.name}: longest gap between two acknowledgements {writer.longest_gap(began - 0.5, ended) * 1000:.0f} ms")
    teller.line(f"new leader: node {cluster.leader()}")
    return victim


def check(cluster, writers, teller):
    """Every node shows every acknowledged write once; True if so."""
    good = True
    for node in cluster.ids:
        lost, doubled, foreign = verify(writers, Client([cluster.endpoint(node)]).list_all("orders"))
        teller.line(f"node {node}: {acknowledged(writers)} acknowledged, {len(lost)} lost, {len(doubled)} doubled, {len(foreign)} unknown")
        good = good and not lost and not doubled and not foreign
    for writer in writers:
        for problem in writer.unexpected + [str(error) for error in writer.client.errors]:
            teller.line(f"{writer.name} saw an error: {problem}")
            good = False
    return good


def demonstrate(cluster, teller):
    teller.step("start three nodes on loopback")
    cluster.start()
    for node in cluster.ids:
        teller.line(f"node {node}: http://{cluster.endpoint(node)}" + ("  (leader)" if node == cluster.leader() else ""))
    teller.step("declare a collection, and write through all three nodes at once")
    cluster.declare("orders")
    # Each writer prefers its own node and moves on only when that one is gone.
    writers = [Writer(f"writer{node}", [cluster.endpoint(other) for other in cluster.ids[i:] + cluster.ids[:i]], pause=0.001)
               for i, node in enumerate(cluster.ids)]
    for writer in writers:
        writer.start()
    try:
        teller.progress(LOAD_SECONDS, lambda: f"{acknowledged(writers)} writes acknowledged")
        victim = kill_leader(cluster, writers, teller)
        teller.step(f"start node {victim} again; it catches up")
        cluster.start_node(victim)
        cluster.wait_ready()
        teller.progress(1.0, lambda: f"{acknowledged(writers)} writes acknowledged")
    finally:
        for writer in writers:
            writer.stop()
    teller.step("compare what was acknowledged with what every node shows")
    return check(cluster, writers, teller)


class Ended(Exception):
    """Ctrl-C or SIGTERM."""


def end_on_signals(wanted):
    """Ctrl-C at any moment: what runs is left, and cleaned up after. When it is cleaned up, nothing interrupts that."""
    def end(*_):
        raise Ended
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end if wanted else signal.SIG_IGN)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exit", action="store_true", help="end after the demonstration; exit code 0 only if nothing was lost or doubled")
    parser.add_argument("--build", default="build/check", help="build directory that holds mainstayd")
    parser.add_argument("--directory", help="where the nodes keep their data (default: a temporary directory, removed at the end)")
    options = parser.parse_args()
    directory = pathlib.Path(options.directory or scratch.make("quickstart"))
    teller = Teller()
    cluster = Cluster(directory, build=pathlib.Path(options.build))
    good = False
    try:
        end_on_signals(True)
        good = demonstrate(cluster, teller)
        teller.step("nothing was lost, nothing was doubled" if good else "THE DEMONSTRATION FAILED")
        if not options.exit and good:
            teller.line(f"try: {cluster.tool} status --endpoint {cluster.endpoint(cluster.ids[0])}")
            teller.step("the cluster stays up; Ctrl-C ends it")
            signal.pause()
    except Ended:
        teller.step("ends")
    finally:
        end_on_signals(False)
        cluster.stop()
        if options.directory is None:
            scratch.remove(directory)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
