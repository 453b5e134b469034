"""The example definition of the ERP (config/examples/adapters/tryton) on a real one, through the hub: what the ERP holds becomes records
(F1), and moves, shipments, receipts and production become documents of the ERP, once (F3, F5, F6, F8), while the node is killed."""
import argparse
import json
import sys
import time
import unittest
from decimal import Decimal

from tests.system.examples.examples_test import Node
from tests.system.integration.tryton.server import HUB_PASSWORD, Erp
from tests.system.lab import scratch
from tests.system.lab.process import wait_until

OPTIONS = argparse.Namespace(build="build/check")
ORIGIN = {"system": "wms"}
TRANSFERS = 12


def tell(text):
    print(f"    {text}", flush=True)


class ExampleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.erp = cls.enterClassContext(Erp(OPTIONS.build))
        cls.erp.sql("update stock_location set code = 'LOST' where type = 'lost_found'")  # as the guide says: places have codes
        directory = scratch.make("examples")
        cls.addClassCleanup(scratch.remove, directory)
        cls.node = Node(directory, {"erp": [("http://127.0.0.1:8000/erp/", cls.erp.url), ('poll = "2s"', 'poll = "500ms"'),
                                            ('settle = "30s"', 'settle = "5s"\ncall_timeout = "10s"')]},
                        OPTIONS.build, "tryton", HUB_PASSWORD)
        cls.addClassCleanup(cls.node.cluster.stop)
        cls.hub = cls.node.hub

    def count(self, table, condition="true"):
        return int(self.erp.sql(f"select count(*) from {table} where {condition}"))

    def level(self, item, location):
        signed = f"case when t.code = '{location}' then m.internal_quantity else -m.internal_quantity end"
        return Decimal(self.erp.sql(f"""
            select coalesce(sum({signed}), 0)::numeric(20, 4) from stock_move m join product_product p on p.id = m.product
            join stock_location f on f.id = m.from_location join stock_location t on t.id = m.to_location
            where m.state = 'done' and p.code = '{item}'
            and (t.code is not distinct from '{location}') <> (f.code is not distinct from '{location}')"""))

    def post(self, number, item, quantity, source, target, reason):
        entry = {"id": f"wms/{number}", "quantity": quantity, "item": item, "lot": "-", "unit": "C62", "from": {"location": source},
                 "to": {"location": target}, "data": {"reason": reason, "origin": {**ORIGIN, "id": number}}}
        answer = self.hub.client.request("POST", "/v1/collections/stock_moves/entries", json.dumps(entry))
        self.assertIn(answer.status, (200, 201), answer.body)

    def references(self, table):
        return sorted(self.erp.sql(f"select reference from {table} where reference like 'HUB:%'").split())

    def wait_done(self, table, reference):
        wait_until(lambda: self.erp.sql(f"select state from {table} where reference = '{reference}'") == "done", 90,
                   f"{reference} done in the ERP: {self.node.story()}")

    def test_1_what_the_erp_holds_becomes_records(self):
        tables = {"orders": ("sale_sale", "number is not null"), "purchase_orders": ("purchase_purchase", "number is not null"),
                  "shipments": ("stock_shipment_out", "true"), "production_orders": ("production", "true"),
                  "items": ("product_product", "code is not null"), "parties": ("party_party", "code is not null"),
                  "locations": ("stock_location", "true")}
        for collection, (table, condition) in tables.items():
            wanted = self.count(table, condition)
            wait_until(lambda: len(self.hub.records(collection)) == wanted, 60,
                       f"{wanted} {collection}, found {len(self.hub.records(collection))}: {self.node.story()}")
        self.assertEqual(self.hub.letters(), {})
        totals = dict(line.split("|") for line in self.erp.sql("""select s.number, sum(round(l.quantity::numeric * l.unit_price, 2))
            from sale_sale s join sale_line l on l.sale = s.id where s.number is not null group by 1""").splitlines())
        self.assertEqual({order["order"]: order["total"] for order in self.hub.records("orders").values()}, totals)
        tell(", ".join(f"{len(self.hub.records(collection))} {collection}" for collection in tables) + "; totals equal to the digit")

    def test_2_moves_of_the_warehouse_are_posted_once_and_no_move_twice_by_its_document(self):
        before = {place: self.level("VALVE-1", place) for place in ("A-02", "B-01")}
        for number in range(TRANSFERS):
            self.post(f"M-{number}", "VALVE-1", "2", "A-02", "B-01", "transfer")
        self.post("M-scrap", "VALVE-1", "3", "B-01", "LOSS", "scrap")
        self.post("M-ship", "VALVE-1", "5", "A-02", "CUSTOMER", "ship")  # its shipment posts it
        wait_until(lambda: self.references("stock_shipment_internal"), 60, f"the first move in the ERP: {self.node.story()}")
        self.node.cluster.kill(1)
        self.node.cluster.start_node(1)
        began = time.monotonic()
        expected = sorted([f"HUB:move/wms/M-{number}" for number in range(TRANSFERS)] + ["HUB:move/wms/M-scrap"])
        for reference in expected:
            self.wait_done("stock_shipment_internal", reference)
        self.assertEqual(self.references("stock_shipment_internal"), expected)
        self.assertEqual(self.level("VALVE-1", "A-02"), before["A-02"] - 2 * TRANSFERS)
        self.assertEqual(self.level("VALVE-1", "B-01"), before["B-01"] + 2 * TRANSFERS - 3)
        tell(f"{len(expected)} moves posted once each, the node killed after the first; done {time.monotonic() - began:.1f} s later")

    def test_3_a_shipment_a_receipt_and_a_report_reach_the_erp(self):
        order = self.erp.sql("select number from sale_sale where reference = 'KILL-0'")
        bought = self.erp.sql("select number from purchase_purchase where reference = 'BUY-0'")
        made = self.erp.sql("select number from production where reference = 'MAKE-0'")
        self.node.put("shipments", "wms/S-1", {
            "shipment": "S-1", "order": order, "status": "shipped", "origin": {**ORIGIN, "id": "S-1"},
            "lines": [{"line": "1", "item": "VALVE-1", "location": "A-02", "unit": "C62", "shipped": "3"},
                      {"line": "2", "item": "HOUSING-1", "location": "A-01", "unit": "C62", "shipped": "4"}]})
        self.node.put("receipts", "wms/R-1", {
            "receipt": "R-1", "order": bought, "status": "put_away", "origin": {**ORIGIN, "id": "R-1"},
            "lines": [{"line": "1", "item": "BRASS-1", "location": "B-01", "unit": "KGM", "received": "25.00"}]})
        answer = self.hub.client.request("PATCH", f"/v1/collections/production_orders/records/erp%2F{made}", json.dumps({"good": "3"}),
                                         {"Content-Type": "application/merge-patch+json"})
        self.assertEqual(answer.status, 200, answer.body)
        before = self.level("BRASS-1", "B-01")
        self.wait_done("stock_shipment_out", "HUB:shipment/S-1")
        self.wait_done("stock_shipment_in", "HUB:receipt/R-1")
        posted = f"""select coalesce(sum(m.quantity), 0)::int from stock_move m join production p on p.id = m.production_output
                     where p.number = '{made}' and m.state = 'done'"""
        wait_until(lambda: self.erp.sql(posted) == "3", 60, f"3 pieces posted: {self.node.story()}")
        self.assertEqual(self.level("BRASS-1", "B-01"), before + 25)
        self.assertEqual(self.hub.open(), {"letters": 0, "effects": 0})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=OPTIONS.build)
    given, rest = parser.parse_known_args()
    OPTIONS.build = given.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
