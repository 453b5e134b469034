"""Much at once, as files: moves by the hundred thousand, orders by the thousand a second."""
import json
import pathlib
import random

from .files import write_whole
from .wms import BINS

ITEMS_MAX = 500


def write_moves(plant, count, rows_a_file=150, seed=7, items=ITEMS_MAX, first=1):
    """`count` moves that the WMS makes and reports, numbered from `first`: receipts, then moves between bins. How many files that makes."""
    choose = random.Random(seed)
    wms, store = plant.wms, plant.store
    on_hand = {(item, place): quantity for (item, _, place), quantity in store.stock("wms").items()}
    last = first + count - 1
    number, files, rows = first - 1, 0, []
    with store.transaction():
        while number < last:
            number += 1
            item = f"B-{choose.randrange(items):04}"
            held = [place for place in BINS if on_hand.get((item, place), 0) > 0]
            if not held or choose.random() < 0.2:
                source, target, quantity, reason = "SUPPLIER", choose.choice(BINS), choose.randint(10, 500), "receipt"
            else:
                source = choose.choice(held)
                target, reason = (("CUSTOMER", "ship") if choose.random() < 0.3 else (choose.choice(BINS), "transfer"))
                quantity = choose.randint(1, on_hand[(item, source)])
            if source == target:
                number -= 1
                continue
            on_hand[(item, source)] = on_hand.get((item, source), 0) - quantity
            on_hand[(item, target)] = on_hand.get((item, target), 0) + quantity
            name = f"B-{number:08}"
            store.move("wms", name, item, "-", source, target, quantity, reason, "bulk", 1)
            rows.append({"move": name, "item": item, "lot": "-", "from": source, "to": target, "qty": str(quantity), "uom": "pcs",
                         "reason": reason, "reference": "bulk"})
            if len(rows) == rows_a_file or number == last:
                files += 1
                wms.send("moves", f"bulk-{first:08}-{files:04}", rows)
                rows = []
    return files


def write_orders(directory, count, rows_a_file=500, seed=7, first=1, files_first=1):
    """`count` orders as NDJSON, one an order, straight into `directory`. The names of the files."""
    choose = random.Random(seed)
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    names, at = [], first
    while at < first + count:
        lines = []
        for number in range(at, min(at + rows_a_file, first + count)):
            quantity = choose.randint(1, 99)
            lines.append(json.dumps(
                {"number": f"BO-{number:08}", "revision": 1, "state": "confirmed", "customer": f"C-{choose.randint(100, 999)}",
                 "customer_ref": f"PO {number}", "date": "2026-11-02", "currency": "EUR", "total": f"{quantity * 2}.50", "note": "",
                 "lines": [{"no": "10", "item": f"B-{choose.randrange(ITEMS_MAX):04}", "qty": f"{quantity}.000", "uom": "pcs",
                            "price": "2.00", "amount": f"{quantity * 2}.00"}]}, separators=(",", ":")))
        names.append(f"orders-{files_first + len(names):06}.ndjson")
        write_whole(directory / names[-1], "\n".join(lines) + "\n")
        at += rows_a_file
    return names
