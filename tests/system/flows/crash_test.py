"""F13 on the sample plant: kills the daemon that runs an adapter at random moments while documents go in and effects go out, and shows
that nothing is missing at the counterparts and nothing happened there twice. For one adapter alone: tests/system/crash_kit.

    python3 -m tests.system.flows.crash_test --build DIR [--adapter erp|mes|wms|all] [--kills N] [--seed S]

Every kill is a SIGKILL of a whole node at a moment drawn at random. The plant goes on selling as long as there are kills.
"""
import argparse
import random
import sys
import time

from tests.system.lab import scratch
from tests.system.lab.process import wait_until

from .harness import FULL, Factory, tell


class Killer:
    def __init__(self, factory, adapters, kills, seed):
        self.factory, self.adapters, self.kills = factory, adapters, kills
        self.random = random.Random(seed)
        self.moves = []  # seconds until another node had the adapter

    def run(self):
        plant, cluster = self.factory.plant, self.factory.cluster
        for number in range(self.kills):
            plant.options.orders = plant.store.count("erp", "order") + 3
            adapter = self.random.choice(self.adapters)
            time.sleep(self.random.uniform(0.0, 0.4))  # the moment is what is random here, not what is waited for
            node, seconds = self.factory.kill_node_of(adapter)
            self.moves.append(seconds)
            cluster.start_node(node)
            wait_until(lambda: cluster.ready(node), 30, f"node {node} ready again")
            if (number + 1) % 50 == 0:
                tell(f"{number + 1} kills, {plant.store.count('erp', 'order', 'closed')} orders delivered")
        self.factory.wait_settled(180)

    def report(self):
        """The outcome in words; True if it is clean."""
        rows = self.factory.table()
        for row in rows:
            tell(row.text())
        store = self.factory.plant.store
        doubled = store.value("select coalesce(sum(times - 1), 0) from received")
        documents = store.value("select count(*) from received")
        self.moves.sort()
        tell(f"{self.kills} kills; {documents} documents at the counterparts, {doubled} doubled; another node had the adapter after "
             f"{self.moves[len(self.moves) // 2]:.2f} s (median), {self.moves[-1]:.2f} s (longest)")
        return doubled == 0 and all(row.clean() for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/check")
    parser.add_argument("--adapter", default="all", choices=["erp", "mes", "wms", "all"], help="whose node is killed")
    parser.add_argument("--kills", type=int, default=1000 if FULL else 8)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    adapters = ["erp", "mes", "wms"] if given.adapter == "all" else [given.adapter]
    with scratch.directory("flows") as directory:
        factory = Factory(directory, given.build, seed=given.seed, orders=10)
        try:
            factory.start()
            factory.wait_placed()
            killer = Killer(factory, adapters, given.kills, given.seed)
            killer.run()
            good = killer.report()
        finally:
            factory.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
