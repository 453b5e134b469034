"""The WMS: the only one who knows where things are. Receives, puts away, picks, ships, counts, and reports every move."""
from decimal import Decimal

from .counterpart import Counterpart
from .erp import FINISHED, RAW

BINS = [f"A-{number:02}" for number in range(1, 9)]
RAW_BINS = ["R-01-BIN", "R-02-BIN"]
VIRTUAL = {"SUPPLIER": "supplier", "CUSTOMER": "customer", "PRODUCTION": "production", "LOSS": "loss"}
MOVES_A_FILE = 150
BLOCKED = "C-666"  # a customer that gets nothing: his orders are refused


def unit_of(item):
    return "g" if item.startswith("R-") else "pcs"


def home_of(item):
    return f"{item}-BIN" if item.startswith("R-") else BINS[FINISHED.index(item) * 2]


class Wms(Counterpart):
    name = "wms"

    def __init__(self, store, options):
        super().__init__(store, options)
        if not store.count(self.name, "location"):
            self.open_warehouse()

    def open_warehouse(self):
        with self.store.transaction():
            for code, kind in [*((code, "bin") for code in BINS + RAW_BINS), ("RECV", "dock"), ("DOCK", "dock"), *VIRTUAL.items()]:
                self.put("location", code, "active", {"type": kind})
                self.send("location", code, {"location": code, "type": kind, "parent": "" if code in VIRTUAL else "WAREHOUSE"})
            for item in FINISHED:
                self.put("lot", "OPENING-" + item, "released", {"item": item})
                if self.options.opening:
                    self.move(item, "OPENING-" + item, "SUPPLIER", home_of(item), self.options.opening, "opening")
            for item in sorted({raw for raw, _ in RAW.values()}):
                self.put("lot", "OPENING-" + item, "released", {"item": item})
                self.move(item, "OPENING-" + item, "SUPPLIER", home_of(item), 5_000_000, "opening")

    def live(self):
        self.ship()
        self.pick()
        self.receive_goods()
        self.walk()
        self.write_moves()

    # --- moves ---

    def move(self, item, lot, source, target, quantity, reason, reference=""):
        number = f"M-{self.store.next_number('move'):08}"
        self.store.move(self.name, number, item, lot, source, target, quantity, reason, reference)
        return number

    def write_moves(self, most=MOVES_A_FILE):
        """Moves go out many in a file, in the order in which they happened."""
        while True:
            rows = self.store.rows("select id, item, lot, source, target, quantity, reason, reference from moves"
                                   " where system = 'wms' and sent = 0 order by id limit ?", most)
            if not rows:
                return
            documents = [{"move": number, "item": item, "lot": lot, "from": source, "to": target, "qty": str(quantity),
                          "uom": unit_of(item), "reason": reason, "reference": reference}
                         for number, item, lot, source, target, quantity, reason, reference in rows]
            self.send("moves", f"{self.store.next_number('moves_file'):06}", documents)
            self.store.run("update moves set sent = 1 where system = 'wms' and id between ? and ?", rows[0][0], rows[-1][0])
            if len(rows) < most:
                return

    # --- orders (940), picking, shipping (945) ---

    def on_order(self, document):
        number, revision = document["order"], int(document["revision"])
        known = self.get("order", number)
        if known is not None and revision <= known["revision"]:
            return
        wanted = {line["no"]: line for line in document["lines"]}
        if known is None:
            lines = {no: {"item": line["item"], "ordered": int(Decimal(line["qty"])), "picked": 0, "shipped": 0, "cancelled": 0}
                     for no, line in wanted.items()}
            known = {"number": number, "revision": revision, "customer": document["customer"], "lines": lines, "short": False}
            if document["state"] == "cancelled":
                self.cancel(known)
            elif document["customer"] == BLOCKED:
                self.cancel(known)
                self.respond(known, "refused")
        else:
            known["revision"] = revision
            answer = self.cancel(known) if document["state"] == "cancelled" else self.change(known, wanted)
            self.respond(known, answer)
        self.put_order(known)

    def put_order(self, order):
        done = all(one["shipped"] + one["cancelled"] >= one["ordered"] for one in order["lines"].values())
        self.put("order", order["number"], "closed" if done else "open", order)

    def cancel(self, order):
        """What is picked leaves; the rest is cancelled."""
        for one in order["lines"].values():
            one["cancelled"] = one["ordered"] - one["picked"]
        return "accepted"

    def change(self, order, wanted):
        lines = order["lines"]
        quantities = {no: int(Decimal(line["qty"])) for no, line in wanted.items()}
        if any(no not in quantities or quantities[no] < one["picked"] + one["cancelled"] for no, one in lines.items()):
            return "refused"
        for no, one in lines.items():
            one["ordered"] = quantities[no]
        return "accepted"

    def respond(self, order, answer):
        lines = [{"no": no, "item": one["item"], "ordered": str(one["ordered"]), "cancelled": str(one["cancelled"]), "uom": "pcs"}
                 for no, one in order["lines"].items()]
        self.send("response", order["number"], {"order": order["number"], "revision": order["revision"], "answer": answer,
                                                "lines": lines}, order["revision"])

    def pickable(self):
        """{item: [(lot, location, quantity)]} of what is released and in a bin."""
        released = {lot for lot, _ in self.all("lot", "released")}
        found = {}
        for (item, lot, location), quantity in sorted(self.store.stock(self.name).items()):
            if location in BINS and quantity > 0 and lot in released:
                found.setdefault(item, []).append([lot, location, quantity])
        return found

    def pick(self):
        stock = self.pickable()
        for number, order in self.all("order", "open"):
            shipment = []
            for no, one in order["lines"].items():
                missing = one["ordered"] - one["cancelled"] - one["picked"]
                if missing <= 0 or missing > sum(lot[2] for lot in stock.get(one["item"], [])):
                    continue
                # Sometimes a bin holds less than it should at first sight: the rest follows with another shipment.
                if missing > 1 and not order["short"] and self.random.random() < self.options.short_picks:
                    order["short"] = True
                    missing -= 1
                shipment += self.pick_line(number, no, one, missing, stock[one["item"]])
            if shipment:
                key = f"S-{self.store.next_number('shipment'):06}"
                self.put("shipment", key, "picked", {"shipment": key, "order": number, "customer": order["customer"], "lines": shipment})
                self.put_order(order)

    def pick_line(self, number, no, one, missing, stock):
        taken = []
        for lot in stock:
            quantity = min(missing, lot[2])
            if quantity > 0:
                self.move(one["item"], lot[0], lot[1], "DOCK", quantity, "pick", number)
                taken.append({"no": no, "item": one["item"], "lot": lot[0], "qty": str(quantity), "uom": "pcs"})
                lot[2] -= quantity
                missing -= quantity
                one["picked"] += quantity
        return taken

    def ship(self):
        for key, shipment in self.all("shipment", "picked"):
            order = self.get("order", shipment["order"])
            gone = []
            for line in shipment["lines"]:
                quantity, known = int(line["qty"]), order["lines"][line["no"]]
                if self.lot_state(line["lot"]) != "released":  # put on hold since it was picked
                    self.move(line["item"], line["lot"], "DOCK", home_of(line["item"]), quantity, "transfer", key)
                    known["picked"] -= quantity
                    continue
                self.move(line["item"], line["lot"], "DOCK", "CUSTOMER", quantity, "ship", key)
                known["shipped"] += quantity
                gone.append(line)
            self.put_order(order)
            self.put("shipment", key, "shipped" if gone else "dissolved", {**shipment, "lines": gone})
            if gone:
                self.send("shipment", key, {"shipment": key, "order": shipment["order"], "revision": 1, "status": "shipped",
                                            "customer": shipment["customer"], "carrier": "ACME", "lines": gone})

    # --- from the machines, from the laboratory ---

    def on_report(self, document):
        """Puts away what a machine made since its last report, takes out what it used."""
        number = document["job"]
        made = self.get("made", number) or {"sessions": {}}
        grown = self.take_sessions(made["sessions"], document)
        item, lot = document["item"], document["lot"]
        if grown["good"]:
            self.move(item, lot, "PRODUCTION", home_of(item), grown["good"], "production", number)
        if grown["scrap"]:
            self.move(item, lot, "PRODUCTION", "LOSS", grown["scrap"], "scrap", number)
        raw, grams = RAW[item]
        used = grams * (grown["good"] + grown["scrap"])
        if used:
            self.move(raw, "OPENING-" + raw, home_of(raw), "PRODUCTION", used, "consumption", number)
        if self.lot_state(lot) is None:
            self.put("lot", lot, "unknown", {"item": item, "job": number})
        self.put("made", number, "", made)

    def lot_state(self, lot):
        return self.store.value("select state from objects where system = 'wms' and kind = 'lot' and key = ?", lot)

    def on_lot(self, document):
        known = self.get("lot", document["lot"]) or {"item": document["item"]}
        if int(document["run"]) <= known.get("run", 0):
            return
        known["run"] = int(document["run"])
        self.put("lot", document["lot"], document["status"], known)

    def scrap_rejected(self):
        for lot, known in self.all("lot", "rejected"):
            for (item, of, location), quantity in sorted(self.store.stock(self.name).items()):
                if of == lot and location in BINS and quantity > 0:
                    self.move(item, lot, location, "LOSS", quantity, "scrap", "rejected")

    # --- purchases (944) ---

    def on_purchase(self, document):
        if self.get("receipt", "R-" + document["order"]) is None and document["state"] == "confirmed":
            self.put("receipt", "R-" + document["order"], "expected", {"order": document["order"], "lines": document["lines"]})

    def receive_goods(self):
        for state, then, source, target, reason in (("received", "put_away", "RECV", None, "put_away"),
                                                    ("expected", "received", "SUPPLIER", "RECV", "receipt")):
            for key, receipt in self.all("receipt", state):
                lines = []
                for line in receipt["lines"]:
                    grams = int(Decimal(line["qty"]) * 1000)
                    lot = "OPENING-" + line["item"]
                    self.move(line["item"], lot, source, target or home_of(line["item"]), grams, reason, key)
                    lines.append({"no": line["no"], "item": line["item"], "lot": lot, "received": line["qty"],
                                  "put_away": line["qty"] if then == "put_away" else "0", "uom": "kg"})
                self.put("receipt", key, then, receipt)
                self.send("receipt", key, {"receipt": key, "order": receipt["order"], "status": then, "lines": lines},
                          2 if then == "put_away" else 1)

    # --- counts and tidying up ---

    def walk(self):
        """While there is work, somebody counts a bin now and then, or moves a lot to the bin beside it."""
        self.scrap_rejected()
        if not self.store.count(self.name, "order", "open"):
            return
        if self.ticks % 30 == 17 and self.options.counts:
            self.count()
        if self.ticks % 30 == 2 and self.options.transfers:
            stock = [(place, quantity) for place, quantity in sorted(self.store.stock(self.name).items())
                     if place[2] in BINS and quantity > 1]
            if stock:
                (item, lot, location), quantity = self.random.choice(stock)
                self.move(item, lot, location, self.random.choice([code for code in BINS if code != location]), quantity // 2, "transfer")

    def count(self):
        stock = [row for row in self.store.rows("select item, lot, location, quantity, last_move from stock where system = 'wms'"
                                                " order by item, lot, location") if row[2] in BINS and row[3] > 0]
        if not stock:
            return
        item, lot, location, book, last_move = self.random.choice(stock)
        counted = max(0, book + self.random.choice([0, 0, -1, 1]))
        key = f"CC-{self.store.next_number('count'):05}"
        self.put("count", key, "proposed", {"item": item, "lot": lot, "location": location, "book": book, "counted": counted,
                                            "last_move": last_move})
        self.send_count(key, "proposed")

    def send_count(self, key, status):
        one = self.get("count", key)
        self.send("count", key, {"count": key, "item": one["item"], "lot": one["lot"], "location": one["location"],
                                 "counted": str(one["counted"]), "book": str(one["book"]), "uom": unit_of(one["item"]),
                                 "revision": str(1 if status == "proposed" else 2), "status": status}, 1 if status == "proposed" else 2)

    def on_approval(self, document):
        """A count that is older than the last move of its bin says nothing about the bin any more: it is refused."""
        key = document["count"]
        one = self.get("count", key)
        last_move = self.store.value("select last_move from stock where system = 'wms' and item = ? and lot = ? and location = ?",
                                     one["item"], one["lot"], one["location"])
        good = document["decision"] == "approved" and last_move == one["last_move"]
        difference = one["counted"] - one["book"]
        if good and difference:
            source, target = ("LOSS", one["location"]) if difference > 0 else (one["location"], "LOSS")
            self.move(one["item"], one["lot"], source, target, abs(difference), "count", key)
        self.put("count", key, "applied" if good else "refused", one)
        self.send_count(key, "approved" if good else "rejected")

    def stock_rows(self):
        """The stock as a report: one row for each item, lot and place."""
        return [{"item": item, "lot": lot, "location": location, "qty": str(quantity), "uom": unit_of(item)}
                for (item, lot, location), quantity in sorted(self.store.stock(self.name).items())]


def moves_of(store, system, reason):
    """{reference: quantity} of the moves for one reason."""
    return dict(store.rows("select reference, sum(quantity) from moves where system = ? and reason = ? group by reference", system, reason))
