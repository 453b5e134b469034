"""F1 to F11: a factory runs while the leader and nodes that run adapters are killed; then each flow's invariant is read from the
counterparts.

    python3 -m tests.system.flows.business_test --build DIR [-k name]
"""
import json
import time
from decimal import Decimal

from tests.system.lab import scratch
from tests.system.plant import reckoning
from tests.system.plant.erp import RAW

from . import harness
from .harness import FULL, Factory, FlowCase, tell


class Business(FlowCase):
    """One factory for all of them: the flows go on at the same time, as they do in life."""

    @classmethod
    def setUpClass(cls):
        directory = scratch.make("flows")
        cls.addClassCleanup(scratch.remove, directory)
        cls.made = Factory(directory, harness.OPTIONS.build, seed=5, orders=400 if FULL else 60, orders_a_tick=1, changes=0.4,
                           short_picks=0.3, holds=0.5, purchases=6)
        cls.addClassCleanup(cls.made.stop)
        began = time.monotonic()
        cls.made.start()
        cls.made.wait_placed()
        cls.kills(cls.made)
        cls.made.wait_settled(600 if FULL else 120)
        tell(f"{cls.made.options.orders} orders from sale to delivery in {time.monotonic() - began:.1f} s, two nodes killed on the way")
        cls.store = cls.made.plant.store

    @staticmethod
    def kills(made):
        def sold(count):
            return lambda: made.plant.store.count("erp", "order") >= count
        harness.wait_until(sold(made.options.orders // 3), 300, "a third of the orders")
        leader = made.cluster.leader()
        made.cluster.kill(leader)
        made.cluster.leader()
        made.revive(leader)
        harness.wait_until(sold(made.options.orders * 2 // 3), 300, "two thirds of the orders")
        node, seconds = made.kill_node_of("wms")
        tell(f"node {node} ran the WMS adapter and was killed; another had it after {seconds:.2f} s")
        made.revive(node)

    def check(self, *rows):
        for row in rows:
            self.assertEqual(row.differences[:5], [], row.what)

    def named(self, rows, *words):
        found = [row for row in rows if row.what.startswith(words)]
        self.assertEqual(len(found), len(words))
        return found

    def test_f1_orders_are_the_same_everywhere(self):
        self.check(*self.named(reckoning.orders(self.store, self.made.hub), "orders in", "lines"))
        hub = self.made.hub.records("orders")
        for number, order in self.store.all("erp", "order"):
            sent = self.store.value("select document from outbox where system = 'erp' and name = ?",
                                    f"order-{number}-r{order['revision']}")
            document = json.loads(sent)
            record = hub[f"erp/{number}"]
            self.assertEqual((record["total"], record["revision"]), (document["total"], order["revision"]), number)
            self.assertEqual([(line["line"], line["quantity"], line["amount"]) for line in record["lines"]],
                             [(line["no"], line["qty"], line["amount"]) for line in document["lines"]], number)

    def test_f2_changes_are_answered_and_nothing_picked_is_cancelled(self):
        self.check(*self.named(reckoning.orders(self.store), "shipped + cancelled"))
        changed = [order for _, order in self.store.all("erp", "order") if order["revision"] > 1]
        self.assertGreater(len(changed), 5)
        self.assertEqual({order["answer"] for order in changed} - {"accepted", "refused"}, set())
        for _, order in self.store.all("wms", "order"):
            for one in order["lines"].values():
                self.assertEqual(one["picked"], one["shipped"])
                self.assertLessEqual(one["picked"] + one["cancelled"], one["ordered"])
        tell(f"F2: {len(changed)} orders changed, {sum(order['answer'] == 'refused' for order in changed)} changes refused")

    def test_f3_moves_and_stock(self):
        self.check(*reckoning.stock(self.store, self.made.hub))
        equal, whole = reckoning.accuracy(self.store, self.made.hub)
        tell(f"F3: {self.store.value('select count(*) from moves where system = ' + repr('wms'))} moves, "
             f"{equal} of {whole} stock positions equal after drain")
        self.assertEqual(equal, whole)

    def test_f4_counts(self):
        counts = self.store.all("wms", "count")
        self.assertGreater(len(counts), 0)
        for key, one in counts:
            posted = self.store.rows("select quantity, target from moves where system = 'wms' and reason = 'count' and reference = ?", key)
            state = self.store.value("select state from objects where system = 'wms' and kind = 'count' and key = ?", key)
            difference = sum(quantity if target == one["location"] else -quantity for quantity, target in posted)
            self.assertEqual(difference, one["counted"] - one["book"] if state == "applied" else 0, key)
            record = self.made.hub.records("stock_observations")[f"wms/{key}"]
            self.assertEqual(record["status"], "approved" if state == "applied" else "rejected", key)

    def test_f5_shipments(self):
        self.check(*self.named(reckoning.orders(self.store, self.made.hub), "shipments out", "shipments booked"))
        short = sum(order["short"] for _, order in self.store.all("wms", "order"))
        tell(f"F5: {self.store.count('wms', 'shipment', 'shipped')} shipments, {short} orders short at first")

    def test_f6_receipts(self):
        self.assertGreater(self.store.count("erp", "purchase"), 2)
        self.check(*reckoning.purchases(self.store))

    def test_f7_and_f8_plans_and_production(self):
        self.check(*reckoning.production(self.store))
        for number, job in self.store.all("mes", "job"):
            self.assertEqual(self.store.value("select count(*) from received where system = 'mes' and key = ?", f"job/{number}/1"), 1)
            produced = sum(reckoning.sums_of(job["made"]))
            used = self.store.value("select sum(quantity) from moves where system = 'wms' and reason = 'consumption' and reference = ?",
                                    number)
            self.assertEqual(used or 0, produced * RAW[job["item"]][1], number)

    def test_f9_quality(self):
        self.check(*reckoning.quality(self.store))
        hub = {lot: value["status"] for lot, value in self.made.hub.records("lot_status").items()}
        wms = dict(self.store.rows("select key, state from objects where system = 'wms' and kind = 'lot' and key not like 'OPENING%'"))
        self.assertEqual(hub, wms)

    def test_f10_places(self):
        known = {key.removeprefix("wms/") for key in self.made.hub.records("locations")}
        self.assertEqual(known, {key for key, _ in self.store.all("wms", "location")})
        self.assertEqual({row["location"] for row in self.made.hub.balances() if Decimal(row["quantity"])} - known, set())

    def test_f11_items_and_units(self):
        known = {key.removeprefix("erp/"): value["unit"] for key, value in self.made.hub.records("items").items()}
        for row in self.made.hub.balances():
            self.assertEqual(known[row["item"]], row["unit"])

    def test_nothing_came_twice_or_is_left(self):
        self.check(*reckoning.deliveries(self.store))
        self.assertEqual(self.made.hub.open(), {"letters": 0, "effects": 0})
        for adapter in ("erp", "mes", "wms"):
            whole, acknowledged, parked, pending, refused = self.made.hub.balance_of_effects(adapter)
            self.assertEqual((whole, parked, pending, refused), (acknowledged, 0, 0, 0), adapter)


if __name__ == "__main__":
    harness.main()
