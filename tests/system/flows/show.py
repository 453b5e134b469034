"""The part of ./quickstart in which a factory runs: orders from sale to delivery while nodes are killed, and the table at the end."""
import contextlib
import time

from tests.system.lab.process import wait_until

SETTLE_SECONDS = 180


def state_line(factory):
    count = factory.plant.store.count
    with factory.plant.lock:
        moves = factory.plant.store.value("select count(*) from moves where system = 'wms'")
        return (f"{count('erp', 'order')} orders sold, {count('erp', 'order', 'closed')} delivered, "
                f"{count('wms', 'shipment', 'shipped')} shipments, {count('mes', 'job', 'finished')} jobs made, "
                f"{count('erp', 'quality')} verdicts, {moves} moves")


def wait_for(factory, teller, done, seconds, what):
    """Waits for done(), and shows meanwhile what the factory does."""
    shown = [0.0]

    def look():
        if teller.terminal and time.monotonic() - shown[0] > 0.2:
            shown[0] = time.monotonic()
            teller.rewrite(state_line(factory))
        return done()
    try:
        wait_until(look, seconds, what)
    finally:
        teller.rewrite(state_line(factory))
        teller.end_rewriting()


def kill_and_revive(factory, teller, node, what):
    teller.step(f"kill {what}, with SIGKILL")
    before = factory.hub.placement()
    began = time.monotonic()
    factory.cluster.kill(node)
    moved = sorted(name for name, (at, _) in before.items() if at == node)
    if moved:
        wait_until(lambda: all(factory.placed_anew(name, before[name][1]) for name in moved), 15, "the adapters elsewhere")
        where = ", ".join(f"{name} on node {at}" for name, (at, _) in factory.hub.placement().items() if name in moved)
        teller.line(f"its adapters run again after {time.monotonic() - began:.1f} s: {where}")
    factory.cluster.leader()
    factory.revive(node)
    teller.line(f"node {node} is back")


def flow_part(factory, orders, teller):
    """True if the table is clean."""
    store = factory.plant.store
    teller.step(f"{orders} orders: sale, stock check, plan, production, quality, pick and ship, back to the ERP")
    placed = factory.wait_placed()
    teller.line("adapters: " + ", ".join(f"{name} on node {node}" for name, (node, _) in sorted(placed.items())))
    began = time.monotonic()
    factory.plant.options.orders = orders
    wait_for(factory, teller, lambda: store.count("erp", "order", "closed") >= orders // 4, SETTLE_SECONDS, "a quarter of the orders")
    leader = factory.cluster.leader()
    kill_and_revive(factory, teller, leader, f"the leader, node {leader}")
    wait_for(factory, teller, lambda: store.count("erp", "order", "closed") >= orders // 2, SETTLE_SECONDS, "half of the orders")
    node = factory.node_of("wms")
    kill_and_revive(factory, teller, node, f"node {node}, which runs the adapter of the WMS")
    wait_for(factory, teller, factory.is_settled, SETTLE_SECONDS, "every order delivered and the hub at rest")
    teller.line(f"{orders} orders from sale to delivery in {time.monotonic() - began:.1f} s")
    with contextlib.suppress(TimeoutError):  # then the table shows it
        wait_until(lambda: all(row.clean() for row in factory.table()), SETTLE_SECONDS / 6, "everybody agreed")
    teller.step("read back from the counterparts themselves, and compared with one another and the hub")
    return reconcile(factory, teller)


def reconcile(factory, teller):
    rows = factory.table()
    for row in rows:
        teller.line(row.text())
        for difference in row.differences[:5]:
            teller.line(f"  {difference}")
    differences = sum(len(row.differences) for row in rows)
    twice = next(row for row in rows if row.what == "documents delivered twice")
    teller.line(f"differences {differences}, duplicates {sum(twice.counts.values())}")
    return differences == 0
