"""A large ledger against a model: entries, refusals, reversals; every balance, every sum, at every node."""
import random
import time
import unittest
from collections import Counter
from decimal import Decimal

from mainstay import Conflict, Entry

from .harness import AGGRESSIVE, ClusterCase, Worker, insist, sized, tell

ENTRIES = 250  # in one request
WRITERS = 2
ITEMS, LOTS = [f"item-{n}" for n in range(40)], ["L1", "L2", "L3"]
LOCATIONS = ["SUPPLIER"] + [f"R{n}" for n in range(1, 9)]


class Model:
    """Balances in thousandths, kept as integers."""

    def __init__(self):
        self.balances, self.entries = Counter(), {}

    def move(self, id, thousandths, item, lot, source, target):
        self.balances[item, lot, source] -= thousandths
        self.balances[item, lot, target] += thousandths
        self.entries[id] = (thousandths, item, lot, source, target)

    def held(self):
        return {position: held for position, held in self.balances.items() if held}


def entry_of(id, thousandths, item, lot, source, target):
    return Entry(id, Decimal(thousandths).scaleb(-3), {"item": item, "lot": lot, "unit": "EA"}, {"location": source},
                 {"location": target})


class LedgerTest(ClusterCase):
    def test_balances_of_a_large_ledger_equal_the_model(self):
        total = sized(20_000, 1_000_000)
        self.stock = self.client().ledger("stock")
        self.stock.declare(["item", "lot", "location", "unit"], scale=3, never_below=0, unguarded=[{"location": "SUPPLIER"}])
        self.models = [Model() for _ in range(WRITERS)]
        self.refused = 0
        began = time.monotonic()
        killer = self.start_killing(sized(1, 3), pause=sized(0.5, 20.0))
        # Each writer has items of its own: which posting is refused does not depend on the other's.
        writers = [Worker(self.post, writer, total // WRITERS) for writer in range(WRITERS)]
        for worker in writers:
            worker.join_or_raise(1500)
        seconds = time.monotonic() - began
        killer.finish()
        tell(f"{total} entries in {seconds:.1f} s ({total / seconds:.0f}/s) under {killer.done} leader kills; "
             f"{self.refused} postings were refused by the guard")
        began = time.monotonic()
        self.compare(total)
        tell(f"compared in {time.monotonic() - began:.1f} s")

    def post(self, enough, writer, count):
        client, chance, model = self.client(policy=AGGRESSIVE), random.Random(writer), self.models[writer]
        stock, items, posted = client.ledger("stock"), ITEMS[writer::WRITERS], 0
        while posted < count:
            group = []
            for number in range(posted, min(posted + ENTRIES, count)):
                move = self.draw(chance, model, items)
                model.move(f"{writer}-{number:07}", *move)
                group.append(entry_of(f"{writer}-{number:07}", *move))
            posted += len(group)
            insist(stock.post, *group)
            if posted % (ENTRIES * 20) == 0:
                self.refuse(stock, model, items[0], f"{writer}-x{posted}")

    def draw(self, chance, model, items):
        """A receipt, or a move of what is there."""
        item, lot = chance.choice(items), chance.choice(LOTS)
        source, target = chance.sample(LOCATIONS, 2)
        here = model.balances[item, lot, source]
        if source != "SUPPLIER" and here <= 0:
            source, target = "SUPPLIER", source
        bound = 10_000_000 if source == "SUPPLIER" else here
        return chance.randint(1, bound), item, lot, source, target

    def refuse(self, stock, model, item, id):
        """More than there is, in one posting with an entry that would be fine: neither happens."""
        here = model.balances[item, "L1", "R1"]
        fine = entry_of(f"{id}-a", 1, item, "L2", "SUPPLIER", "R2")
        try:
            insist(stock.post, fine, entry_of(f"{id}-b", here + 1, item, "L1", "R1", "R2"))
        except Conflict as error:
            self.assertEqual("conflict", error.kind)
            self.refused += 1
            return
        self.fail("the guard let a balance fall below 0")

    def compare(self, total):
        wanted = {}
        for model in self.models:
            wanted.update(model.held())
        sums = Counter()
        for (item, _, location), held in wanted.items():
            sums[item, location] += held
        for node in self.cluster.ids:
            stock = self.client(node).ledger("stock")
            found = {(one.dimensions["item"], one.dimensions["lot"], one.dimensions["location"]): one.quantity
                     for one in stock.balances()}
            self.assertEqual({position: Decimal(held).scaleb(-3) for position, held in wanted.items()}, found, f"node {node}")
            by = {(one.dimensions["item"], one.dimensions["location"]): one.quantity
                  for one in stock.balances(by=["item", "location"])}
            self.assertEqual({position: Decimal(held).scaleb(-3) for position, held in sums.items() if held}, by, f"node {node}")
        some = ITEMS[3]
        self.assertEqual({position for position in wanted if position[0] == some and position[2] == "R3"},
                         {(one.dimensions["item"], one.dimensions["lot"], one.dimensions["location"])
                          for one in self.stock.balances({"item": some, "location": "R3"})})
        self.assertEqual(0, sum(held for held in wanted.values()))
        self.compare_entries(total)

    def compare_entries(self, total):
        """Every entry is there once and says what was posted."""
        count, wanted = 0, {**self.models[0].entries, **self.models[1].entries}
        for entry in self.client().ledger("stock").entries():
            count += 1
            thousandths, item, lot, source, target = wanted[entry.id]
            self.assertEqual((Decimal(thousandths).scaleb(-3), item, lot, source, target),
                             (entry.quantity, entry.dimensions["item"], entry.dimensions["lot"], entry.source["location"],
                              entry.target["location"]))
        self.assertEqual((total, total), (count, len(wanted)))


class CorrectionTest(ClusterCase):
    def test_a_reversal_undoes_exactly_once(self):
        ledger = self.client().ledger("moves")
        ledger.declare(["location"], scale=1, never_below=0, unguarded=[{"location": "out"}])
        entry = Entry("e1", "2.5", {}, {"location": "out"}, {"location": "in"}, data={"why": "test"})
        ledger.post(entry)
        self.assertFalse(ledger.post(entry).results[0].created)
        with self.assertRaises(Conflict):
            ledger.post(Entry("e1", "2.6", {}, {"location": "out"}, {"location": "in"}))
        self.assertTrue(ledger.post(entry.reversal("e1-r", data="wrong")).results[0].created)
        with self.assertRaises(Conflict):
            ledger.post(entry.reversal("e1-again"))
        with self.assertRaises(Conflict):
            ledger.post(entry.reversal("e1-r").reversal("e1-r-r"))
        self.assertEqual([], list(ledger.balances()))
        found = {one.id: one for one in ledger.entries()}
        self.assertEqual({"e1", "e1-r"}, set(found))
        self.assertEqual(("e1", {"location": "in"}, "wrong"), (found["e1-r"].reverses, found["e1-r"].source, found["e1-r"].data))


if __name__ == "__main__":
    unittest.main()
