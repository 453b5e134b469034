"""What the three counterparts hold, compared: read from their own database, and with what the hub says if it is asked too.

Each row of the table is (what, {who: how many}, differences); a row is clean without differences."""
import json
from decimal import Decimal


class Row:
    def __init__(self, what, counts, differences):
        self.what, self.counts, self.differences = what, counts, list(differences)

    def clean(self):
        return not self.differences

    def text(self):
        counts = "  ".join(f"{who} {count}" for who, count in self.counts.items())
        return f"{self.what:<34} {counts:<46} {'=' if self.clean() else f'{len(self.differences)} DIFFERENT'}"


def sets(what, **named):
    """Every one holds the same keys."""
    whole = set().union(*named.values())
    differences = [f"{key} is not in {who}" for who, keys in named.items() for key in sorted(whole - set(keys))]
    return Row(what, {who: len(keys) for who, keys in named.items()}, differences)


def maps(what, **named):
    """Every one holds the same value under each key; what is missing counts as nothing."""
    whole = sorted(set().union(*named.values()))
    differences = []
    for key in whole:
        values = {who: found.get(key) for who, found in named.items()}
        if len(set(values.values())) > 1:
            differences.append(f"{key}: {values}")
    return Row(what, {who: len(found) for who, found in named.items()}, differences)


def zeros(what, **named):
    return Row(what, named, [f"{who}: {count}" for who, count in named.items() if count])


def lines_of(orders):
    return {(number, line): (one["item"], one["ordered"], one["cancelled"], one["shipped"])
            for number, order in orders for line, one in order["lines"].items()}


def orders(store, hub=None):
    erp, wms = store.all("erp", "order"), store.all("wms", "order")
    hub_keys = {} if hub is None else {"hub": set(hub.orders())}
    shipments = {key: shipment for key, shipment in store.all("wms", "shipment", "shipped")}
    booked = [key for _, order in erp for key in order["shipments"]]
    hub_shipments = {} if hub is None else {"hub": set(hub.shipments())}
    uneven = [f"{number}/{line}: {one}" for number, order in erp for line, one in order["lines"].items()
              if one["shipped"] + one["cancelled"] != one["ordered"]]
    return [
        sets("orders in", erp={key for key, _ in erp}, wms={key for key, _ in wms}, **hub_keys),
        maps("lines: ordered, cancelled, shipped", erp=lines_of(erp), wms=lines_of(wms)),
        Row("shipped + cancelled = ordered", {"lines": sum(len(order["lines"]) for _, order in erp)}, uneven),
        sets("shipments out", wms=set(shipments), erp=set(booked), **hub_shipments),
        zeros("shipments booked twice", erp=len(booked) - len(set(booked))),
    ]


def positions(store, system):
    return {key: quantity for key, quantity in store.stock(system).items()}


def moves(store, system):
    found = store.rows("select id, item, lot, source, target, quantity, reason from moves where system = ?", system)
    return {row[0]: row[1:] for row in found}


def stock(store, hub=None, erp=True):
    sums = {system: sum(abs(row[0]) for row in store.rows("select sum(quantity) from stock where system = ? group by item", system))
            for system in ("wms", "erp")}
    named = {"wms": positions(store, "wms")}
    made = {"wms": moves(store, "wms")}
    if erp:
        named["erp"], made["erp"] = positions(store, "erp"), moves(store, "erp")
    if hub is not None:
        named["hub"], sums["hub"] = hub.positions(), hub.ledger_sum()
    return [maps("moves, each to the digit", **made), maps("stock by item, lot and place", **named),
            zeros("ledger, summed over all places", **sums)]


def sums_of(sessions):
    return (sum(one["good"] for one in sessions.values()), sum(one["scrap"] for one in sessions.values()))


def production(store):
    jobs = store.all("mes", "job")
    mes = {number: sums_of(job["made"]) for number, job in jobs if job["made"]}
    erp = {number: sums_of(made["sessions"]) for number, made in store.all("erp", "production") if made["sessions"]}
    wms = {}
    for number in mes:
        posted = dict(store.rows("select reason, sum(quantity) from moves where system = 'wms' and reference = ?"
                                 " and reason in ('production', 'scrap') group by reason", number))
        wms[number] = (posted.get("production", 0), posted.get("scrap", 0))
    erp = {number: made for number, made in erp.items() if any(made) or number in mes}
    cancelled = {number for number, _ in store.all("erp", "production", "aborted")}
    alive = {number for number, _ in jobs} - {number for number, _ in store.all("mes", "job", "aborted")}
    return [sets("production orders", erp={key for key, _ in store.all("erp", "production")}, mes={key for key, _ in jobs}),
            maps("made: good and scrap", mes=mes, erp=erp, wms=wms),
            zeros("cancelled orders that the MES has", mes=len(cancelled & alive))]


def quality(store):
    sent = {json.loads(text)["result"]: json.loads(text)["verdict"]
            for (text,) in store.rows("select document from outbox where system = 'mes' and type = 'quality'")}
    known = {key: one["verdict"] for key, one in store.all("erp", "quality")}
    bad = [f"{lot} ({state}): {quantity}" for lot, state, quantity in store.rows(
        "select stock.lot, objects.state, stock.quantity from stock join objects on objects.system = 'wms' and objects.kind = 'lot'"
        " and objects.key = stock.lot where stock.system = 'wms' and stock.location = 'CUSTOMER' and stock.quantity != 0"
        " and objects.state != 'released'")]
    return [maps("verdicts", mes=sent, erp=known), Row("shipped from lots not released", {"lots": len(bad)}, bad)]


def purchases(store):
    bought = store.all("erp", "purchase")
    uneven = [f"{number}: {one}" for number, one in bought
              if not Decimal(one["received"]) == Decimal(one["put_away"]) == Decimal(one["ordered"])]
    return [Row("received = put away = ordered", {"orders": len(bought)}, uneven)]


def deliveries(store):
    doubled = {system: store.value("select coalesce(sum(times - 1), 0) from received where system = ?", system)
               for system in ("erp", "mes", "wms")}
    refused = {system: store.count(system, "refused") for system in ("erp", "mes", "wms")}
    return [zeros("documents delivered twice", **doubled), zeros("documents refused", **refused)]


def table(store, hub=None):
    rows = [*orders(store, hub), *stock(store, hub), *production(store), *quality(store), *purchases(store), *deliveries(store)]
    if hub is not None:
        rows.append(zeros("waiting or parked in the hub", **hub.open()))
    return rows


def accuracy(store, hub):
    """Stock positions that are equal, of all: (equal, all)."""
    here, there = positions(store, "wms"), hub.positions()
    keys = set(here) | set(there)
    return sum(here.get(key) == there.get(key) for key in keys), len(keys)
