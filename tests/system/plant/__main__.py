"""python3 -m tests.system.plant: the sample plant as a program.

    run --directory DIR [--hub HOST:PORT,…] [--orders N] …   play until it is told to stop
    state|fault|clear|mend|orders|stop --control HOST:PORT   steer a running one
    table --directory DIR                                    compare what its three counterparts hold; exit code 1 if they differ
"""
import argparse
import dataclasses
import json
import pathlib
import signal
import sys
import urllib.error
import urllib.request

from .control import Control
from .faults import CONNECTION_FAULTS, DOCUMENT_FAULTS
from .plant import Options, Plant
from .reckoning import table
from .store import Store


def run(given):
    options = Options(**{field.name: getattr(given, field.name) for field in dataclasses.fields(Options)})
    plant = Plant(given.directory, options, [part for part in given.hub.split(",") if part])
    control = Control(plant, given.control_port)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: control.stopped.set())
    print(f"control 127.0.0.1:{control.port}", flush=True)
    if "mes" in plant.links and hasattr(plant.links["mes"], "port"):
        print(f"mes 127.0.0.1:{plant.links['mes'].port}", flush=True)
    plant.start()
    while not control.stopped.wait(0.5):
        pass
    control.close()
    plant.stop()
    return 0


def steer(given):
    words = {name: getattr(given, name) for name in ("system", "fault", "count", "value") if getattr(given, name, None) is not None}
    read = given.command == "state"
    request = urllib.request.Request(f"http://{given.control}/{given.command}", None if read else json.dumps(words).encode())
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            print(json.dumps(json.load(answer), indent=1))
    except urllib.error.HTTPError as error:
        print(error.read().decode(), file=sys.stderr)
        return 1
    return 0


def show_table(given):
    store = Store(pathlib.Path(given.directory) / "plant.db")
    rows = table(store)
    for row in rows:
        print(row.text())
        for difference in row.differences[:10]:
            print(f"    {difference}")
    return 0 if all(row.clean() for row in rows) else 1


def parse():
    parser = argparse.ArgumentParser(prog="python3 -m tests.system.plant", description="The sample plant: an ERP, an MES and a WMS.")
    commands = parser.add_subparsers(dest="command", required=True)
    play = commands.add_parser("run", help="play until stopped")
    play.add_argument("--directory", required=True)
    play.add_argument("--hub", default="", help="the nodes that the ERP asks for stock: host:port,…")
    play.add_argument("--control-port", type=int, default=0)
    for field in dataclasses.fields(Options):
        kind = {"bool": lambda text: text == "yes"}.get(field.type.__name__, field.type)
        play.add_argument("--" + field.name.replace("_", "-"), type=kind, default=field.default)
    for name in ("state", "fault", "clear", "mend", "orders", "stop"):
        command = commands.add_parser(name)
        command.add_argument("--control", required=True, help="host:port that `run` printed")
        if name in ("fault", "clear", "mend"):
            command.add_argument("system", choices=["erp", "mes", "wms"])
        if name in ("fault", "clear"):
            command.add_argument("fault", nargs=None if name == "fault" else "?", choices=[*DOCUMENT_FAULTS, *CONNECTION_FAULTS])
        if name in ("fault", "orders"):
            command.add_argument("--count", type=int, default=None if name == "fault" else 10)
            command.add_argument("--value", type=float)
    commands.add_parser("table").add_argument("--directory", required=True)
    return parser.parse_args()


def main():
    given = parse()
    return {"run": run, "table": show_table}.get(given.command, steer)(given)


if __name__ == "__main__":
    sys.exit(main())
