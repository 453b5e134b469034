"""A cluster whose nodes run the adapters of the sample plant, and the plant."""
import argparse
import os
import pathlib
import shutil
import sys
import time
import unittest

from tests.system.lab import scratch
from tests.system.lab.cluster import Cluster
from tests.system.lab.process import free_ports, wait_until
from tests.system.plant.plant import Options, Plant
from tests.system.plant.reckoning import table

from .hub_view import HubView

EXAMPLES = pathlib.Path("config/examples/plant")
OWN_COLLECTIONS = ("order_responses", "count_decisions")  # the plant's, beside the canonical ones
FULL = os.environ.get("MAINSTAY_FLOWS") == "full"
SLOWNESS = float(os.environ.get("MAINSTAY_TEST_SLOWNESS", "1"))
OPTIONS = argparse.Namespace(build="build/check")


def tell(text):
    print(f"    {text}", flush=True)


class Factory:
    """Three nodes and a plant under one directory. start(), then stop()."""

    def __init__(self, directory, build, nodes=3, adapters=("erp", "mes", "wms"), **options):
        self.directory = pathlib.Path(directory)
        self.adapters = self.directory / "adapters"
        shutil.copytree(EXAMPLES, self.adapters, dirs_exist_ok=True)
        for definition in self.adapters.glob("*.toml"):
            if definition.stem not in adapters:
                definition.unlink()
        self.options = Options(**options)
        if self.options.mes == "http":
            self.speak_http()
        self.cluster = Cluster(self.directory / "cluster", nodes=nodes, build=build,
                               options={"adapters.directory": str(self.adapters.resolve())})
        self.plant = None
        self.hub = HubView(self.cluster.endpoints)

    def speak_http(self):
        """The MES over HTTP instead of files: the definition in config/examples/plant/http, with a port that is free."""
        self.options.mes_port = free_ports(1)[0]
        text = (EXAMPLES / "http" / "mes.toml").read_text(encoding="utf-8")
        text = text.replace("../in/", "in/").replace("../out/", "out/").replace("127.0.0.1:8090", f"127.0.0.1:{self.options.mes_port}")
        (self.adapters / "mes.toml").write_text(text, encoding="utf-8")

    def start(self):
        self.plant = Plant(self.directory / "plant", self.options, self.cluster.endpoints)
        self.cluster.start()
        for collection in OWN_COLLECTIONS:
            self.cluster.declare(collection)
        self.plant.start()

    def stop(self):
        if self.plant is not None:
            self.plant.stop()
        self.cluster.stop()

    def rewrite(self, adapter, *changes):
        """Changes lines of a definition before the nodes start: (old text, new text)."""
        path = self.adapters / f"{adapter}.toml"
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            if old not in text:
                raise ValueError(f"{path}: there is no '{old}'")
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    # --- where adapters run ---

    def wait_placed(self, seconds=20):
        names = {path.stem for path in self.adapters.glob("*.toml")}
        return wait_until(lambda: (placed := self.hub.placement()).keys() >= names and all(node for node, _ in placed.values()) and placed,
                          seconds, "every adapter placed on a node")

    def node_of(self, adapter):
        return self.hub.placement()[adapter][0]

    def kill_node_of(self, adapter):
        """SIGKILL; (the node, seconds until another node has the adapter)."""
        node, epoch = self.hub.placement()[adapter]
        self.cluster.kill(node)
        began = time.monotonic()
        wait_until(lambda: self.placed_anew(adapter, epoch), 15, f"'{adapter}' on another node")
        return node, time.monotonic() - began

    def placed_anew(self, adapter, epoch):
        try:
            return self.hub.placement()[adapter][1] > epoch
        except (RuntimeError, TimeoutError, KeyError):
            return False

    def revive(self, node):
        self.cluster.start_node(node)
        self.cluster.wait_ready()

    # --- the end ---

    def is_settled(self, letters=0):
        if not self.plant.is_settled():
            return False
        try:
            found = self.hub.open()
        except (RuntimeError, TimeoutError):
            return False
        return found["effects"] == 0 and found["letters"] == letters

    def wait_settled(self, seconds=90, letters=0):
        try:
            wait_until(lambda: self.is_settled(letters), seconds, "the plant and the hub at rest")
            wait_until(lambda: all(row.clean() for row in self.table()), 20, "every row equal")
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.story()}") from None

    def table(self):
        with self.plant.lock:
            return table(self.plant.store, self.hub)

    def story(self):
        lines = [str(self.plant.state()), str(self.hub.open()), str(self.hub.placement())]
        for row in self.table():
            lines += [row.text(), *(f"    {difference}" for difference in row.differences[:5])]
        lines += [f"{key}: {letter['reason']}" for key, letter in list(self.hub.letters().items())[:10]]
        return "\n".join(lines)


def main():
    """Runs the tests of the module that is the program: --build DIR, then what unittest takes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=OPTIONS.build, help="build directory that holds mainstayd and mainstay")
    given, rest = parser.parse_known_args()
    OPTIONS.build = given.build
    unittest.main(module="__main__", argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


class FlowCase(unittest.TestCase):
    """A factory of its own for each test."""

    def factory(self, start=True, **options):
        directory = scratch.make("flows")
        self.addCleanup(scratch.remove, directory)
        made = Factory(directory, OPTIONS.build, **options)
        self.addCleanup(made.stop)
        if start:
            made.start()
        return made

    def assert_clean(self, factory):
        for row in factory.table():
            self.assertEqual(row.differences[:5], [], row.what)
