"""A hub of a few lines, without any of its promises: carries documents between the counterparts of a plant in this process, so that the
plant itself can be tested. What goes where is what config/examples/plant says."""
import json

from .files import text_of

KEYS = {"order": lambda d: f"order/{d['number']}/{d['revision']}", "job": lambda d: f"job/{d['number']}/{d['revision']}"}


class Loopback:
    def __init__(self, plant):
        self.plant = plant
        self.sent = 0

    def step(self):
        """Takes everything that was sent and hands it on."""
        store = self.plant.store
        rows = store.rows("select seq, system, type, name, document, harm from outbox where seq > ? order by seq", self.sent)
        for seq, system, kind, name, text, _ in rows:
            self.sent = seq
            document = json.loads(text)
            text_of(kind, document)
            getattr(self, f"from_{system}_{kind}", self.nothing)(name, document)

    def nothing(self, name, document):
        pass

    def give(self, system, kind, key, document):
        self.plant.parties[system].receive(kind, key, document)

    def from_erp_order(self, name, document):
        self.give("wms", "order", name, {**document, "order": document["number"]})

    def from_erp_production(self, name, document):
        self.give("mes", "job", name, {**document, "job": document["number"]})

    def from_erp_purchase(self, name, document):
        self.give("wms", "purchase", name, {**document, "order": document["number"]})

    def from_erp_approval(self, name, document):
        self.give("wms", "approval", name, document)

    def from_mes_report(self, name, document):
        item = self.plant.store.get("erp", "production", document["job"])["item"]
        self.give("erp", "report", name, document)
        self.give("wms", "report", name, {**document, "item": item})

    def from_mes_quality(self, name, document):
        self.give("erp", "quality", name, document)
        status = {"passed": "released", "hold": "hold", "failed": "rejected"}[document["verdict"]]
        self.give("wms", "lot", name, {"lot": document["lot"], "item": document["item"], "status": status, "run": document["run"]})

    def from_wms_shipment(self, name, document):
        self.give("erp", "shipment", name, document)

    def from_wms_response(self, name, document):
        self.give("erp", "response", name, document)

    def from_wms_receipt(self, name, document):
        self.give("erp", "receipt", name, document)

    def from_wms_count(self, name, document):
        if document["status"] == "proposed":
            self.give("erp", "count", name, document)

    def from_wms_moves(self, name, document):
        for move in document:
            kilos = move["uom"] == "g"
            self.give("erp", "move", move["move"], {**move, "uom": "kg", "qty": str(int(move["qty"]) / 1000)} if kilos else move)
