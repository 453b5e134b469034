"""What clients see of failures: the leader killed, the leader hung, every node restarted in turn. Eight clients write at 50/s each."""
import threading
import time

from bench.measure.load import Load, Running
from bench.measure.progress import Step
from bench.measure.statistics import median
from tests.system.lab.process import wait_until

CLIENTS, RATE = 8, 400
INTERVAL = 0.1
SETTLED_SECONDS = 1.0      # of whole rate, before a fault and after it
RECOVER_SECONDS_MAX = 45   # after which a cluster is taken for not recovered

# Estimated seconds of one fault with everything around it, for the plan.
FAULT_SECONDS = {"mainstay": 5, "etcd": 8, "nats": 12, "galera": 20}
ROLLING_SECONDS = {"mainstay": 12, "etcd": 16, "nats": 18, "galera": 36}


class Clients:
    """Paced clients at every node: they know all of them and go to the next when one fails."""

    def __init__(self, cluster, retry, attempt_ms):
        extra = ["--failover", "--attempt-ms", attempt_ms, "--interval", INTERVAL, *(["--retry"] if retry else [])]
        self._lines, self._news = [], threading.Condition()
        self.running = Running(cluster.failover_side(), Load("write", CLIENTS, 600, 0.3, RATE, extra=tuple(extra)), self._on_line)

    def _on_line(self, figures):
        if figures is not None and "interval" in figures:
            with self._news:
                self._lines.append(figures)
                self._news.notify_all()

    def wait_settled(self, seconds=RECOVER_SECONDS_MAX):
        """Until all clients are answered at their rate, from now on, for SETTLED_SECONDS: one that is not makes an eighth."""
        wanted = round(SETTLED_SECONDS / INTERVAL)
        with self._news:
            begun = len(self._lines)

            def settled():
                last = self._lines[begun:][-wanted:]
                return len(last) == wanted and sum(line["ops"] for line in last) >= 0.9 * RATE * SETTLED_SECONDS
            if not self._news.wait_for(settled, seconds):
                raise TimeoutError(f"clients are not answered at their rate within {seconds} s")


def fault_steps(arena, kind, cluster_of, name, rounds):
    """`kind`: kill or hang. One step with all its rounds."""
    yield Step(f"leader {'killed' if kind == 'kill' else 'hung'}, {name}, {rounds} times", rounds * FAULT_SECONDS.get(name, 10),
               lambda: arena.add(_row(kind, name, fault_figures(cluster_of(), kind, rounds))), name)


def rolling_steps(arena, cluster_of, name):
    yield Step(f"rolling restart, {name}", ROLLING_SECONDS.get(name, 20),
               lambda: arena.add(_row("rolling", name, rolling_figures(cluster_of()))), name)


def _row(kind, name, figures):
    """Peers and Mainstay are one row each: faults are no matter of taking turns."""
    ours = name == "mainstay"
    return {"row": kind, "case": f"{figures['runs']} runs", "peer": None if ours else name, "mainstay": figures if ours else None,
            "peer_figures": None if ours else figures, "ratio": None}


def fault_figures(cluster, kind, rounds):
    runs = [one_fault(cluster, kind) for _ in range(rounds)]
    gaps = [run["client_gap_ms"] for run in runs]
    return {"runs": rounds, "gap_ms": round(median(gaps), 1), "worst_ms": round(max(gaps), 1), "gap_ms_all": gaps,
            "failed_attempts": sum(run["failures"] for run in runs), "ops": sum(run["ops"] for run in runs),
            "heal_s": round(median([run["heal_s"] for run in runs]), 1)}


def one_fault(cluster, kind):
    """The generator's figures over one fault; the largest gap of any client among them. The node is back at the end."""
    cluster.wait_healthy()
    node = cluster.leader()
    clients = Clients(cluster, retry=True, attempt_ms=cluster.attempt_ms)
    try:
        clients.wait_settled()
        cluster.kill(node) if kind == "kill" else cluster.hang(node)
        clients.wait_settled()
        figures = clients.running.stop()
    finally:
        clients.running.abandon()
        began = time.monotonic()
        cluster.start_node(node) if kind == "kill" else cluster.resume(node)
    cluster.wait_healthy(120)
    figures["heal_s"] = time.monotonic() - began
    return figures


def rolling_figures(cluster):
    """Every node once: drained where that exists, stopped, started, waited for. Clients do not repeat a request that failed."""
    cluster.wait_healthy()
    clients = Clients(cluster, retry=False, attempt_ms=5000)
    steps = []
    try:
        clients.wait_settled()
        for node in cluster.ids:
            began = time.monotonic()
            cluster.drain(node)
            cluster.terminate(node)
            cluster.start_node(node)
            cluster.wait_healthy(120)
            steps.append(round(time.monotonic() - began, 1))
            # What a restarted node does to its clients shows within a moment.
            wait_until(lambda: time.monotonic() > began + steps[-1] + 0.5, 2, "half a second")
        figures = clients.running.stop()
    finally:
        clients.running.abandon()
    return {"runs": 1, "gap_ms": figures["client_gap_ms"], "worst_ms": figures["client_gap_ms"], "failed": figures["failures"],
            "total": figures["ops"] + figures["failures"], "node_s_all": steps}
