"""The example definition of the WMS (config/examples/adapters/postgres) on a real staging schema, through the hub: moves, shipments,
receipts and counts become records, orders and holds become rows of wms_in, once, though the node is killed."""
import argparse
import json
import sys
import unittest

from tests.system.examples.examples_test import SAMPLES, Node
from tests.system.integration.postgres.server import PostgresServer
from tests.system.lab import scratch
from tests.system.lab.process import wait_until

OPTIONS = argparse.Namespace(build="build/check")
MOVES = 200


class ExampleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = PostgresServer()
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()
        cls.server.create("wms")
        cls.sql = cls.server.connect("wms", autocommit=True)
        cls.addClassCleanup(cls.sql.close)
        directory = scratch.make("examples")
        cls.addClassCleanup(scratch.remove, directory)
        shipped = "host=wms-db.example.com dbname=wms user=hub sslmode=verify-full passfile=/etc/mainstay/wms.pgpass"
        cls.node = Node(directory, {"wms": [(shipped, cls.server.conninfo("wms"))]}, OPTIONS.build, "postgres")
        cls.addClassCleanup(cls.node.cluster.stop)
        wait_until(lambda: cls.node.hub.ask("/v1/collections/orders") and cls.node.hub.ask("/v1/collections/lot_status"), 30,
                   "the canonical collections declared")

    def rows(self, text, *values):
        cursor = self.sql.cursor()
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else []

    def sample(self, name):
        document = json.loads((SAMPLES / "postgres" / f"wms_{name}.json").read_text(encoding="utf-8"))
        document.pop("_record", None)
        return document

    def say(self, table, message, document):
        self.rows(f"insert into wms_out.{table} (message_id, subject, document) values (%s, %s, %s)", message, message,
                  json.dumps(document))

    def test_what_the_wms_says_becomes_records(self):
        for number in range(MOVES):
            self.say("moves", f"M-{number}", {**self.sample("move"), "move": f"M-{number}"})
        for kind in ("shipment", "receipt", "count"):
            self.say(f"{kind}s", f"{kind}-1", self.sample(kind))
        self.node.cluster.kill(1)
        self.node.cluster.start_node(1)
        for path in ("shipments/wms/S-17", "receipts/wms/R-1", "stock_observations/wms/C-9"):
            self.node.wait_record(path)
        wait_until(lambda: self.node.hub.ask("/v1/collections/stock_moves")["records"] == MOVES, 30, f"moves: {self.node.story()}")
        self.assertEqual({(row["location"], float(row["quantity"])) for row in self.node.hub.balances() if row["item"] == "BOLT-8"},
                         {("A-01", -12.0 * MOVES), ("CUSTOMER", 12.0 * MOVES)})
        wait_until(lambda: self.rows("select count(*) from wms_out.moves where consumed_at is null") == [(0,)], 20, "moves marked")
        self.assertEqual(self.node.hub.letters(), {})

    def test_orders_and_holds_become_rows_of_the_wms_once(self):
        for number in range(20):
            self.node.put("orders", f"erp/SO-{number}", {**self.sample("order"), "order": f"SO-{number}"})
        self.node.put("lot_status", "L1", self.sample("lot_hold"))
        wait_until(lambda: self.rows("select 1 from wms_in.orders"), 30, f"an order: {self.node.story()}")
        self.node.cluster.kill(1)
        self.node.cluster.start_node(1)
        wait_until(lambda: self.rows("select count(*) from wms_in.orders") == [(20,)], 60, f"orders: {self.node.story()}")
        wait_until(lambda: self.rows("select document ->> 'status' from wms_in.holds") == [("hold",)], 30, f"the hold: {self.node.story()}")
        wait_until(lambda: self.node.hub.open() == {"letters": 0, "effects": 0}, 60, "nothing open")
        self.assertEqual(sorted(self.rows("select subject from wms_in.orders")), sorted((f"SO-{number}",) for number in range(20)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=OPTIONS.build)
    given, rest = parser.parse_known_args()
    OPTIONS.build = given.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
