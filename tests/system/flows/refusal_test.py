"""F2, the other way round: a counterpart says no. Whoever asked hears of it, once, and nothing half done is left.

    python3 -m tests.system.flows.refusal_test --build DIR [-k name]
"""
import json

from tests.system.plant.wms import BLOCKED

from . import harness
from .harness import FlowCase, tell, wait_until

NEVER = 10**9


class Refusals(FlowCase):
    def start(self, **options):
        made = self.factory(**{"seed": 21, "orders": 0, "changes": 0, "short_picks": 0, "counts": False, "transfers": False,
                               "purchases": 0, **options})
        made.wait_placed()
        return made

    def answers(self, made, number):
        """How often the ERP heard of it, by revision."""
        return dict(made.plant.store.rows("select key, times from received where system = 'erp' and type = 'response' and key like ?",
                                          f"response/{number}/%"))

    def test_an_order_that_the_wms_refuses_goes_back_to_the_erp(self):
        made = self.start()
        with made.plant.lock:
            refused = [made.plant.erp.sell(customer=BLOCKED) for _ in range(5)]
            made.options.orders = 20
        node, seconds = made.kill_node_of("erp")  # on the way back
        tell(f"the ERP's adapter ran elsewhere after {seconds:.2f} s")
        made.revive(node)
        made.wait_settled(90)
        self.assert_clean(made)
        store, records = made.plant.store, made.hub.records("order_responses")
        for number in refused:
            order = made.plant.erp.get("order", number)
            self.assertEqual((order["answer"], order["shipments"]), ("refused", []), number)
            self.assertEqual([one["cancelled"] for one in order["lines"].values()], [one["ordered"] for one in order["lines"].values()])
            self.assertEqual(store.rows("select id from moves where reference = ?", number), [], number)
            self.assertEqual(records[f"wms/{number}/1"]["answer"], "refused")
            self.assertEqual(self.answers(made, number), {f"response/{number}/1": 1})
        others = [order for _, order in store.all("erp", "order") if order["number"] not in refused]
        self.assertTrue(all(order["shipments"] for order in others))
        tell(f"{len(refused)} of {len(refused) + len(others)} orders refused: each told to the ERP once, nothing picked; "
             "the others delivered")

    def test_a_change_that_comes_too_late_is_refused_and_the_order_stays_as_it_was(self):
        made = self.start()
        erp, store = made.plant.erp, made.plant.store
        with made.plant.lock:
            number = erp.sell()
            order = erp.get("order", number)
            order["lines"]["10"]["ordered"] = 7
            order["change_at"] = NEVER  # the ERP keeps it open
            erp.put("order", number, "open", order)
            store.run("delete from outbox where name = ?", f"order-{number}-r1")
            erp.send("order", number, erp.order_document(order))
            made.options.orders = 1
        wait_until(lambda: store.count("wms", "order", "closed") == 1, 60, "the order picked and shipped")
        with made.plant.lock:
            erp.change(number, erp.get("order", number), {"10": 3})
        made.wait_settled(60)
        self.assert_clean(made)
        order = erp.get("order", number)
        self.assertEqual((order["answer"], order["revision"]), ("refused", 2))
        self.assertEqual((order["lines"]["10"]["ordered"], order["lines"]["10"]["shipped"], order["lines"]["10"]["cancelled"]), (7, 7, 0))
        self.assertEqual(self.answers(made, number), {f"response/{number}/2": 1})

    def test_a_plan_that_the_mes_refuses_waits_for_people_and_holds_up_nothing_else(self):
        """The MES answers 422. The effect parks with the reason; given up, it counts as refused, and the next revision goes through."""
        made = self.start(mes="http")
        erp, store = made.plant.erp, made.plant.store
        with made.plant.lock:
            number = erp.produce("F-01", 20)
            spoilt = {**erp.production_document(erp.get("production", number)), "item": "NOBODY-MAKES-THIS"}
            store.run("update outbox set document = ? where name = ?", json.dumps(spoilt), f"production-{number}-r1")
            made.options.orders = 10
        wait_until(lambda: made.hub.letters("mes"), 60, "the refused plan parked")
        ((key, letter),) = made.hub.letters("mes").items()
        self.assertEqual((letter["direction"], letter["class"], letter["id"]), ("out", "refused", f"job/{number}/1"))
        self.assertIn("422", letter["reason"])
        wait_until(lambda: store.count("mes", "job", "finished") > 0 and store.count("erp", "order", "closed") >= 5, 90,
                   "others made and delivered meanwhile")
        whole, acknowledged, parked, pending, refused = made.hub.balance_of_effects("mes")
        self.assertEqual((parked, refused, whole), (1, 0, acknowledged + 1 + pending))
        made.cluster.run_tool("flow", "discard", "mes", key.removeprefix("mes/"))
        with made.plant.lock:
            erp.cancel_production(number)
        wait_until(lambda: store.value("select state from objects where system = 'mes' and kind = 'job' and key = ?", number) == "aborted",
                   30, "the MES told that it is taken back")
        made.wait_settled(60)
        whole, acknowledged, parked, pending, refused = made.hub.balance_of_effects("mes")
        self.assertEqual((whole, parked, pending, refused), (acknowledged + 1, 0, 0, 1))
        self.assertEqual(store.count("mes", "refused") + len(self.produced(made, number)), 0)

    @staticmethod
    def produced(made, number):
        return made.plant.store.rows("select id from moves where reference = ? and reason = 'production'", number)


if __name__ == "__main__":
    harness.main()
