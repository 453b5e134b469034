"""What a node's data costs: how far followers lag, memory of an idle node, and writes and restarts with many records on it."""
import http.client
import json
import pathlib
import time

from bench.measure.load import Load, Running, fill, measure
from bench.measure.progress import Step
from bench.measure.statistics import distribution, median, median_of
from tests.system.lab.process import wait_until

FILL_PER_SECOND = 20_000  # an estimate, for the plan


# --- how far followers lag ---

def lag_steps(arena, rate):
    yield Step(f"follower lag at {rate} writes/s", arena.options.lag_seconds + 2, _lag(arena, rate), "mainstay")


def _lag(arena, rate):
    def run():
        ours = arena.ours
        leader = ours.leader()
        follower = next(node for node in ours.ids if node != leader)
        running = Running(ours.sides()[0], Load("write", 64, arena.options.lag_seconds + 30, 0.2, rate))
        try:
            probes = probe_lag(ours.endpoint(leader), ours.endpoint(follower), arena.options.lag_seconds)
            figures = running.stop()
        finally:
            running.abandon()
        arena.add({"row": "lag", "case": f"{rate} writes/s", "peer": None, "peer_figures": None, "ratio": None,
                   "mainstay": {"lag_ms": {**distribution(probes), "p99": round(_p99(probes), 2)}, "ops_per_s": figures["ops_per_s"]}})
    return run


def _p99(values):
    return sorted(values)[max(0, int(len(values) * 0.99) - 1)] if values else 0.0


def probe_lag(leader, follower, seconds):
    """Milliseconds from the leader's acknowledgement of a write until the follower shows it to a local read; one probe after the other."""
    writer, reader = _connect(leader), _connect(follower)
    lags, number, ends = [], 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        number += 1
        _ask(writer, "PUT", "/v1/collections/bench/records/lag-probe", str(number))
        acknowledged = time.perf_counter()
        while True:
            asked = time.perf_counter()
            status, body = _ask(reader, "GET", "/v1/collections/bench/records/lag-probe?level=local")
            if status == 200 and json.loads(body) >= number:
                break
            if time.monotonic() > ends + 10:
                raise TimeoutError("the follower does not show what the leader has acknowledged")
        lags.append(max(0.0, 1000 * (asked - acknowledged)))
    writer.close()
    reader.close()
    return lags


def _connect(endpoint):
    host, port = endpoint.rsplit(":", 1)
    return http.client.HTTPConnection(host, int(port), timeout=10)


def _ask(connection, method, path, body=None):
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    return answer.status, answer.read()


# --- a node with many records ---

def records_steps(arena, records):
    """Fills the cluster, then looks at memory, write latency and restarts; the same latency was measured on it while it was empty."""
    options = arena.options
    empty = {}
    latency = options.rounds * (options.seconds + options.warmup + 0.4)
    yield Step("write latency of an empty store", latency, _latency(arena, empty), "mainstay")
    yield Step(f"filling {records} records", records / FILL_PER_SECOND, _fill(arena, records), "mainstay")
    yield Step(f"memory of an idle node with {records} records", 4, _memory(arena, records), "mainstay")
    yield Step(f"write latency and restarts with {records} records", latency + 4 * options.rounds, _full(arena, records, empty), "mainstay")


def _latency(arena, into):
    def run():
        options = arena.options
        load = Load("write", 16, options.seconds, options.warmup, keys=options.keys)
        into.update(median_of([measure(arena.ours.sides()[0], load) for _ in range(options.rounds)]))
    return run


def _fill(arena, records):
    return lambda: fill(arena.ours.sides()[0], records)


def resident_mib(pid):
    """Memory of a process that is not a copy of a file: what remains when the page cache is given back."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith("Rss")}
    return (sizes["RssAnon"] + sizes["RssShmem"]) / 1024


def _memory(arena, records):
    def run():
        ours = arena.ours
        wait_until(lambda: _idle(ours), 60, "the cluster is idle")
        sizes = [resident_mib(process.pid) for process in ours.processes.values()]
        arena.add({"row": "memory", "case": f"{records} records", "records": records, "peer": None, "peer_figures": None, "ratio": None,
                   "mainstay": {"resident_mib": round(max(sizes), 1), "all": [round(size, 1) for size in sizes]}})
    return run


def _idle(ours):
    """Less than a twentieth of a core over half a second."""
    before, began = ours.cpu_seconds(), time.monotonic()
    wait_until(lambda: time.monotonic() > began + 0.5, 2, "half a second")
    return ours.cpu_seconds() - before < 0.05 * (time.monotonic() - began)


def _full(arena, records, empty):
    def run():
        options, full = arena.options, {}
        _latency(arena, full)()
        ready = [restart_to_ready(arena.ours, arena.ours.ids[number % len(arena.ours.ids)])[1] for number in range(options.rounds)]
        growth = round(full["p50_ms"] / empty["p50_ms"], 2) if empty.get("p50_ms") else None
        arena.add({"row": "records", "case": f"{records} records", "records": records, "peer": None, "peer_figures": None, "ratio": None,
                   "mainstay": {"write_p50_ms": full["p50_ms"], "empty_p50_ms": empty.get("p50_ms"), "write_growth": growth,
                                "ready_s": round(median(ready), 2), "ready_s_all": [round(seconds, 2) for seconds in ready]}})
    return run


def restart_to_ready(cluster, node):
    """Drains and restarts a node: (seconds from SIGTERM to its end, seconds from its start to ready)."""
    began = time.monotonic()
    cluster.terminate(node)
    ended = time.monotonic()
    cluster.start_node(node)
    wait_until(lambda: cluster.ready(node), 120, f"node {node} ready")
    ready = time.monotonic()
    cluster.wait_healthy()
    return ended - began, ready - ended
