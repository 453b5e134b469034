"""What each row should reach: the first bar and the goal, and whether a figure does. Ratios are results; absolute figures of one machine
are
context, and were set for two cores of 2.5 GHz that nodes and generator share."""
import dataclasses
import typing


@dataclasses.dataclass
class Bar:
    """`figure` of a row, in words; reached when it is at least (or at most) the value."""
    what: str
    figure: typing.Callable[[dict], float]
    first: float
    goal: float
    at_least: bool = True

    def verdict(self, row):
        """(the figure, "goal met" | "first bar met" | "below"), or None where the row lacks the figure."""
        try:
            value = self.figure(row)
        except (KeyError, TypeError):
            return None
        if value is None:
            return None
        reached = (lambda bar: value >= bar) if self.at_least else (lambda bar: value <= bar)
        return value, "goal met" if reached(self.goal) else "first bar met" if reached(self.first) else "below"


def _ratio(row):
    return row["ratio"]


def _ours(*path):
    def figure(row):
        value = row["mainstay"]
        for name in path:
            value = value[name]
        return value
    return figure


def _at(row_name, **fields):
    return lambda row: row["row"] == row_name and all(row.get(name) == value for name, value in fields.items())


# (which rows, the bar)
BARS = [
    (_at("writes", clients=1), Bar("writes/s, 1 client", _ours("ops_per_s"), 2000, 2000)),
    (_at("writes", clients=1), Bar("p99 ms, 1 client", _ours("p99_ms"), 1.5, 1.5, at_least=False)),
    (_at("writes", clients=16), Bar("writes/s, 16 clients", _ours("ops_per_s"), 12_000, 20_000)),
    (_at("writes", clients=16), Bar("p99 ms, 16 clients", _ours("p99_ms"), 5, 3, at_least=False)),
    (_at("writes", clients=64, peer="etcd HTTP"), Bar("times etcd HTTP, writes, 64 clients", _ratio, 5, 10)),
    (_at("writes", clients=64, peer="etcd gRPC"), Bar("times etcd gRPC, writes, 64 clients", _ratio, 3, 7)),
    (_at("writes", clients=64), Bar("p99 ms, 64 clients", _ours("p99_ms"), 15, 8, at_least=False)),
    (_at("writes", clients=64), Bar("µs CPU a write, 64 clients", _ours("cpu_us_per_op"), 80, 40, at_least=False)),
    (_at("writes", clients=256, peer="etcd HTTP"), Bar("times etcd HTTP, writes, 256 clients", _ratio, 5, 10)),
    (_at("writes", clients=256), Bar("p99 ms, 256 clients", _ours("p99_ms"), 40, 25, at_least=False)),
    (_at("reads", clients=64, peer="etcd gRPC"), Bar("times etcd gRPC, reads, 64 clients", _ratio, 5, 10)),
    (_at("reads", clients=256, peer="etcd gRPC"), Bar("times etcd gRPC, reads, 256 clients", _ratio, 5, 10)),
    (_at("mixed", rate=10_000), Bar("p99 ms, mixed load of 10 000/s", _ours("p99_ms"), 20, 20, at_least=False)),
    (_at("mixed", rate=20_000), Bar("share answered of 20 000/s due", lambda row: row["mainstay"]["ops_per_s"] / 20_000, 0.5, 0.99)),
    (_at("lag"), Bar("follower lag p99 ms", _ours("lag_ms", "p99"), 100, 20, at_least=False)),
    (_at("memory"), Bar("MiB of an idle node", _ours("resident_mib"), 200, 80, at_least=False)),
    (_at("records"), Bar("write latency, full to empty store", _ours("write_growth"), 1.5, 1.2, at_least=False)),
    (_at("records"), Bar("restart to ready s", _ours("ready_s"), 10, 3, at_least=False)),
    (_at("kill"), Bar("median gap ms, leader killed", _ours("gap_ms"), 250, 120, at_least=False)),
    (_at("kill"), Bar("worst gap ms, leader killed", _ours("worst_ms"), 1000, 500, at_least=False)),
    (_at("hang"), Bar("median gap ms, leader hung", _ours("gap_ms"), 450, 400, at_least=False)),
    (_at("hang"), Bar("worst gap ms, leader hung", _ours("worst_ms"), 1000, 800, at_least=False)),
    (_at("rolling"), Bar("failed requests, rolling restart", _ours("failed"), 0, 0, at_least=False)),
    (_at("rolling"), Bar("gap ms, rolling restart", _ours("gap_ms"), 250, 50, at_least=False)),
]


def verdicts(rows):
    """[(what, figure, first bar, goal, verdict)]: the worst of the rows a bar is about, for each bar that has any."""
    found = []
    for concerns, bar in BARS:
        seen = [verdict for row in rows if concerns(row) and (verdict := bar.verdict(row)) is not None]
        if not seen:
            continue
        worst = min(seen, key=lambda pair: pair[0] if bar.at_least else -pair[0])
        found.append((bar.what, worst[0], bar.first, bar.goal, worst[1]))
    return found
