"""The examples under config/examples/adapters are whole: every definition is loaded by a node, every mapping makes of a sample what is
written beside it, and what comes in at a folder or over HTTP becomes records and goes out again.

    python3 -m tests.system.examples.examples_test --build DIR [--rewrite] [-k name]

--rewrite writes samples/*/*.expected anew; the difference is to be read."""
import argparse
import hashlib
import hmac
import http.client
import json
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import tomllib
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.system.crash_kit.kinds.edi_counterpart import interchange
from tests.system.flows.hub_view import HubView
from tests.system.lab import scratch
from tests.system.lab.cluster import Cluster
from tests.system.lab.process import free_ports, wait_until

EXAMPLES = pathlib.Path("config/examples/adapters")
SAMPLES = pathlib.Path(__file__).parent / "samples"
OPTIONS = argparse.Namespace(build="build/check", rewrite=False)
BALANCE = "  violation: stock_moves is a ledger, whose entries are posted and stay\n"  # said of what is only compared


def definitions():
    return sorted(EXAMPLES.glob("*/*.toml"))


def mappings():
    return sorted(EXAMPLES.glob("*/*.json"))


def sample_of(mapping):
    return SAMPLES / mapping.relative_to(EXAMPLES)


class Mappings(unittest.TestCase):
    def test_every_definition_uses_mappings_that_are_there_and_every_mapping_is_used(self):
        used = set()
        for path in definitions():
            definition = tomllib.loads(path.read_text(encoding="utf-8"))
            names = [*definition.get("source", {}).get("types", {}).values(),
                     *(table["mapping"] for kind in ("export", "reconcile") for table in definition.get(kind, []))]
            self.assertTrue(names, path)
            used |= {path.parent / name for name in names}
        self.assertEqual(used, set(mappings()))

    def test_each_makes_of_its_sample_what_is_expected(self):
        for mapping in mappings():
            sample = sample_of(mapping)
            with self.subTest(str(mapping)):
                made = subprocess.run([pathlib.Path(OPTIONS.build) / "bin" / "mainstay", "map", "test", mapping, sample, "--adapter",
                                       mapping.name.split("_")[0], "--id", "message-1", "--message-version", "1"], capture_output=True,
                                      text=True, timeout=30, check=False)
                expected = sample.with_suffix(".expected")
                if OPTIONS.rewrite:
                    expected.write_text(made.stdout, encoding="utf-8")
                self.assertEqual(made.returncode, 7 if BALANCE in made.stdout else 0, made.stderr + made.stdout)
                self.assertEqual(made.stdout.count("violation:"), made.stdout.count(BALANCE), made.stdout)
                self.assertEqual(made.stdout, expected.read_text(encoding="utf-8"))


class Node:
    """One node with the examples (of all folders, or of one), their addresses and folders changed for this machine."""

    def __init__(self, directory, changes, build, folders="*", secret="a-secret-for-tests"):
        self.directory = pathlib.Path(directory)
        self.adapters = self.directory / "adapters"
        self.adapters.mkdir()
        for folder in EXAMPLES.glob(folders):
            for path in folder.glob("*"):
                shutil.copy(path, self.adapters)
        for name, pairs in changes.items():
            path = self.adapters / f"{name}.toml"
            text = path.read_text(encoding="utf-8")
            for old, new in pairs:
                if old not in text:
                    raise ValueError(f"{name}: there is no {old}")
                text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")
        for name in ("token", "secret", "erp.password", "mes.password"):
            (self.adapters / name).write_text(secret + "\n", encoding="ascii")
        for key in ("id_ed25519", "known_hosts"):
            (self.adapters / key).write_text("", encoding="ascii")
        certificate = self.adapters / "plant-ca.pem"
        self.cluster = Cluster(self.directory / "cluster", nodes=1, build=build,
                               options={"adapters.directory": str(self.adapters.resolve())})
        self.cluster.prepare()
        shutil.copy(self.directory / "cluster" / "certs" / "ca.pem", certificate)
        self.cluster.start()
        self.hub = HubView(self.cluster.endpoints)

    def wait_record(self, path):
        collection, key = path.split("/", 1)
        return wait_until(lambda: self.hub.records(collection).get(key), 20, f"{path} in the hub: {self.story()}")

    def put(self, collection, key, value):
        answer = self.hub.client.put(collection, key.replace("/", "%2F"), value)
        if answer.status not in (200, 201):
            raise RuntimeError(f"{collection}/{key}: {answer.status} {answer.body!r}")

    def story(self):
        """Why something does not come: dead letters, and what adapters complain of."""
        return [letter["reason"] for letter in self.hub.letters().values()] + [
            f"{adapter['adapter']}/{path['path']}: {path['trouble']}" for adapter in self.hub.ask("/v1/adapters")["adapters"]
            for path in adapter["paths"] if path.get("trouble")]


class Web:
    """The ERP of http/odata.toml: OData pages of orders, and a POST for shipments."""

    def __init__(self, orders):
        owner = self
        self.orders, self.shipments = orders, []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                found = owner.orders if "/orders" in self.path else []
                if "/shipments" in self.path:
                    found = [one for one in owner.shipments if one["data"]["reference"] in self.path.replace("%2F", "/")]
                self.answer(200, {"value": found})

            def do_POST(self):
                owner.shipments.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer(201, {})

            def answer(self, status, document):
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class ThroughTheHub(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = scratch.make("examples")
        cls.addClassCleanup(scratch.remove, directory)
        place = pathlib.Path(directory)
        cls.shop, cls.partner = place / "shop", place / "partner"
        for folder in (cls.shop / "in", cls.shop / "levels", cls.partner / "in"):
            folder.mkdir(parents=True)
        cls.web = Web([json.loads((SAMPLES / "http" / "odata_order.json").read_text(encoding="utf-8"))])
        cls.addClassCleanup(cls.web.close)
        cls.hook, nobody = free_ports(2)
        poll = ('poll = "5s"', 'poll = "100ms"')
        cls.node = Node(directory, {
            "shop": [("/var/lib/exchange/shop", str(cls.shop)), ('poll = "1s"', 'poll = "100ms"')],
            "partner": [("/var/lib/exchange/partner", str(cls.partner)), poll],
            "partner-sftp": [("edi.example/", f"127.0.0.1:{nobody}/")],
            "odata": [("https://erp.example:8443/api/v1", f"http://127.0.0.1:{cls.web.port}/api/v1"), ("8090", str(cls.hook)), poll],
            "mes": [("broker.plant.example.com", "127.0.0.1"), ("8883", str(nobody))],
            "wms": [("host=wms-db.example.com", f"host=127.0.0.1 port={nobody}")],
            "erp": [("127.0.0.1:8000", f"127.0.0.1:{nobody}")]}, OPTIONS.build)
        cls.addClassCleanup(cls.node.cluster.stop)
        cls.node.cluster.declare("edi_acknowledgements")
        cls.names = {path.stem for path in definitions()}
        wait_until(lambda: cls.node.hub.placement().keys() >= cls.names, 30, "all of them placed")

    def test_every_definition_is_loaded_and_runs(self):
        self.assertEqual({path.stem for path in definitions()}, set(self.node.hub.placement()))
        self.assertGreaterEqual(len(self.names), 7)
        self.assertEqual({node for node, _ in self.node.hub.placement().values()}, {1})

    def test_a_file_of_the_shop_becomes_an_order_and_a_shipment_becomes_a_file(self):
        rows = json.loads((SAMPLES / "file" / "shop_order.json").read_text(encoding="utf-8"))["rows"]
        text = "\r\n".join(";".join(line) for line in [list(rows[0]), *(row.values() for row in rows)]) + "\r\n"
        path = self.shop / "in" / "orders_1.csv.tmp"
        path.write_bytes(text.encode("windows-1252"))
        path.rename(path.with_suffix(""))
        order = self.node.wait_record("orders/shop/4711")
        self.assertEqual([line["quantity"] for line in order["lines"]], ["1200.5", "2"])
        self.ship("S-1", "4711")
        out = self.shop / "out" / "shipment_4711_shipment_S-1.json"
        wait_until(out.exists, 20, f"{out.name} written: {self.node.story()}")
        self.assertEqual(json.loads(out.read_text(encoding="utf-8"))["lines"][0], {"sku": "VALVE-1", "qty": "8"})

    def ship(self, number, order):
        shipment = json.loads((SAMPLES / "file" / "shop_shipment.json").read_text(encoding="utf-8"))
        del shipment["_record"]
        self.node.put("shipments", f"wms/{number}", {**shipment, "shipment": number, "order": order})

    def test_an_interchange_becomes_an_order_and_a_shipment_becomes_two(self):
        path = self.partner / "in" / "first.edi.tmp"
        path.write_text(interchange(905, "850", "PO", ["BEG*00*SA*PO-1001**20261128", "N1*ST*Shop 7*92*0007",
                                                       "PO1*1*10*EA*9.90**VP*ITEM-1", "CTT*1"]), encoding="ascii")
        path.rename(path.with_suffix(""))
        path = self.partner / "in" / "second.edi.tmp"
        path.write_text(interchange(906, "940", "OW", ["W05*N*DO-7*PO-1001", "N1*ST*Shop 7*92*0007", "G62*10*20261130", "LX*1",
                                                       "W01*10*EA**VN*ITEM-1", "W76*10"]), encoding="ascii")
        path.rename(path.with_suffix(""))
        self.assertEqual(self.node.wait_record("orders/partner/PO-1001")["lines"][0]["price"], "9.90")
        self.assertEqual(self.node.wait_record("shipments/partner/DO-7")["planned"], "2026-11-30")
        self.ship("S-2", "PO-1001")
        wait_until(lambda: len(list((self.partner / "out").glob("*S-2*.edi"))) == 3, 20, f"945 and 856 written: {self.node.story()}")
        advice = next((self.partner / "out").glob("945_*S-2*")).read_text(encoding="ascii")
        self.assertIn("W12*CC*10*8**EA**VN*VALVE-1*L1~", advice.replace("\n", ""))

    def test_pages_and_a_webhook_become_records_and_a_shipment_is_posted(self):
        self.assertEqual(self.node.wait_record("orders/odata/SO-17")["total"], "690.00")
        body = (SAMPLES / "http" / "odata_customer.json").read_bytes()
        self.assertEqual(self.post(body, "wrong").status, 401)
        self.assertEqual(self.post(body, "a-secret-for-tests").status, 202)
        self.assertEqual(self.node.wait_record("parties/odata/K-17")["name"], "Shop 7")
        self.ship("S-3", "SO-17")
        wait_until(lambda: any(one["id"] == "shipment/S-3" for one in self.web.shipments), 20, f"posted: {self.node.story()}")
        event = next(one for one in self.web.shipments if one["id"] == "shipment/S-3")
        self.assertEqual((event["specversion"], event["data"]["lines"][0]["quantity"]), ("1.0", "8"))

    def post(self, body, secret):
        stamp = str(int(time.time()))
        signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        connection = http.client.HTTPConnection("127.0.0.1", self.hook, timeout=15)
        connection.request("POST", "/hooks/erp", body, {"X-Signature": "sha256=" + signature, "X-Timestamp": stamp,
                                                        "Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=OPTIONS.build)
    parser.add_argument("--rewrite", action="store_true")
    given, rest = parser.parse_known_args()
    OPTIONS.build, OPTIONS.rewrite = given.build, given.rewrite
    unittest.main(module="__main__", argv=[sys.argv[0], *rest], verbosity=2, warnings="ignore")


if __name__ == "__main__":
    main()
