"""The hub's own reconciliation, looked at from outside: after the drain it passes and says up to when; a difference that is planted is
named, holds `verified_through`, and is repaired on command or by people.

    python3 -m tests.system.flows.reconcile_test --build DIR [-k name]
"""
import datetime
import json

from tests.system.plant.files import csv_text, write_whole

from . import harness
from .harness import FlowCase, tell, wait_until

# What the test adds to the ERP's definition: its own list of the shipments that it booked.
BOOKED = """
[[settings.observe]]
kind = "booked"
directory = "stock"
pattern = "booked-*.csv"
format = "csv"
id = "/shipment"
"""
RECONCILE = """
[[reconcile]]
name = "shipments"
kind = "booked"
mapping = "in/erp-booked.json"
collection = "shipments"
fields = ["/order"]
every = "1s"
settle = "500ms"
"""
MAPPING = {"mapping": "erp-booked", "version": 1, "records": [
    {"collection": "shipments", "key": {"$key": [{"$const": "wms"}, "/shipment"]}, "value": {"shipment": "/shipment", "order": "/order"}}]}


class Reconcile(FlowCase):
    def start(self):
        made = self.factory(start=False, seed=31, orders=12, changes=0, counts=False, transfers=False, purchases=1)
        made.rewrite("wms", ('every = "10s"', 'every = "1s"'), ('settle = "3s"', 'settle = "500ms"'))
        made.rewrite("erp", ("\n[source]\n", BOOKED + "\n[source]\n"))
        path = made.adapters / "erp.toml"
        path.write_text(path.read_text(encoding="utf-8") + RECONCILE, encoding="utf-8")
        (made.adapters / "in" / "erp-booked.json").write_text(json.dumps(MAPPING), encoding="utf-8")
        made.start()
        made.wait_placed()
        made.wait_settled(90)
        self.export_bookings(made)
        return made

    @staticmethod
    def export_bookings(made):
        """The ERP writes down which shipments it has."""
        with made.plant.lock:
            rows = [{"shipment": shipment, "order": number} for number, order in made.plant.store.all("erp", "order")
                    for shipment in order["shipments"]]
        write_whole(made.plant.directory / "erp" / "stock" / "booked-1.csv", csv_text(rows))

    def passed(self, made, adapter, name, since):
        """The row, when it passed and everything up to `since` is verified."""
        row = made.hub.records("hub-reconciliations").get(f"{adapter}/{name}")
        return row and row["passed"] and row["verified_through"] > since and row

    @staticmethod
    def now():
        return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def wait_passed(self, made, adapter, name, since):
        return wait_until(lambda: self.passed(made, adapter, name, since), 30, f"reconciliation {adapter}/{name} passed")

    def open(self, made):
        return {key: row for key, row in made.hub.records("hub-discrepancies").items() if row["state"] == "open"}

    def wait_named(self, made, key):
        return wait_until(lambda: self.open(made).get(key), 30, f"{key} named")

    def stays(self, made, name):
        """`verified_through` while runs go on that do not pass."""
        before = made.hub.records("hub-reconciliations")[name]
        after = wait_until(lambda: (row := made.hub.records("hub-reconciliations")[name])["last_run"] > before["last_run"] and row, 30,
                           f"another run of {name}")
        self.assertEqual((after["passed"], after["verified_through"]), (False, before["verified_through"]))
        return after["verified_through"]

    def test_after_the_drain_everything_is_verified(self):
        made = self.start()
        drained = self.now()
        for adapter, name in (("wms", "stock"), ("erp", "shipments")):
            row = self.wait_passed(made, adapter, name, drained)
            self.assertEqual((row["open"], row["pending"], row["equal"]), (0, 0, row["compared"]))
            self.assertGreater(row["compared"], 5)
            self.assertEqual(float(row["accuracy"]), 1.0)
            tell(f"{adapter}/{name}: {row['compared']} compared, accuracy {row['accuracy']}, verified through {row['verified_through']}")
        self.assertEqual(self.open(made), {})

    def test_a_shipment_that_the_erp_lost_is_named_and_sent_again_on_command(self):
        """The ERP is restored from a backup that is older than its last booking."""
        made = self.start()
        self.wait_passed(made, "erp", "shipments", self.now())
        store, erp = made.plant.store, made.plant.erp
        with made.plant.lock:
            number, order = next((number, order) for number, order in store.all("erp", "order") if len(order["shipments"]) == 1)
            (shipment,) = order["shipments"]
            order["shipments"] = []
            for line in order["lines"].values():
                line["shipped"] = 0
            erp.put("order", number, "open", order)
            effect = store.value("select key from received where system = 'erp' and type = 'shipment' and key like ?", f"%{shipment}%")
            store.run("delete from received where system = 'erp' and type = 'shipment' and key = ?", effect)
            for path in (made.plant.directory / "erp" / "done").glob(f"shipment_{shipment}_*"):
                path.unlink()
        self.export_bookings(made)
        found = self.wait_named(made, f"erp/shipments/wms%2F{shipment}")
        self.assertEqual(found["kind"], "missing_there")
        row = made.hub.records("hub-reconciliations")["erp/shipments"]
        self.assertEqual((row["passed"], row["open"]), (False, 1))
        self.assertLess(float(row["accuracy"]), 1.0)
        stopped = self.stays(made, "erp/shipments")
        self.assertEqual(store.count("erp", "order", "open"), 1, "nobody repaired it by himself")
        made.cluster.run_tool("flow", "reconcile", "erp", "--name", "shipments", "--repair")
        wait_until(lambda: store.count("erp", "order", "open") == 0, 30, "the ERP booked it again")
        repaired = self.now()
        self.export_bookings(made)
        row = self.wait_passed(made, "erp", "shipments", max(repaired, stopped))
        self.assertEqual(self.open(made), {})
        made.wait_settled(30)
        self.assert_clean(made)
        tell(f"{shipment} was named, sent again, booked once; verified through {row['verified_through']}, which had stopped at {stopped}")

    def test_a_move_that_was_lost_before_the_hub_is_named_by_its_position(self):
        """Somebody deleted the file. Balances are mended by the move itself: only the WMS can send it."""
        made = self.start()
        self.wait_passed(made, "wms", "stock", self.now())
        with made.plant.lock:
            (item, lot, location), quantity = next(one for one in made.plant.store.stock("wms").items() if one[0][2].startswith("A-"))
            move = made.plant.wms.move(item, lot, location, "LOSS", 1, "scrap", "dropped")
            made.plant.store.run("update moves set sent = 1 where system = 'wms' and id = ?", move)
        names = (f"{item}", f"{lot}", location)
        found = wait_until(lambda: next((row for key, row in self.open(made).items() if all(name in key for name in names)), None), 30,
                           "the position named")
        self.assertEqual(found["kind"], "differs")
        self.assertEqual([(one["pointer"], float(one["here"]), float(one["there"])) for one in found["fields"]],
                         [("/quantity", quantity, quantity - 1)])
        stopped = self.stays(made, "wms/stock")
        with made.plant.lock:
            made.plant.store.run("update moves set sent = 0 where system = 'wms' and id = ?", move)
        sent = self.now()
        self.wait_passed(made, "wms", "stock", max(sent, stopped))
        self.assertEqual(self.open(made), {})
        made.wait_settled(30)
        self.assert_clean(made)
        tell(f"{item} {lot} {location}: {quantity} here and {quantity - 1} there; sent by the WMS, verified again")


if __name__ == "__main__":
    harness.main()
