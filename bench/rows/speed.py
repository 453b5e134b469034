"""Writes and linearizable reads in a closed loop, and a sustained mixed load in an open one."""
from bench.measure.load import Load, measure
from bench.measure.progress import Step
from bench.measure.statistics import median_of, ratio

OVERHEAD_SECONDS = 0.2  # of starting a generator and ending it


def closed_loop_steps(arena, peer_name, row, operation, sides_count):
    """One step for each number of clients: every side once a round, in turns."""
    options = arena.options
    each = options.seconds + options.warmup + OVERHEAD_SECONDS
    for clients in options.clients:
        if operation == "read" and clients < min(64, max(options.clients)):
            continue  # reads are compared under load
        yield Step(f"{row}, {clients} clients, mainstay and {peer_name}, {options.rounds} rounds in turns",
                   options.rounds * (1 + sides_count) * each, _closed_loop(arena, row, operation, clients), peer_name)


def _closed_loop(arena, row, operation, clients):
    def run():
        options = arena.options
        load = Load(operation, clients, options.seconds, options.warmup, keys=options.keys)
        ours, theirs = alternate(arena, load, arena.peer.sides(), options.rounds, options.seed)
        for name, figures in theirs.items():
            arena.add({"row": row, "case": f"{clients} clients", "clients": clients, "peer": name, "rounds": options.rounds,
                       "seconds": options.seconds, "mainstay": ours, "peer_figures": figures,
                       "ratio": ratio(ours["ops_per_s"], figures["ops_per_s"])})
    return run


def alternate(arena, load, sides, rounds, seed):
    """(medians of Mainstay, {side: medians}): all sides in each round, so that a drift of the machine's speed hits every one alike."""
    everyone = [*arena.ours.sides(), *sides]
    figures = {side.name: [] for side in everyone}
    for number in range(rounds):
        load.seed = seed + number
        for side in everyone:
            figures[side.name].append(measure(side, load))
    medians = {name: median_of(rows) for name, rows in figures.items()}
    return medians.pop("Mainstay"), medians


def mixed_steps(arena, rates, with_peer):
    """80 % reads and 20 % writes of 512 bytes at a constant rate; latency from the moment at which a request was due."""
    options = arena.options
    each = options.mixed_seconds + options.warmup + OVERHEAD_SECONDS
    for rate in rates:
        yield Step(f"mixed, {rate} requests/s due, {options.rounds} rounds", options.rounds * (1 + with_peer) * each,
                   _mixed(arena, rate, with_peer), "etcd" if with_peer else "mainstay")


def _mixed(arena, rate, with_peer):
    def run():
        options = arena.options
        load = Load("mixed", 64, options.mixed_seconds, options.warmup, rate, 512, options.keys, extra=("--read-share", 0.8))
        sides = [side for side in arena.peer.sides() if side.protocol == "etcd-grpc"] if with_peer else []
        ours, theirs = alternate(arena, load, sides, options.rounds, options.seed)
        row = {"row": "mixed", "case": f"{rate}/s", "rate": rate, "rounds": options.rounds, "seconds": options.mixed_seconds,
               "mainstay": ours}
        if not theirs:
            arena.add({**row, "peer": None, "peer_figures": None, "ratio": None})
        for name, figures in theirs.items():
            arena.add({**row, "peer": name, "peer_figures": figures, "ratio": ratio(ours["ops_per_s"], figures["ops_per_s"])})
    return run
