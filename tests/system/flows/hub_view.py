"""What the hub holds, asked over its API by whoever compares it with the counterparts."""
import urllib.parse
from decimal import Decimal

from tests.system.lab.client import Client


class HubView:
    def __init__(self, endpoints):
        self.client = Client(endpoints, timeout=5.0)

    def records(self, collection):
        """{key: value} of all records; nothing of a collection that nobody declared yet."""
        found, after = {}, ""
        while True:
            page = self.ask(f"/v1/collections/{collection}/records?limit=1000&after={urllib.parse.quote(after, safe='')}")
            if page is None:
                return found
            for record in page["records"]:
                found[record["key"]] = record["value"]
            after = page.get("next")
            if not after:
                return found

    def ask(self, path):
        answer = self.client.request("GET", path, deadline=20.0)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status} {answer.body[:300]!r}")
        return answer.json()

    def orders(self):
        return [key.removeprefix("erp/") for key in self.records("orders")]

    def shipments(self):
        return [key.removeprefix("wms/") for key, value in self.records("shipments").items() if value["status"] == "shipped"]

    def balances(self):
        found, after = [], ""
        while True:
            page = self.ask(f"/v1/collections/stock_moves/balances?limit=1000&after={urllib.parse.quote(after, safe='')}")
            if page is None:
                return found
            found += page["balances"]
            after = page.get("next")
            if not after:
                return found

    def positions(self):
        """{(item, lot, location): quantity} in the units of the WMS, pieces and grams."""
        found = {}
        for row in self.balances():
            quantity = Decimal(row["quantity"]) * (1000 if row["unit"] == "KGM" else 1)
            if quantity:
                found[(row["item"], row["lot"], row["location"])] = int(quantity)
        return found

    def ledger_sum(self):
        sums = {}
        for row in self.balances():
            sums[row["item"]] = sums.get(row["item"], Decimal(0)) + Decimal(row["quantity"])
        return sum(1 for total in sums.values() if total)

    # --- the kit's own records ---

    def letters(self, adapter=None):
        """Open dead letters: {key: letter}."""
        return {key: letter for key, letter in self.records("hub-letters").items()
                if letter["state"] in ("parked", "replay") and adapter in (None, letter["adapter"])}

    def effects(self, adapter=None):
        return {key: effect for key, effect in self.records("hub-effects").items() if adapter in (None, effect["adapter"])}

    def open(self):
        """How many messages and effects are parked, and how many effects are under way."""
        states = [effect["state"] for effect in self.effects().values()]
        return {"letters": len(self.letters()), "effects": sum(state in ("intent", "sent", "unknown") for state in states)}

    def balance_of_effects(self, adapter=None):
        """(in, acknowledged, parked, pending, refused) of effects: in = the sum of the others."""
        states = [effect["state"] for effect in self.effects(adapter).values()]
        count = {state: states.count(state) for state in ("acknowledged", "parked", "refused")}
        pending = sum(state in ("intent", "sent", "unknown") for state in states)
        return len(states), count["acknowledged"], count["parked"], pending, count["refused"]

    def placement(self):
        """{adapter: (node, epoch)}"""
        return {adapter: (row["node"], row["epoch"]) for adapter, row in self.records("hub-adapters").items()}
