"""F12: a part of the past is read again while the present goes on: nothing changes by it, and nothing is done twice.

    python3 -m tests.system.flows.backfill_test --build DIR
"""
import json

from . import harness
from .harness import FlowCase, tell, wait_until


class Backfill(FlowCase):
    def backfill(self, made, adapter, name):
        answer = made.hub.client.request("POST", f"/v1/adapters/{adapter}/backfill", b"{}",
                                         {"Content-Type": "application/json", "Idempotency-Key": f"{adapter}-{name}"})
        self.assertIn(answer.status, (200, 201), answer.body)

    def done(self, made, adapter, name):
        found = made.hub.records("hub-commands").get(f"{adapter}/{adapter}-{name}")
        return found and found["state"] in ("done", "failed") and found

    def test_everything_again_while_live(self):
        made = self.factory(seed=21, orders=20)
        made.wait_placed()
        made.wait_settled(90)
        before = {name: made.hub.records(name) for name in ("orders", "shipments", "production_reports", "lot_status")}
        moves, effects = made.hub.positions(), made.hub.balance_of_effects()
        for adapter in ("erp", "wms", "mes"):
            self.backfill(made, adapter, "again")
        for adapter in ("erp", "wms", "mes"):
            command = wait_until(lambda: self.done(made, adapter, "again"), 60, f"the backfill of '{adapter}'")
            self.assertEqual(command["state"], "done", command)
            tell(f"backfill {adapter}: {json.dumps(command.get('progress'))}")
        self.assertEqual({name: made.hub.records(name) for name in before}, before)
        self.assertEqual((made.hub.positions(), made.hub.balance_of_effects()), (moves, effects))
        for adapter in ("erp", "wms", "mes"):
            self.backfill(made, adapter, "live")
        made.options.orders = 35
        for adapter in ("erp", "wms", "mes"):
            wait_until(lambda: self.done(made, adapter, "live"), 60, f"the second backfill of '{adapter}'")
        made.wait_settled(90)
        self.assert_clean(made)


if __name__ == "__main__":
    harness.main()
