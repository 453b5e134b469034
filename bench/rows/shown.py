"""Rows for people: one line of text each, and the report with its tables and plots."""
from bench.goals import verdicts
from bench.measure import plot
from bench.measure.evidence import Report, facts_table
from bench.measure.statistics import median
from bench.measure.table import number

RATES = ("writes", "reads", "mixed")
FAULTS = {"kill": "leader killed (kill -9)", "hang": "leader hung (SIGSTOP)", "rolling": "rolling restart"}
OURS = "Mainstay"


# --- one row, one line ---

def line(row):
    if row["row"] in RATES:
        return _rate_line(row)
    side, figures = (row["peer"] or "mainstay"), row["mainstay"] or row["peer_figures"]
    shown = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items() if not isinstance(value, (list, dict)))
    if "lag_ms" in figures:
        shown += ", lag ms " + ", ".join(f"{name} {value}" for name, value in figures["lag_ms"].items() if name != "all")
    return f"{row['row']:>8}  {row['case']:<18} {side}: {shown}"


def _rate_line(row):
    def side(figures):
        return f"{figures['ops_per_s']:>8.0f}/s p99 {figures['p99_ms']:>7.2f} ms {figures['cpu_us_per_op']:>5.0f} us CPU/op"
    text = f"{row['row']:>8}  {row['case']:<18} mainstay {side(row['mainstay'])}"
    if row["peer_figures"]:
        text += f"   {row['peer']} {side(row['peer_figures'])}   ratio {row['ratio']:.2f}"
    return text


# --- the report ---

def report(path, facts, rows):
    """Writes the comparison to `path`, its plots and figures beside it."""
    page = Report(path)
    page.text("# Mainstay beside its peers",
              "Made by `bench/compare` (docs/benchmarks.md); not edited by hand. Every side runs three nodes on one machine and shares "
              "its cores with "
              "the load generator, which speaks each one's own protocol. Figures are medians over rounds in which the sides take turns. "
              "Ratios are "
              "results; absolute figures of one machine are context.", facts_table(facts))
    _not_measured(page, facts)
    _goals(page, rows)
    _rates(page, rows, "writes", "Writes", f"{facts.get('value_bytes', 256)}-byte values, {facts.get('keys')} random keys, closed loop.")
    _rates(page, rows, "reads", "Linearizable reads", "The same keys, beside peers that have such reads; Galera waits for what was "
           "committed before (wsrep_sync_wait).")
    _mixed(page, rows)
    _state(page, rows)
    _faults(page, rows)
    _noise(page, facts, rows)
    page.write({"facts": facts, "rows": rows})


def _not_measured(page, facts):
    lost = [f"- {name}: {why}" for name, why in [*facts.get("unavailable", {}).items(), *facts.get("failures", [])]]
    if lost:
        page.text("## Not measured", "\n".join(lost))


def _goals(page, rows):
    page.text("## Goals", "Where several peers stand beside the same figure, the worst of its measurements counts.")
    page.table(["what", "measured", "first bar", "goal", ""],
               [(what, number(value, 0 if value >= 1000 else 2), f"{first:g}", f"{goal:g}", verdict)
                for what, value, first, goal, verdict in verdicts(rows)])


def _of(rows, name):
    return [row for row in rows if row["row"] == name]


def _side_cells(figures):
    return (number(figures["ops_per_s"]), number(figures["p50_ms"], 2), number(figures["p99_ms"], 2), number(figures["cpu_us_per_op"]),
            f"±{100 * figures['spread']:.0f} %")


def _rates(page, rows, name, title, words):
    found = _of(rows, name)
    if not found:
        return
    page.text(f"## {title}", words)
    page.table(["clients", "peer", "Mainstay /s", "p50 ms", "p99 ms", "µs CPU", "rounds", "peer /s", "p50 ms", "p99 ms", "µs CPU",
                "rounds", "ratio"],
               [(row["clients"], row["peer"], *_side_cells(row["mainstay"]), *_side_cells(row["peer_figures"]), f"**{row['ratio']:.2f}**")
                for row in sorted(found, key=lambda row: (row["clients"], row["peer"]))])
    for figure, label in (("ops_per_s", "requests/s"), ("p99_ms", "p99, ms"), ("cpu_us_per_op", "µs CPU a request")):
        groups = _groups(found, figure)
        names = [OURS, *dict.fromkeys(row["peer"] for row in found)]
        page.plot(f"{name}-{figure.split('_')[0]}", f"{title}: {label}", plot.bars(f"{title}: {label} by clients", label, groups, names,
                                                                                   log_y=True))


def _groups(found, figure):
    """{clients: {side: figure}}; Mainstay's is the median of those beside each peer."""
    groups = {}
    for clients in sorted({row["clients"] for row in found}):
        of = [row for row in found if row["clients"] == clients]
        groups[f"{clients}"] = {OURS: median([row["mainstay"][figure] for row in of]),
                                **{row["peer"]: row["peer_figures"][figure] for row in of}}
    return groups


def _mixed(page, rows):
    found = _of(rows, "mixed")
    if not found:
        return
    page.text("## Sustained mixed load", "80 % reads, 20 % writes of 512 bytes, 64 clients, open loop: latency counts from the moment at "
                                         "which a request "
              "was due, so that whoever cannot keep up shows it.")
    cells = []
    for row in found:
        for side, figures in ((OURS, row["mainstay"]), (row["peer"], row["peer_figures"])):
            if figures:
                cells.append((row["case"], side, number(figures["ops_per_s"]), number(figures["p50_ms"], 2), number(figures["p99_ms"], 2),
                              number(figures["over_1s"]), number(figures["cpu_us_per_op"])))
    page.table(["due", "side", "answered /s", "p50 ms", "p99 ms", "over 1 s", "µs CPU"], cells)


def _state(page, rows):
    lag, memory, records = (_of(rows, name) for name in ("lag", "memory", "records"))
    if lag or memory or records:
        page.text("## Data on a node")
    page.table(["follower lag", "writes/s", "probes", "p50 ms", "p99 ms", "max ms"],
               [(row["case"], number(row["mainstay"]["ops_per_s"]), row["mainstay"]["lag_ms"]["runs"], row["mainstay"]["lag_ms"]["p50"],
                 row["mainstay"]["lag_ms"]["p99"], row["mainstay"]["lag_ms"]["max"]) for row in lag])
    page.table(["memory of an idle node, without copies of files", "MiB, the largest node", "every node"],
               [(row["case"], row["mainstay"]["resident_mib"], row["mainstay"]["all"]) for row in memory])
    page.table(["many records", "write p50 ms", "of the empty store", "ratio", "restart to ready s"],
               [(row["case"], row["mainstay"]["write_p50_ms"], row["mainstay"]["empty_p50_ms"], row["mainstay"]["write_growth"],
                 row["mainstay"]["ready_s"]) for row in records])


def _faults(page, rows):
    found = [row for row in rows if row["row"] in FAULTS]
    if not found:
        return
    page.text("## Failures, as clients see them", "Eight clients write at 50/s each to every node and know all of them; the gap is the "
                                                  "longest time that any "
              "one client waited between two successes (20 ms of it is their pace). After a killed or hung leader they repeat what "
              "failed at the next "
              "node; during the rolling restart they repeat nothing, and what failed is counted.")
    cells = []
    for kind, words in FAULTS.items():
        for row in _of(rows, kind):
            figures = row["mainstay"] or row["peer_figures"]
            cells.append((words, row["peer"] or OURS, figures["runs"], number(figures["gap_ms"]), number(figures["worst_ms"]),
                          f"{figures['failed']} of {figures['total']}" if "failed" in figures else
                          f"{figures['failed_attempts']} attempts"))
    page.table(["failure", "side", "runs", "median gap ms", "worst ms", "failed"], cells)
    groups = {}
    for row in found:
        groups.setdefault(FAULTS[row["row"]], {})[row["peer"] or OURS] = (row["mainstay"] or row["peer_figures"])["gap_ms"]
    names = sorted({name for of in groups.values() for name in of}, key=lambda name: (name != OURS, name))
    page.plot("faults", "Largest gap of any client, ms", plot.bars("Largest gap of any client, median, ms", "ms", groups, names,
                                                                   log_y=True))


def _noise(page, facts, rows):
    figures = [side for row in rows if row["row"] in RATES for side in (row["mainstay"], row["peer_figures"]) if side]
    others = [side["other_cores"] for side in figures]
    spreads = [side["spread"] for side in figures]
    page.text("## Noise")
    page.table(["", "median", "worst"],
               [("cores busy with something else, within the counted time", number(median(others), 2), number(max(others, default=0), 2)),
                ("half of the range of the rounds, to their median", f"{100 * median(spreads):.0f} %",
                 f"{100 * max(spreads, default=0):.0f} %"),
                ("4 KiB append and flush, ms, before and after", number(median(facts["flush_ms"]), 3), number(max(facts["flush_ms"]), 3))])
