"""F15: counterparts that are down, slow, half-open, or say things that make no sense: only what is affected waits, and
in = acknowledged + parked + pending all the time.

    python3 -m tests.system.flows.faults_test --build DIR [-k name]
"""
import threading

from . import harness
from .harness import FlowCase, tell, wait_until


class Watch(threading.Thread):
    """Asks all the time whether the accounts of effects are even; remembers the largest number that were pending."""

    def __init__(self, factory):
        super().__init__(daemon=True)
        self.factory, self.uneven, self.pending, self.looks = factory, [], 0, 0
        self.hub = harness.HubView(factory.cluster.endpoints)
        self.enough = threading.Event()
        self.start()

    def run(self):
        while not self.enough.wait(0.1):
            try:
                whole, acknowledged, parked, pending, refused = self.hub.balance_of_effects()
            except (RuntimeError, TimeoutError):
                continue
            self.looks += 1
            self.pending = max(self.pending, pending)
            if whole != acknowledged + parked + pending + refused:
                self.uneven.append((whole, acknowledged, parked, pending, refused))

    def end(self):
        self.enough.set()
        self.join(30)


class Faults(FlowCase):
    def start(self, **options):
        made = self.factory(**{"seed": 11, "orders": 15, "changes": 0, "counts": False, "transfers": False, "purchases": 0, **options})
        made.wait_placed()
        watch = Watch(made)
        self.addCleanup(watch.end)
        return made, watch

    def finish(self, made, watch):
        made.wait_settled(90)
        self.assert_clean(made)
        watch.end()
        self.assertEqual(watch.uneven, [])
        self.assertGreater(watch.looks, 3)

    def spoil(self, fault, count=3):
        """Orders that make no sense park, each with its raw bytes; all the others go their way; mended, they follow."""
        made, watch = self.start(orders=0)
        with made.plant.lock:
            made.plant.fault("erp", fault, count)
            spoilt = [made.plant.erp.sell() for _ in range(count)]
            made.options.orders = 15
        wait_until(lambda: made.plant.store.count("erp", "order") == 15 and made.plant.store.count("erp", "order", "open") == count,
                   60, "all orders but the spoilt ones delivered")
        letters = made.hub.letters("erp")
        self.assertEqual(len(letters), count, letters)
        self.assertEqual({letter["direction"] for letter in letters.values()}, {"in"})
        for number in spoilt:
            self.assertTrue(any(number in letter["body"] for letter in letters.values()), number)
            self.assertNotIn(number, made.hub.orders())
        tell(f"{fault}: {count} parked ({next(iter(letters.values()))['reason'][:70]}), the others delivered")
        self.assertEqual(made.plant.mend("erp"), count)
        self.finish(made, watch)

    def test_poison(self):
        self.spoil("poison")

    def test_drift(self):
        self.spoil("drift")

    def test_a_unit_that_nobody_knows(self):
        self.spoil("unit")

    def test_an_unknown_member_breaks_nothing(self):
        made, watch = self.start()
        made.plant.fault("erp", "extra", 5)
        self.finish(made, watch)

    def test_documents_that_come_twice_late_or_edited(self):
        made, watch = self.start(orders=20, orders_a_tick=1)
        for fault in ("duplicate", "late", "edit"):
            for system in ("erp", "mes"):
                made.plant.fault(system, fault, 3)
        self.finish(made, watch)

    def test_the_wms_is_down(self):
        made, watch = self.start(orders=0)
        made.plant.fault("wms", "down")
        wait_until(lambda: (made.plant.directory / "wms").is_file(), 10, "the WMS gone")
        made.options.orders = 15
        wait_until(lambda: len(made.hub.orders()) == 15, 30, "orders in the hub while the WMS is down")
        wait_until(lambda: made.plant.store.count("mes", "job") > 0, 60, "production ordered while the WMS is down")
        self.assertEqual(made.plant.store.count("wms", "order"), 0)
        self.assertEqual(made.hub.letters(), {})
        pending = made.hub.balance_of_effects("wms")[3]
        self.assertGreaterEqual(pending, 15)
        made.plant.clear("wms")
        self.finish(made, watch)
        tell(f"down: {pending} effects waited for the WMS, the ERP and the MES went on")

    def test_the_wms_is_slow(self):
        made, watch = self.start()
        made.plant.fault("wms", "slow", value=0.2)
        wait_until(lambda: len(made.hub.orders()) == 15, 30, "orders in the hub while the WMS is slow")
        wait_until(lambda: made.plant.store.count("wms", "order") >= 5, 60, "the slow WMS takes some")
        made.plant.clear("wms")
        self.finish(made, watch)

    def test_the_wms_takes_nothing(self):
        made, watch = self.start(orders=0)
        made.plant.fault("wms", "half_open")
        made.options.orders = 15
        wait_until(lambda: made.plant.store.count("mes", "job", "finished") > 0, 60, "the MES produces while the WMS takes nothing")
        self.assertEqual(made.plant.store.count("wms", "order"), 0)
        made.plant.clear("wms")
        self.finish(made, watch)

    def test_an_mes_over_http_that_does_everything_wrong(self):
        """Its POST is not idempotent: an order whose answer was lost is looked up, and not sent again."""
        made, watch = self.start(orders=0, mes="http")
        for fault in ("lost_answer", "errors_after", "errors", "half_open", "duplicate", "late", "poison"):
            made.plant.fault("mes", fault, 1)
        made.options.orders = 15
        wait_until(lambda: made.hub.letters("mes"), 60, "the poisoned message parked")
        self.assertEqual(made.plant.mend("mes"), 1)
        self.finish(made, watch)
        self.assertGreater(made.plant.store.count("mes", "job", "finished"), 0)

    def test_the_node_of_an_adapter_dies(self):
        """Another has it within two seconds, and goes on from what is committed."""
        made, watch = self.start(orders=30, orders_a_tick=1)
        longest = 0.0
        for adapter in ("erp", "wms", "mes"):
            node, seconds = made.kill_node_of(adapter)
            longest = max(longest, seconds)
            made.revive(node)
        tell(f"killed nodes: another had the adapter within {longest:.2f} s")
        self.assertLess(longest, 2.0 * harness.SLOWNESS)
        self.finish(made, watch)


if __name__ == "__main__":
    harness.main()
