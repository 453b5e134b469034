"""How much and how fast: orders a second through the file adapter, stock accuracy while moves come in and after, the time from a file to a
record on another node.

    python3 -m tests.system.flows.volume_test --build DIR [-k name]
"""
import json
import random
import time

from tests.system.plant.bulk import write_moves, write_orders
from tests.system.plant.files import write_whole

from . import harness
from .harness import FULL, FlowCase, HubView, tell, wait_until

ORDERS = 40_000 if FULL else 4_000
MOVES = 100_000 if FULL else 6_000
SETTLED_SECONDS = 2.0  # a position that nothing moved for so long counts at a cut
BATCH = 150


def without_exports(factory, adapter):
    """Only what comes in: the exports are left out of its definition."""
    path = factory.adapters / f"{adapter}.toml"
    text = path.read_text(encoding="utf-8")
    for table in ("[[export]]", "[[reconcile]]"):
        if table in text:
            text = text[:text.index(table)]
    path.write_text(text, encoding="utf-8")


class Volume(FlowCase):
    def single(self, adapter):
        made = self.factory(start=False, adapters=(adapter,), orders=0, purchases=0, counts=False, transfers=False, opening=0)
        without_exports(made, adapter)
        made.start()
        made.wait_placed()
        return made

    @staticmethod
    def count(made, collection):
        return made.hub.ask(f"/v1/collections/{collection}")["records"]

    def test_orders_a_second(self):
        made = self.single("erp")
        staged = made.directory / "staged"
        names = write_orders(staged, ORDERS)
        began, worked = time.monotonic(), made.cluster.cpu_seconds()
        for name in names:
            (staged / name).rename(made.plant.directory / "erp" / "in" / name)
        wait_until(lambda: self.count(made, "orders") >= ORDERS, 300, f"{ORDERS} orders in the hub")
        seconds, worked = time.monotonic() - began, made.cluster.cpu_seconds() - worked
        tell(f"{ORDERS} orders from files in {seconds:.2f} s: {ORDERS / seconds:.0f} orders/s, each with its lines and its inbox row; "
             f"the three nodes worked {worked:.2f} s of processor time, {1e6 * worked / ORDERS:.0f} us an order")
        self.assertEqual(made.hub.letters(), {})
        self.assertGreater(ORDERS / seconds, 200 / harness.SLOWNESS)
        for name in names:  # the same once more: nothing new
            write_whole(made.plant.directory / "erp" / "in" / name, (made.plant.directory / "erp" / "archive").glob(
                name.replace(".ndjson", ".*")).__next__().read_text(encoding="utf-8"))
        wait_until(lambda: not list((made.plant.directory / "erp" / "in").glob("orders-*")), 60, "the repeated files taken")
        self.assertEqual(self.count(made, "orders"), ORDERS)
        self.assertEqual({record["version"] for record in made.hub.client.list_all("orders").values()}, {1})

    def test_stock_accuracy(self):
        made = self.single("wms")
        changed, accuracies = {}, []
        began = time.monotonic()
        for start in range(0, MOVES, BATCH):
            with made.plant.lock:
                before = made.plant.store.stock("wms")
                write_moves(made.plant, BATCH, rows_a_file=BATCH, seed=start, first=start + 1)
                after = made.plant.store.stock("wms")
            now = time.monotonic()
            for key in set(before) | set(after):
                if before.get(key) != after.get(key):
                    changed[key] = now
            wait_until(lambda: made.plant.store.value("select count(*) from outbox where written = 0") == 0, 60, "the batch written")
            if start % (BATCH * 8) == 0 and changed:
                accuracies.append(self.accuracy(made, changed))
        wait_until(lambda: made.hub.positions() == made.plant.store.stock("wms"), 120, "every position equal after drain")
        seconds = time.monotonic() - began
        equal, whole, settled_equal, settled = (sum(column) for column in zip(*accuracies))
        tell(f"{MOVES} moves in {seconds:.1f} s ({MOVES / seconds:.0f}/s); stock accuracy while running: "
             f"{100 * settled_equal / max(1, settled):.3f} % of the positions at rest for {SETTLED_SECONDS:.0f} s ({settled} looked at), "
             f"{100 * equal / max(1, whole):.2f} % of all; after drain 100 % of {len(made.plant.store.stock('wms'))}")
        self.assertEqual(made.hub.ledger_sum(), 0)
        # The goal while running is 99.9 %; a busy machine delays moves by more than the time at rest,.
        self.assertGreaterEqual(settled_equal, (0.999 if FULL else 0.95) * settled)

    def accuracy(self, made, changed):
        cut = time.monotonic() - SETTLED_SECONDS
        here, there = made.plant.store.stock("wms"), made.hub.positions()
        keys = set(here) | set(there)
        rest = [key for key in keys if changed.get(key, 0) < cut]
        return (sum(here.get(key) == there.get(key) for key in keys), len(keys),
                sum(here.get(key) == there.get(key) for key in rest), len(rest))

    def test_from_a_file_to_a_record_on_another_node(self):
        made = self.single("erp")
        node = made.node_of("erp")
        other = next(one for one in made.cluster.ids if one != node)
        hub = HubView([made.cluster.endpoint(other)])
        choose, times = random.Random(3), []
        folder = made.plant.directory / "erp" / "in"
        for number in range(200 if FULL else 40):
            name = f"LAT-{number:05}"
            order = {"number": name, "revision": 1, "state": "confirmed", "customer": "C-1", "customer_ref": "", "date": "2026-11-02",
                     "currency": "EUR", "total": "1.00", "note": "", "lines": []}
            write_whole(folder / f"order-{name}-r1.json", json.dumps(order))
            began = time.monotonic()
            wait_until(lambda: hub.ask(f"/v1/collections/orders/records/erp%2F{name}?level=local"), 10, f"{name} on node {other}")
            times.append(time.monotonic() - began)
            time.sleep(choose.uniform(0, 0.05))  # another moment of the poll period each time
        times.sort()
        worst = times[int(len(times) * 0.99)]
        tell(f"file renamed to record on another node: median {times[len(times) // 2] * 1000:.0f} ms, p99 {worst * 1000:.0f} ms, "
             "the poll period of 100 ms included")
        self.assertLess(worst, 1.1 * harness.SLOWNESS)


if __name__ == "__main__":
    harness.main()
