"""The ERP: sells, plans what is short, buys, and books what the others report."""
from decimal import Decimal

from .counterpart import Counterpart

FINISHED = ["F-01", "F-02", "F-03", "F-04"]
PRICES = {"F-01": Decimal("12.50"), "F-02": Decimal("7.20"), "F-03": Decimal("99.95"), "F-04": Decimal("0.35")}
RAW = {"F-01": ("R-01", 250), "F-02": ("R-01", 120), "F-03": ("R-02", 900), "F-04": ("R-02", 15)}  # grams a piece
SELLABLE = ("A-", "DOCK")  # where stock counts for promises
SHORT_CHECKS = 4  # a shortage is believed when it was seen so often in a row


class Erp(Counterpart):
    """`balances`: a function that gives {item: pieces on hand} as the hub knows it, or None when it cannot be asked now."""

    name = "erp"

    def __init__(self, store, options, balances):
        super().__init__(store, options)
        self.balances = balances
        self.short = {}
        if not store.count(self.name, "item"):
            self.put_items()

    def put_items(self):
        with self.store.transaction():
            for code in FINISHED:
                self.put("item", code, "active", {"uom": "pcs"})
                self.send("item", code, {"item": code, "description": f"Product {code}", "uom": "pcs", "group": "finished"})
            for code in sorted({code for code, _ in RAW.values()}):
                self.put("item", code, "active", {"uom": "kg"})
                self.send("item", code, {"item": code, "description": f"Raw material {code}", "uom": "kg", "group": "raw"})

    def live(self):
        for _ in range(self.options.orders_a_tick):
            if self.store.count(self.name, "order") < self.options.orders:
                self.sell()
        self.change_orders()
        self.buy()
        if self.ticks % 5 == 0:
            self.plan()

    # --- sales orders ---

    def sell(self, lines_max=3, customer=None):
        number = f"SO-{self.store.next_number('order'):06}"
        lines = {}
        for place in range(self.random.randint(1, lines_max)):
            item = self.random.choice(FINISHED)
            lines[str(10 * (place + 1))] = {"item": item, "ordered": self.random.randint(1, 12), "shipped": 0, "cancelled": 0}
        changes = self.random.random() < self.options.changes
        order = {"number": number, "revision": 1, "customer": customer or f"C-{self.random.randint(100, 199)}", "lines": lines,
                 "state": "confirmed", "change_at": self.ticks + self.random.randint(2, 20) if changes else 0, "shipments": [],
                 "answer": ""}
        self.put("order", number, "open", order)
        self.send("order", number, self.order_document(order))
        return number

    def order_document(self, order):
        lines, total = [], Decimal(0)
        for line, one in order["lines"].items():
            price = PRICES[one["item"]]
            amount = price * one["ordered"]
            total += amount
            lines.append({"no": line, "item": one["item"], "qty": f"{one['ordered']}.000", "uom": "pcs", "price": str(price),
                          "amount": str(amount)})
        return {"number": order["number"], "revision": order["revision"], "state": order["state"], "customer": order["customer"],
                "customer_ref": "PO " + order["number"][3:], "date": "2026-11-02", "currency": "EUR", "total": str(total), "note": "",
                "lines": lines}

    def change_orders(self):
        """Some orders change their minds: another quantity, or no order at all."""
        for number, order in self.all("order", "open"):
            if not order["change_at"] or self.ticks < order["change_at"]:
                continue
            if self.random.random() < 0.5:
                self.change(number, order, {}, "cancelled")
            else:
                self.change(number, order, {self.random.choice(sorted(order["lines"])): self.random.randint(1, 12)})

    def change(self, number, order, quantities, state=None):
        """A new revision, with other quantities of some lines; what becomes of it the WMS says."""
        order["change_at"] = 0
        order["revision"] += 1
        wanted = {**order, "lines": {line: dict(one) for line, one in order["lines"].items()}}
        wanted["state"] = state or order["state"]
        for line, quantity in quantities.items():
            wanted["lines"][line]["ordered"] = quantity
        order["answer"] = "awaited"
        order["wanted"] = {line: one["ordered"] for line, one in wanted["lines"].items()}
        self.put("order", number, "open", order)
        self.send("order", number, self.order_document(wanted), order["revision"])

    def on_response(self, document):
        """The WMS took an order or a change, or did not; either way it says what each line is now."""
        order = self.get("order", document["order"])
        order["answer"] = document["answer"]
        for line in document["lines"]:
            known = order["lines"][line["no"]]
            known["ordered"], known["cancelled"] = int(line["ordered"]), int(line["cancelled"])
        self.book(order)

    def on_shipment(self, document):
        order = self.get("order", document["order"])
        order["shipments"].append(document["shipment"])
        for line in document["lines"]:
            order["lines"][line["no"]]["shipped"] += int(Decimal(line["qty"]))
        self.book(order)

    def book(self, order):
        done = all(one["shipped"] + one["cancelled"] >= one["ordered"] for one in order["lines"].values())
        waits = order["answer"] == "awaited" or order["change_at"]
        self.put("order", order["number"], "closed" if done and not waits else "open", order)

    # --- production ---

    def plan(self):
        """Orders what the open sales orders need beyond what is there and on its way."""
        on_hand = self.balances()
        if on_hand is None:
            return
        need = {}
        for _, order in self.all("order", "open"):
            for one in order["lines"].values():
                need[one["item"]] = need.get(one["item"], 0) + max(0, one["ordered"] - one["cancelled"] - one["shipped"])
        coming = {}
        for number, made in self.all("production", "open"):
            stored = self.store.value("select sum(quantity) from moves where system = 'erp' and reference = ? and reason = 'production'",
                                      number) or 0
            coming[made["item"]] = coming.get(made["item"], 0) + max(0, made["quantity"] - stored)
        for item in FINISHED:
            missing = need.get(item, 0) - on_hand.get(item, 0) - coming.get(item, 0)
            self.short[item] = self.short.get(item, 0) + 1 if missing > 0 else 0
            if self.short[item] >= SHORT_CHECKS:
                self.short[item] = 0
                self.produce(item, max(missing, 20))

    def produce(self, item, quantity):
        number = f"MO-{self.store.next_number('production'):06}"
        made = {"number": number, "revision": 1, "item": item, "quantity": quantity, "lot": "L" + number[3:], "sessions": {},
                "state": "firm"}
        self.put("production", number, "open", made)
        self.send("production", number, self.production_document(made))
        return number

    def production_document(self, made):
        raw, grams = RAW[made["item"]]
        return {"number": made["number"], "revision": made["revision"], "state": made["state"], "item": made["item"],
                "qty": str(made["quantity"]), "uom": "pcs", "lot": made["lot"], "due": "2026-11-30",
                "components": [{"item": raw, "qty": str(Decimal(grams * made["quantity"]) / 1000), "uom": "kg"}]}

    def cancel_production(self, number):
        """Takes a production order back; the MES stops where it is."""
        with self.store.transaction():
            made = self.get("production", number)
            made["state"], made["revision"] = "aborted", made["revision"] + 1
            self.put("production", number, "aborted", made)
            self.send("production", number, self.production_document(made), made["revision"])

    def on_report(self, document):
        made = self.get("production", document["job"])
        self.take_sessions(made["sessions"], document)
        good = sum(one["good"] for one in made["sessions"].values())
        state = "aborted" if made["state"] == "aborted" else "closed" if good >= made["quantity"] else "open"
        self.put("production", document["job"], state, made)

    def on_quality(self, document):
        self.put("quality", document["result"], document["verdict"], document)

    # --- purchases ---

    def buy(self):
        if self.ticks % 40 != 1 or self.store.count(self.name, "purchase") >= self.options.purchases:
            return
        number = f"PO-{self.store.next_number('purchase'):04}"
        item = self.random.choice(["R-01", "R-02"])
        kilos = self.random.randint(20, 60)
        self.put("purchase", number, "open", {"item": item, "ordered": kilos, "received": 0, "put_away": 0})
        self.send("purchase", number, {"number": number, "revision": 1, "state": "confirmed", "supplier": "S-7",
                                       "lines": [{"no": "1", "item": item, "qty": str(kilos), "uom": "kg"}]})

    def on_receipt(self, document):
        bought = self.get("purchase", document["order"])
        for line in document["lines"]:
            for what in ("received", "put_away"):
                bought[what] = max(Decimal(str(bought[what])), Decimal(line.get(what) or 0))
                bought[what] = str(bought[what])
        state = "closed" if Decimal(bought["put_away"]) >= bought["ordered"] else "open"
        self.put("purchase", document["order"], state, bought)

    # --- stock ---

    def on_move(self, document):
        scale = 1000 if document["uom"] == "kg" else 1
        quantity = Decimal(document["qty"]) * scale
        if quantity != int(quantity):
            raise ValueError(f"{document['qty']} {document['uom']} is no whole number of the smallest unit")
        self.store.move(self.name, document["move"], document["item"], document["lot"], document["from"], document["to"], int(quantity),
                        document["reason"], document.get("reference", ""), 1)

    def on_count(self, document):
        """A proposed count is approved unless the difference is out of all proportion."""
        counted, book = Decimal(document["counted"]), Decimal(document["book"])
        decision = "approved" if abs(counted - book) <= max(5, abs(book) / 2) else "rejected"
        self.put("count", document["count"], decision, document)
        self.send("approval", document["count"], {"count": document["count"], "decision": decision, "by": "K. Meier"})
