"""The tryton adapter on a real ERP: what is read is complete and exact; what is written is written once, whenever its writer dies."""
import argparse
import json
import random
import sys
import time
import unittest
from decimal import Decimal

from tests.system.integration.driver import Adapter, AdapterError, DriverGone
from tests.system.integration.tryton.rpc import Person
from tests.system.integration.tryton.server import HUB_PASSWORD, UNIQUE_REFERENCES, Erp, wait_until

OPTIONS = argparse.Namespace(build="build/check", seed=7)
ALL_MODELS = ["sale.sale", "purchase.purchase", "stock.move", "stock.shipment.out", "stock.shipment.in", "production",
              "product.product", "party.party", "stock.location"]
REFERENCES = {"stock_shipment_internal": "reference", "stock_shipment_in": "reference", "stock_shipment_out": "reference",
              "sale_sale": "reference", "stock_inventory": "number"}


def tell(text):
    print(f"    {text}", flush=True)


def body(message):
    return json.loads(message["body"], parse_float=Decimal)


class TrytonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.erp = cls.enterClassContext(Erp(OPTIONS.build))
        cls.person = Person(cls.erp.url)
        cls.dice = random.Random(OPTIONS.seed)
        tell(f"seed {OPTIONS.seed}")

    def adapter(self, models=ALL_MODELS, **settings):
        settings = {"url": self.erp.url, "user": "hub", "password": HUB_PASSWORD, "models": models, **settings}
        adapter = Adapter(OPTIONS.build, "tryton", settings, call_timeout_ms=60_000, patience=240)
        self.addCleanup(adapter.close)
        return adapter

    def sql(self, text):
        return self.erp.sql(text)

    def level(self, item, location):
        """By the ledger, straight from the database."""
        return Decimal(self.sql(f"""
            select coalesce(sum(case when t.code is not distinct from '{location}' then m.internal_quantity
                                     else -m.internal_quantity end), 0)::numeric(20, 4)
            from stock_move m join product_product p on p.id = m.product join stock_location f on f.id = m.from_location
            join stock_location t on t.id = m.to_location
            where m.state = 'done' and p.code = '{item}'
            and (t.code is not distinct from '{location}') <> (f.code is not distinct from '{location}')"""))

    def apply(self, adapter, key, kind, document):
        return adapter.ask("apply", effect={"key": key, "type": kind, "subject": key, "document": document})

    def done(self, adapter, key, kind, document):
        answer = self.apply(adapter, key, kind, document)
        self.assertEqual(answer["verdict"], "done", answer["detail"])
        return answer["receipt"]

    def shipment_of(self, reference):
        return self.sql(f"""select o.number from stock_shipment_out o join stock_move m on m.shipment = 'stock.shipment.out,' || o.id
            join sale_line l on m.origin = 'sale.line,' || l.id join sale_sale s on s.id = l.sale
            where s.reference = '{reference}' and o.state in ('waiting', 'assigned') limit 1""")

    def number_of(self, table, reference):
        return self.sql(f"select number from {table} where reference = '{reference}'")

    # --- reading ---

    def test_01_everything_is_read_once_and_to_the_digit(self):
        adapter = self.adapter()
        started = time.monotonic()
        messages, position = adapter.read_all()
        seconds = time.monotonic() - started
        self.assertEqual(len({(m["id"], m["version"]) for m in messages}), len(messages))
        counted = {model: sum(m["id"].startswith(model + ",") for m in messages) for model in ALL_MODELS}
        for model, number in counted.items():
            rows = self.sql(f"select count(*) from {model.replace('.', '_')}" + (" where state = 'done'" if model == "stock.move" else ""))
            self.assertEqual(number, int(rows), model)
        orders = {body(m)["id"]: body(m) for m in messages if m["type"] == "order"}
        for order in orders.values():
            lines = sum((line["amount"] for line in order["lines"]), Decimal(0))
            self.assertEqual(order["total_amount"], lines)
            self.assertEqual(str(order["total_amount"]), self.sql(f"""select sum(round(l.quantity::numeric * l.unit_price, 2))
                from sale_line l where l.sale = {order['id']}"""))
        self.assertEqual(adapter.fetch(position)["messages"], [])
        tell(f"{len(messages)} messages of {len(ALL_MODELS)} models in {seconds:.1f} s; position {len(position)} bytes")
        tell(f"{len(orders)} orders equal to the digit")

    def test_02_a_commit_later_than_the_watermark_is_found(self):
        adapter = self.adapter(["sale.sale"])
        _, position = adapter.read_all()
        slow = self.erp.slow_write("PO-2", "slow")
        self.person.model("sale.sale", "write", [self.person.find("sale.sale", ("reference", "=", "PO-1"))], {"comment": "fast"})
        messages, position = adapter.read_all(position)
        self.assertEqual([body(m)["reference"] for m in messages], ["PO-1"])
        slow.commit()
        written = "(select write_date from sale_sale where reference = '{}')"
        times = self.sql(f"select {written.format('PO-2')} < {written.format('PO-1')}")
        self.assertEqual(times, "t")  # a plain watermark would have lost it
        messages, position = adapter.read_all(position)
        self.assertEqual([(body(m)["reference"], body(m)["comment"]) for m in messages], [("PO-2", "slow")])
        self.assertEqual(adapter.fetch(position)["messages"], [])

    def test_03_a_child_changes_the_version_and_a_deleted_order_is_told(self):
        adapter, inbox, position = self.adapter(["sale.sale"], sweep="1ms"), set(), ""

        def news():
            nonlocal position
            page = adapter.fetch(position)
            position = page["position"]
            fresh = {(m["id"], m["version"]): m for m in page["messages"] if (m["id"], m["version"]) not in inbox}
            inbox.update(fresh)
            return list(fresh.values())

        for _ in range(3):
            news()
        sale = self.person.find("sale.sale", ("reference", "=", "PO-4"))
        line = self.person.model("sale.sale", "read", [sale], ["lines"])[0]["lines"][0]
        before = self.sql(f"select write_date from sale_sale where id = {sale}")
        self.person.model("sale.line", "write", [line], {"quantity": 3.0})
        self.assertEqual(self.sql(f"select write_date from sale_sale where id = {sale}"), before)
        self.assertEqual([(m["id"], body(m)["lines"][0]["quantity"]) for m in news()], [(f"sale.sale,{sale}", 3)])
        self.person.model("sale.sale", "cancel", [sale])
        self.person.model("sale.sale", "delete", [sale])
        gone = [m["id"] for _ in range(3) for m in news() if m["version"] == "deleted"]
        self.assertEqual(gone, [f"sale.sale,{sale}"])

    def test_04_observed_stock_is_the_sum_of_the_moves(self):
        levels = {(item["document"]["item"], item["document"]["location"]): Decimal(str(item["document"]["quantity"]))
                  for item in self.adapter().observe("stock")}
        for item, location in (("PUMP-1", "A-01"), ("VALVE-1", "A-02"), ("BRASS-1", "B-01"), ("PUMP-1", "B-01")):
            self.assertEqual(levels[item, location], self.level(item, location), (item, location))
        for kind, table in (("orders", "sale_sale"), ("shipments", "stock_shipment_out"), ("production_orders", "production")):
            self.assertEqual(len(self.adapter().observe(kind)), int(self.sql(f"select count(*) from {table}")), kind)

    def test_05_backfill_reads_a_range_again_with_the_same_versions(self):
        adapter = self.adapter(["sale.sale"])
        live = {m["id"]: m["version"] for m in adapter.read_all()[0]}
        page = adapter.ask("backfill", type="order", **{"from": "1", "to": "3"}, position="", max=100)
        self.assertEqual({m["id"]: m["version"] for m in page["messages"]}, {f"sale.sale,{i}": live[f"sale.sale,{i}"] for i in (1, 2, 3)})

    # --- writing ---

    def test_11_a_short_pick_leaves_the_rest_as_a_back_order(self):
        adapter, number = self.adapter(), self.shipment_of("PO-1")
        document = {"shipment": number, "lines": [{"item": "PUMP-1", "quantity": "2", "location": "A-01", "unit": "u"},
                                                  {"item": "VALVE-1", "quantity": "8", "location": "A-02", "unit": "u"}]}
        receipt = self.done(adapter, "shipment/1", "shipment", document)
        self.assertEqual((receipt["state"], receipt["number"], receipt["reference"]), ("done", number, "HUB:shipment/1"))
        shipped = self.sql(f"""select p.code, sum(m.quantity) from stock_move m join product_product p on p.id = m.product
            join stock_location t on t.id = m.to_location where m.shipment = 'stock.shipment.out,{receipt['id']}'
            and t.type = 'customer' and m.state = 'done' group by 1 order by 1""")
        self.assertEqual(shipped, "PUMP-1|2\nVALVE-1|8")
        rest = self.shipment_of("PO-1")
        self.assertNotIn(rest, ("", number))
        self.assertEqual(self.done(adapter, "shipment/1", "shipment", document)["number"], number)
        # The rest, from the order's number alone.
        order = self.number_of("sale_sale", "PO-1")
        lines = [{"item": "VALVE-1", "quantity": 2, "location": "A-02"}]
        receipt = self.done(adapter, "shipment/2", "shipment", {"order": order, "lines": lines})
        self.assertEqual(receipt["number"], rest)
        self.assertEqual(self.sql("select shipment_state from sale_sale where reference = 'PO-1'"), "sent")

    def test_12_from_two_bins_and_more_than_ordered(self):
        adapter, number = self.adapter(), self.shipment_of("PO-2")
        more = {"shipment": number, "lines": [{"item": "PUMP-1", "quantity": 40, "location": "A-01"}]}
        answer = self.apply(adapter, "shipment/3", "shipment", more)
        self.assertEqual(answer["verdict"], "refused")
        self.assertIn("too many", answer["detail"])
        document = {"shipment": number, "lines": [{"item": "PUMP-1", "quantity": 1, "location": "A-01"},
                                                  {"item": "PUMP-1", "quantity": 3, "location": "B-01"},
                                                  {"item": "HOUSING-1", "quantity": 20, "location": "A-01"}]}
        before = self.level("PUMP-1", "A-01"), self.level("PUMP-1", "B-01")
        self.done(adapter, "shipment/3", "shipment", document)
        self.assertEqual((before[0] - 1, before[1] - 3), (self.level("PUMP-1", "A-01"), self.level("PUMP-1", "B-01")))

    def test_13_moves_and_counts(self):
        adapter = self.adapter()
        before = self.level("VALVE-1", "A-02"), self.level("VALVE-1", "B-01")
        move = {"item": "VALVE-1", "quantity": "7", "from": "A-02", "to": "B-01", "unit": "u"}
        for _ in range(3):
            self.done(adapter, "move/1", "stock_move", move)
        self.assertEqual((before[0] - 7, before[1] + 7), (self.level("VALVE-1", "A-02"), self.level("VALVE-1", "B-01")))
        brass = {"item": "BRASS-1", "quantity": "0.25", "from": "B-01", "to": "QUARANTINE", "unit": "kg"}
        self.done(adapter, "move/2", "stock_move", brass)
        self.assertEqual(self.level("BRASS-1", "QUARANTINE"), Decimal("0.25"))
        for _ in range(2):
            self.done(adapter, "count/1", "count", {"location": "A-01", "lines": [{"item": "HOUSING-1", "quantity": "371"}]})
        self.assertEqual(self.level("HOUSING-1", "A-01"), 371)

    def test_14_many_moves_are_posted_in_parts(self):
        lines = [{"item": "VALVE-1", "quantity": 1} for _ in range(45)]
        before, started = self.level("VALVE-1", "A-02"), time.monotonic()
        self.done(self.adapter(), "move/many", "stock_move", {"from": "A-02", "to": "A-01", "lines": lines})
        tell(f"45 moves posted in {time.monotonic() - started:.1f} s")
        self.assertEqual(self.level("VALVE-1", "A-02"), before - 45)

    def test_15_a_receipt_of_a_part_is_put_away_and_the_rest_is_expected(self):
        order = self.number_of("purchase_purchase", "BUY-0")
        before = self.level("BRASS-1", "B-01"), self.level("BRASS-1", "A-02")
        document = {"order": order, "lines": [{"item": "BRASS-1", "quantity": "25.00", "location": "B-01", "unit": "kg"},
                                              {"item": "BRASS-1", "quantity": "5.25", "location": "A-02", "unit": "kg"}]}
        for _ in range(2):
            self.done(self.adapter(), "receipt/1", "receipt", document)
        self.assertEqual((before[0] + 25, before[1] + Decimal("5.25")), (self.level("BRASS-1", "B-01"), self.level("BRASS-1", "A-02")))
        expected = self.sql(f"""select p.code, sum(m.quantity) from stock_move m join product_product p on p.id = m.product
            join purchase_line l on m.origin = 'purchase.line,' || l.id join purchase_purchase o on o.id = l.purchase
            where o.number = '{order}' and m.state = 'draft' group by 1 order by 1""")
        self.assertEqual(expected, "BRASS-1|10\nSEAL-1|30")

    def test_16_production_is_reported_in_sums(self):
        adapter, order = self.adapter(), self.number_of("production", "MAKE-0")
        for good, final in (("1", False), ("3", False), ("3", False), ("2", False)):
            receipt = self.done(adapter, f"report/{good}", "production_report", {"order": order, "good": good, "final": final})
            self.assertEqual(receipt["state"], "running")
        self.assertEqual(Decimal(str(receipt["posted"])), 3)
        receipt = self.done(adapter, "report/end", "production_report", {"order": order, "good": "3", "final": True})
        self.assertEqual((receipt["state"], Decimal(str(receipt["posted"]))), ("done", 3))
        more = self.apply(adapter, "report/more", "production_report", {"order": order, "good": "9"})
        self.assertEqual(more["verdict"], "refused")
        over = self.number_of("production", "MAKE-1")
        receipt = self.done(adapter, "report/over", "production_report", {"order": over, "good": "6", "final": True})
        self.assertEqual(Decimal(str(receipt["posted"])), 6)

    def test_17_an_order_from_outside(self):
        adapter = self.adapter()
        customer = self.sql("select code from party_party where name = 'Globe Industrial'")
        document = {"customer": customer, "customer_reference": "850-77", "currency": "EUR",
                    "lines": [{"item": "VALVE-1", "quantity": 3, "unit": "u"}, {"item": "PUMP-1", "quantity": 1, "price": "119.95"}]}
        for _ in range(2):
            receipt = self.done(adapter, "order/850-77", "order", document)
        self.assertEqual(self.sql(f"select sum(quantity::numeric * unit_price) from sale_line where sale = {receipt['id']}")[:6], "254.95")
        self.assertNotEqual(self.shipment_of("HUB:order/850-77"), "")

    def test_18_a_server_that_is_away_and_back(self):
        adapter = self.adapter()
        move = {"item": "VALVE-1", "quantity": 1, "from": "A-02", "to": "B-01"}
        self.done(adapter, "move/before", "stock_move", move)
        self.erp.stop()
        self.assertEqual(self.apply(adapter, "move/away", "stock_move", move)["verdict"], "transient")
        with self.assertRaises(AdapterError) as raised:
            adapter.fetch()
        self.assertEqual(raised.exception.code, "unavailable")
        self.erp.start()
        self.done(adapter, "move/away", "stock_move", move)

    # --- killed at any moment ---

    def settle(self):
        """What the hub waits for by its `settle`: that calls of the dead are over."""
        quiet = "select count(*) from pg_stat_activity where datname = 'erp' and state <> 'idle' and pid <> pg_backend_pid()"
        calm = []
        wait_until("the ERP is quiet", lambda: calm.append(self.sql(quiet)) or calm[-3:] == ["0"] * 3, 60)

    def until_done(self, key, kind, document, kills, seconds):
        """Applies it with writers that are killed at random moments, then with one that is not."""
        killed = 0
        for _ in range(kills):
            adapter = self.adapter()
            adapter.send("apply", effect={"key": key, "type": kind, "subject": key, "document": document})
            moment = time.monotonic() + self.dice.random() * seconds
            try:
                adapter.patience = max(0.0, moment - time.monotonic())
                adapter.answer()
            except (TimeoutError, DriverGone):
                killed += 1
            adapter.kill()
            self.settle()
        self.done(self.adapter(), key, kind, document)
        return killed

    def work(self):
        for number in range(6):
            yield f"kill/move/{number}", "stock_move", {"item": "SEAL-1", "quantity": number + 1, "from": "A-02", "to": "B-01"}
        for number in range(8):
            lines = [{"item": "VALVE-1", "quantity": 2, "location": "A-02"}, {"item": "HOUSING-1", "quantity": 5, "location": "A-01"}]
            yield f"kill/shipment/{number}", "shipment", {"shipment": self.shipment_of(f"KILL-{number}"), "lines": lines}
        for number in range(1, 5):
            lines = [{"item": "SEAL-1", "quantity": 10, "location": "A-01"}, {"item": "SEAL-1", "quantity": 5, "location": "B-01"}]
            yield f"kill/receipt/{number}", "receipt", {"order": self.number_of("purchase_purchase", f"BUY-{number}"), "lines": lines}
        for number in range(2, 6):
            order = self.number_of("production", f"MAKE-{number}")
            yield f"kill/report/{number}a", "production_report", {"order": order, "good": 1}
            yield f"kill/report/{number}b", "production_report", {"order": order, "good": 3, "final": True}
        customer = self.sql("select code from party_party where name = 'Globe Industrial'")
        for number in range(4):
            yield f"kill/order/{number}", "order", {"customer": customer, "lines": [{"item": "PUMP-1", "quantity": 1, "price": "100"}]}
        for number in range(3):
            yield f"kill/count/{number}", "count", {"location": "B-01", "lines": [{"item": "PUMP-1", "quantity": number + 1}]}

    def test_21_nothing_is_done_twice_whenever_a_writer_is_killed(self):
        books = [("SEAL-1", "A-02"), ("SEAL-1", "A-01"), ("VALVE-1", "A-02"), ("HOUSING-1", "A-01")]
        before = {book: self.level(*book) for book in books}
        seals = self.level("SEAL-1", "B-01")
        made, started, killed, effects = Decimal(self.posted()), time.monotonic(), 0, 0
        for key, kind, document in self.work():
            killed += self.until_done(key, kind, document, kills=2, seconds=0.9)
            effects += 1
        for table, column in REFERENCES.items():
            twice = self.sql(f"select {column}, count(*) from {table} where {column} like 'HUB:%' group by 1 having count(*) > 1")
            self.assertEqual(twice, "", table)
        after = {book: self.level(*book) for book in books}
        self.assertEqual(after["SEAL-1", "A-02"], before["SEAL-1", "A-02"] - 21)
        self.assertEqual(after["SEAL-1", "A-01"], before["SEAL-1", "A-01"] + 40)
        self.assertEqual(self.level("SEAL-1", "B-01"), seals + 21 + 20)
        self.assertEqual(after["VALVE-1", "A-02"], before["VALVE-1", "A-02"] - 16)
        self.assertEqual(after["HOUSING-1", "A-01"], before["HOUSING-1", "A-01"] - 40)
        self.assertEqual(self.level("PUMP-1", "B-01"), 3)
        self.assertEqual(Decimal(self.posted()) - made, 12)
        for number in range(8):
            self.assertNotEqual(self.shipment_of(f"KILL-{number}"), "", "the valve that was not picked is ordered again")
        tell(f"{effects} effects, {killed} writers killed in {time.monotonic() - started:.0f} s: 0 duplicates, every level as it must be")

    def posted(self):
        return self.sql("select coalesce(sum(quantity), 0) from stock_move where production_output is not null and state = 'done'")

    def test_22_the_unique_index_refuses_the_second_of_two_writers(self):
        for statement in UNIQUE_REFERENCES:
            self.sql(statement)
        move = {"item": "SEAL-1", "quantity": 1, "from": "A-02", "to": "B-01"}
        writers = [self.adapter(models=[]) for _ in range(6)]
        for number in range(3):
            for writer in writers:
                writer.send("apply", effect={"key": f"race/{number}", "type": "stock_move", "subject": "", "document": move})
            verdicts = [writer.answer()["verdict"] for writer in writers]
            self.assertLessEqual(set(verdicts), {"done", "conflict", "transient"}, verdicts)
            self.done(writers[0], f"race/{number}", "stock_move", move)
            rows = self.sql(f"select count(*) from stock_shipment_internal where reference = 'HUB:race/{number}'")
            self.assertEqual(rows, "1")
        tell("3 times 6 writers without a fence: 1 document each")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=OPTIONS.build)
    parser.add_argument("--seed", type=int, default=OPTIONS.seed)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    OPTIONS.build, OPTIONS.seed = given.build, given.seed
    unittest.main(argv=[sys.argv[0], *given.names], verbosity=2)


if __name__ == "__main__":
    main()
