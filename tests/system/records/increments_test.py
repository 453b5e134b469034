"""Increments by clients that retry aggressively, under kills: exactly as many as were acknowledged.

A write without a condition raises a record's version by one each time it is carried out, so the version counts: one carried out
twice, or acknowledged and lost, would show."""
import time
import unittest
from decimal import Decimal

import mainstay
from mainstay import Entry, PreconditionFailed, Transaction

from .harness import AGGRESSIVE, ClusterCase, Worker, insist, settle, sized, tell

WORKERS = 4


class IncrementsTest(ClusterCase):
    def run_workers(self, work):
        """Runs `work(enough, worker)` in every worker while one leader after the other is killed; says how it went."""
        began = time.monotonic()
        killer = self.start_killing(pause=0.1)
        workers = [Worker(work, worker) for worker in range(WORKERS)]
        for worker in workers:
            worker.join_or_raise(280)
        seconds = time.monotonic() - began
        killer.stop()
        self.assertGreater(killer.done, 0)
        return f"by {WORKERS} clients in {seconds:.1f} s under {killer.done} leader kills"

    def test_unconditional_writes_count_exactly(self):
        total, size = 100_000, sized(20, 5)
        self.client().collection("counters").declare()
        fenced = [0] * WORKERS

        def work(enough, worker):
            client = self.client(policy=AGGRESSIVE)
            done, number = 0, 0
            while done < total // WORKERS:
                writes = [Transaction().put("counters", "all", {"worker": worker}) for _ in range(size)]
                # Sent twice at once by the same hand: the ids are the same, so it counts once.
                name = f"add-{worker}-{number}"
                number += 1
                if number % 10 == 0:
                    twin = Worker(lambda enough: client.batch(writes, operation=name))
                outcomes = self.outcomes(client, writes, name)
                if number % 10 == 0:
                    twin.join_or_raise()
                done += sum(outcomes)
                fenced[worker] += len(outcomes) - sum(outcomes)

        how = self.run_workers(work)
        for node in self.cluster.ids:
            self.assertEqual(total, self.client(node).collection("counters").get("all").version, f"node {node}")
        tell(f"{total} increments {how}; {sum(fenced)} more were fenced; counted: {total}")

    def outcomes(self, client, writes, name):
        """For each of the batch whether it was carried out; without a definite end it is fenced."""
        outcomes = insist(client.batch, writes, operation=name, timeout=10.0)
        return [outcome.error is None or client.fence(outcome.operation).committed for outcome in outcomes]

    def test_compare_and_swap_counts_exactly(self):
        total = sized(800, 4000)
        self.client().collection("swaps").declare()
        self.client().collection("swaps").put("counter", 0)
        lost_races = [0] * WORKERS

        def work(enough, worker):
            client = self.client(policy=AGGRESSIVE)
            swaps = client.collection("swaps")
            for number in range(total // WORKERS):
                attempt = 0
                while True:
                    attempt += 1
                    seen = swaps.get("counter")
                    try:
                        if settle(client, swaps.put, "counter", seen.value + 1, version=seen.version,
                                  operation=f"swap-{worker}-{number}-{attempt}"):
                            break
                    except PreconditionFailed:
                        lost_races[worker] += 1

        how = self.run_workers(work)
        record = self.client().collection("swaps").get("counter")
        self.assertEqual((total, total + 1), (record.value, record.version))
        tell(f"{total} compare-and-swap increments {how}, {sum(lost_races)} lost races; counted: {record.value}")

    def test_ledger_posts_count_exactly(self):
        total = sized(10_000, 100_000)
        counts = self.client().ledger("counts")
        counts.declare(["name"], never_below=0, unguarded=[{"name": "source"}])

        def work(enough, worker):
            client = self.client(policy=AGGRESSIVE)
            ledger = client.ledger("counts")
            for number in range(0, total // WORKERS, 10):
                entries = [Entry(f"{worker}-{number + one}", 1, {}, {"name": "source"}, {"name": "all"}) for one in range(10)]
                # Each time under a new operation id: the entries' own ids must be enough.
                insist(ledger.post, *entries)
                if number % 50 == 0:
                    self.assertFalse(any(one.created for one in insist(ledger.post, *entries).results))

        how = self.run_workers(work)
        found = {balance.dimensions["name"]: balance.quantity for balance in counts.balances()}
        self.assertEqual({"all": Decimal(total), "source": Decimal(-total)}, found)
        tell(f"{total} ledger entries of one {how}; the balance is {found['all']}")


if __name__ == "__main__":
    unittest.main()
