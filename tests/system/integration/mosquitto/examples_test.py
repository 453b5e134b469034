"""The example definition of the MES (config/examples/adapters/mqtt) on a real broker, through the hub: counters, births, reports and
quality results become records, a production order becomes a job that the MES answers."""
import argparse
import json
import sys
import unittest

from tests.system.examples.examples_test import SAMPLES, Node
from tests.system.integration.mosquitto.broker import Broker
from tests.system.integration.mosquitto.plant import Edge, Mes
from tests.system.lab import scratch
from tests.system.lab.process import wait_until

OPTIONS = argparse.Namespace(build="build/check")


class ExampleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.addClassCleanup(cls.broker.stop)
        cls.broker.start()
        cls.mes = Mes(cls.broker.port)
        cls.addClassCleanup(cls.mes.stop)
        wait_until(cls.mes.client.is_connected, 10, "the MES is connected")
        directory = scratch.make("examples")
        cls.addClassCleanup(scratch.remove, directory)
        cls.node = Node(directory, {"mes": [("broker.plant.example.com", "127.0.0.1"), ("8883", str(cls.broker.port)),
                                            ('ca_file = "plant-ca.pem"\n', ""), ('groups = ["plant1"]', 'groups = ["plant"]')]},
                        OPTIONS.build, "mqtt")
        cls.addClassCleanup(cls.node.cluster.stop)
        wait_until(lambda: "mes" in cls.node.hub.placement(), 30, "the adapter placed")

    def sample(self, name):
        return json.loads((SAMPLES / "mqtt" / f"mes_{name}.json").read_text(encoding="utf-8"))

    def test_counters_and_births_become_records(self):
        edge = Edge(self.broker.port)
        self.addCleanup(edge.stop)
        machine = self.node.wait_record("locations/mes/plant%2Fedge1%2Fpress")
        self.assertEqual((machine["type"], machine["extension"]["state"]), ("machine", "online"))
        for _ in range(10):
            edge.produce(good=3, scrap=1)
        wait_until(lambda: any((one["good"], one["scrap"]) == ("30", "10") for one in self.node.hub.records("production_reports").values()),
                   30, f"30 good, 10 scrap: {self.node.story()}")

    def test_reports_become_records_and_are_acknowledged(self):
        with self.mes.lock:
            self.mes.unacknowledged["R-1"] = self.sample("report")
            self.mes._send("R-1")
        self.mes.client.publish("mes/line1/quality", json.dumps(self.sample("quality")), 1)
        self.assertEqual(self.node.wait_record("production_reports/mes/R-1")["good"], "5")
        self.assertEqual(self.node.wait_record("quality_results/mes/Q-1")["verdict"], "passed")
        wait_until(lambda: not self.mes.unacknowledged, 30, "the report acknowledged")

    def test_a_production_order_becomes_a_job(self):
        order = self.sample("job")
        del order["_record"]
        self.node.put("production_orders", "erp/M-1", order)
        wait_until(lambda: "job/M-1/1" in self.mes.jobs, 30, f"the job: {self.node.story()}")
        self.assertEqual(self.mes.jobs["job/M-1/1"]["command"], "start")
        wait_until(lambda: self.node.hub.open() == {"letters": 0, "effects": 0}, 30, "answered")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=OPTIONS.build)
    given, rest = parser.parse_known_args()
    OPTIONS.build = given.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
