"""The demonstration of ./quickstart: three nodes, writers at each, the leader killed, nothing lost and nothing doubled; then a sample plant
whose ERP, MES and WMS exchange their documents through the cluster while nodes are killed, and a table of what each of them holds.

    python3 -m tests.system.lab.demonstration [--exit] [--orders N] [--build DIR] [--directory DIR]
"""
import argparse
import pathlib
import signal
import sys
import time

from tests.system.flows.harness import Factory
from tests.system.flows.show import flow_part

from . import scratch
from .client import Client
from .writers import Writer, verify

LOAD_SECONDS = 3.0
COLLECTION = "demonstration"


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

    def rewrite(self, text):
        """In place on a terminal; the last one stays. A line of its own otherwise."""
        print(f"\r    {text}\033[K" if self.terminal else f"    {text}", end="" if self.terminal else "\n", file=self.stream, flush=True)

    def end_rewriting(self):
        if self.terminal:
            print(file=self.stream, flush=True)


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
        lost, doubled, foreign = verify(writers, Client([cluster.endpoint(node)]).list_all(COLLECTION))
        teller.line(f"node {node}: {acknowledged(writers)} acknowledged, {len(lost)} lost, {len(doubled)} doubled, {len(foreign)} unknown")
        good = good and not lost and not doubled and not foreign
    for writer in writers:
        for problem in writer.unexpected + [str(error) for error in writer.client.errors]:
            teller.line(f"{writer.name} saw an error: {problem}")
            good = False
    return good


def records_part(cluster, teller):
    """True if every node shows every acknowledged write once."""
    for node in cluster.ids:
        teller.line(f"node {node}: http://{cluster.endpoint(node)}" + ("  (leader)" if node == cluster.leader() else ""))
    teller.step("declare a collection, and write through all three nodes at once")
    cluster.declare(COLLECTION)
    # Each writer prefers its own node and moves on only when that one is gone.
    writers = [Writer(f"writer{node}", [cluster.endpoint(other) for other in cluster.ids[i:] + cluster.ids[:i]], COLLECTION, pause=0.001)
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


def demonstrate(factory, orders, teller):
    teller.step("start three nodes on loopback, and a sample plant: an ERP, an MES and a WMS")
    factory.start()
    return records_part(factory.cluster, teller) and flow_part(factory, orders, teller)


class Ended(Exception):
    """Ctrl-C or SIGTERM."""


def end_on_signals(wanted):
    """Ctrl-C at any moment: what runs is left, and cleaned up after. When it is cleaned up, nothing interrupts that."""
    def end(*_):
        raise Ended
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end if wanted else signal.SIG_IGN)


def show_what_next(factory, teller):
    cluster = factory.cluster
    endpoint = cluster.endpoint(cluster.ids[0])
    teller.line(f"try: {cluster.tool} status --endpoint {endpoint}")
    teller.line(f"     curl -s http://{endpoint}/v1/collections/orders/records/erp%2FSO-000001")
    teller.line(f"     the documents: {factory.plant.directory}")
    teller.step("the cluster and the plant stay up; Ctrl-C ends them")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exit", action="store_true",
                        help="end after the demonstration; exit code 0 only if nothing was lost, doubled or differs")
    parser.add_argument("--orders", type=int, default=60, help="how many orders the sample plant sells (default: 60)")
    parser.add_argument("--build", default="build/check", help="build directory that holds mainstayd")
    parser.add_argument("--directory", help="where the nodes keep their data (default: a temporary directory, removed at the end)")
    options = parser.parse_args()
    directory = pathlib.Path(options.directory or scratch.make("quickstart"))
    teller = Teller()
    factory = Factory(directory, options.build, orders=0)
    good = False
    try:
        end_on_signals(True)
        good = demonstrate(factory, options.orders, teller)
        teller.step("nothing was lost, nothing was doubled, nothing differs" if good else "THE DEMONSTRATION FAILED")
        if not options.exit and good:
            show_what_next(factory, teller)
            signal.pause()
    except Ended:
        teller.step("ends")
    finally:
        end_on_signals(False)
        factory.stop()
        if options.directory is None:
            scratch.remove(directory)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
