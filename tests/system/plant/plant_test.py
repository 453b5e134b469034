"""The sample plant by itself: its counterparts agree when everything is carried once, its faults do what they say, and its reckoning sees
what is wrong.

    python3 -m tests.system.plant.plant_test [--build DIR]
"""
import argparse
import http.client
import json
import pathlib
import shutil
import sys
import tempfile
import unittest

from .bulk import write_moves, write_orders
from .loopback import Loopback
from .plant import Options, Plant
from .reckoning import table


class PlantCase(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mainstay-plant-"))
        self.addCleanup(shutil.rmtree, self.directory, True)

    def plant(self, **options):
        options.setdefault("mes", "http")
        made = Plant(self.directory / "plant", Options(**options), balances=lambda: self.on_hand(made))
        self.addCleanup(made.stop)
        return made

    @staticmethod
    def on_hand(plant):
        found = {}
        for (item, _, location), quantity in plant.store.stock("wms").items():
            if location.startswith(("A-", "DOCK")):
                found[item] = found.get(item, 0) + quantity
        return found

    def settle(self, plant, ticks=3000):
        loop = Loopback(plant)
        for _ in range(ticks):
            plant.tick()
            loop.step()
            if plant.is_settled() and loop.sent == plant.store.value("select max(seq) from outbox"):
                return
        self.fail(f"not settled: {plant.state()}")

    def differences(self, plant):
        return [f"{row.what}: {difference}" for row in table(plant.store) for difference in row.differences]


class Business(PlantCase):
    def test_it_settles_and_everybody_agrees(self):
        for seed in (1, 2, 3):
            with self.subTest(seed=seed):
                self.directory = self.directory / str(seed)
                plant = self.plant(seed=seed, orders=40, changes=0.3, short_picks=0.3, holds=0.5)
                self.settle(plant)
                self.assertEqual(self.differences(plant), [])
                for kind in ("production", "purchase", "count", "quality"):
                    self.assertGreater(plant.store.count("erp", kind), 0, kind)
                self.assertGreater(plant.store.count("wms", "shipment", "shipped"), 30)

    def test_the_same_seed_sells_the_same(self):
        found = []
        for name in ("one", "two"):
            self.directory = self.directory / name
            plant = self.plant(seed=9, orders=10, changes=0)
            for _ in range(10):
                plant.tick()
            found.append([(key, order["lines"]) for key, order in plant.store.all("erp", "order")])
        self.assertEqual(found[0], found[1])

    def test_a_cancelled_job_stops_and_counts_what_is_made(self):
        plant = self.plant(orders=0, purchases=0, counts=False, transfers=False)
        number = plant.erp.produce("F-01", 500)
        loop = Loopback(plant)
        for _ in range(6):
            plant.tick()
            loop.step()
        plant.erp.cancel_production(number)
        for _ in range(6):
            plant.tick()
            loop.step()
        self.assertEqual(plant.store.count("mes", "job", "aborted"), 1)
        self.assertGreater(sum(one["good"] for one in plant.mes.get("job", number)["made"].values()), 0)
        self.assertEqual(self.differences(plant), [])

    def test_a_count_older_than_the_last_move_is_refused(self):
        plant = self.plant(orders=0, counts=False, transfers=False)
        with plant.store.transaction():
            plant.wms.count()
            key, one = plant.wms.all("count")[0]
            plant.wms.move(one["item"], one["lot"], one["location"], "LOSS", 1, "scrap")
        plant.wms.receive("approval", "approval/1", {"count": key, "decision": "approved"})
        self.assertEqual(plant.store.count("wms", "count", "refused"), 1)

    def test_it_remembers_over_a_restart(self):
        plant = self.plant(orders=3)
        for _ in range(5):
            plant.tick()
        plant.stop()
        again = self.plant(orders=3)
        self.assertEqual(again.store.count("erp", "order"), 3)
        self.assertEqual(again.store.count("wms", "location"), 16)


class Files(PlantCase):
    def deliver(self, plant, kind, key, document, name):
        path = plant.directory / "erp" / "out" / name
        path.write_text(json.dumps({"type": kind, "id": key, "document": document}), encoding="utf-8")
        plant.tick()

    def test_documents_are_taken_once_and_repetitions_counted(self):
        plant = self.plant(orders=0)
        result = {"result": "Q-1", "verdict": "passed"}
        self.deliver(plant, "quality", "quality/Q-1", result, "one.json")
        self.deliver(plant, "quality", "quality/Q-1", result, "two.json")
        self.assertEqual(plant.state()["duplicates"]["erp"], 1)
        self.assertEqual(len(list((plant.directory / "erp" / "done").iterdir())), 2)
        self.assertIn("documents delivered twice: erp: 1", self.differences(plant))

    def test_what_it_cannot_take_is_kept_and_shown(self):
        plant = self.plant(orders=0)
        self.deliver(plant, "shipment", "shipment/S-1", {"shipment": "S-1", "order": "SO-9", "lines": []}, "one.json")
        self.assertIn("documents refused: erp: 1", self.differences(plant))

    def test_document_faults(self):
        plant = self.plant(orders=0, purchases=0, counts=False)
        plant.tick()
        folder = plant.directory / "erp" / "in"
        names = {}
        for fault in ("duplicate", "poison", "drift", "unit", "extra"):
            plant.fault("erp", fault)
            names[fault] = plant.erp.sell()
        plant.tick()
        files = {fault: folder / f"order-{number}-r1.json" for fault, number in names.items()}
        again = folder / f"order-{names['duplicate']}-r1-again.json"
        self.assertEqual(again.read_text(), files["duplicate"].read_text())
        with self.assertRaises(ValueError):
            json.loads(files["poison"].read_text())
        self.assertIsInstance(json.loads(files["drift"].read_text())["lines"][0]["qty"], dict)
        self.assertEqual(json.loads(files["unit"].read_text())["lines"][0]["uom"], "bushel?")
        self.assertIn("colour", json.loads(files["extra"].read_text()))
        self.assertEqual(plant.mend("erp"), 3)
        plant.tick()
        self.assertEqual(json.loads(files["poison"].read_text())["number"], names["poison"])

    def test_a_late_document_comes_after_its_successors(self):
        plant = self.plant(orders=0, purchases=0, counts=False)
        plant.fault("erp", "late")
        late, next_one = plant.erp.sell(), plant.erp.sell()
        plant.tick()
        self.assertFalse((plant.directory / "erp" / "in" / f"order-{late}-r1.json").exists())
        self.assertTrue((plant.directory / "erp" / "in" / f"order-{next_one}-r1.json").exists())
        for _ in range(30):
            plant.tick()
        self.assertTrue((plant.directory / "erp" / "in" / f"order-{late}-r1.json").exists())

    def test_down_and_back(self):
        plant = self.plant(orders=5)
        plant.fault("wms", "down")
        plant.tick()
        self.assertTrue((plant.directory / "wms").is_file())
        plant.clear("wms")
        plant.tick()
        self.assertTrue((plant.directory / "wms" / "in").is_dir())

    def test_bulk(self):
        plant = self.plant(orders=0, counts=False, transfers=False, opening=0)
        files = write_moves(plant, 1000, rows_a_file=100)
        plant.tick()
        written = sorted((plant.directory / "wms" / "in").glob("moves-bulk-*.ndjson"))
        self.assertEqual(len(written), files)
        self.assertEqual(sum(len(path.read_text().splitlines()) for path in written), 1000)
        self.assertEqual(plant.store.value("select sum(quantity) from stock where system = 'wms'"), 0)
        names = write_orders(self.directory / "orders", 1200)
        self.assertEqual(len(names), 3)


class Web(PlantCase):
    def ask(self, plant, method, path, body=None, headers=None, timeout=5):
        connection = http.client.HTTPConnection("127.0.0.1", plant.links["mes"].port, timeout=timeout)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers or {})
            answer = connection.getresponse()
            data = answer.read()
            return answer.status, json.loads(data) if data else None, dict(answer.getheaders())
        finally:
            connection.close()

    job = {"job": "MO-1", "revision": 1, "state": "firm", "item": "F-01", "qty": "5", "lot": "L1"}

    def test_jobs_in_and_messages_out(self):
        plant = self.plant(orders=0)
        self.assertEqual(self.ask(plant, "GET", "/documents/job/MO-1")[0], 404)
        self.assertEqual(self.ask(plant, "POST", "/documents/job/MO-1", self.job)[0], 201)
        self.assertEqual(self.ask(plant, "GET", "/documents/job/MO-1")[0], 200)
        self.assertEqual(self.ask(plant, "POST", "/documents/job/MO-1", self.job)[1]["first"], False)
        plant.tick()
        plant.tick()
        _, page, headers = self.ask(plant, "GET", "/messages?after=0&limit=1")
        self.assertEqual(page["messages"][0]["state"], "idle")
        _, rest, headers = self.ask(plant, "GET", page["next"].replace("limit=1&", ""))
        self.assertGreater(len(rest["messages"]), 0)
        self.assertNotIn("next", rest)
        after = rest["messages"][-1]["seq"]
        status, _, _ = self.ask(plant, "GET", f"/messages?after={after}", headers={"If-None-Match": headers["ETag"]})
        self.assertEqual(status, 304)

    def test_faults_of_the_connection(self):
        plant = self.plant(orders=0)
        plant.fault("mes", "errors", count=1)
        self.assertEqual(self.ask(plant, "POST", "/documents/job/MO-1", self.job)[0], 500)
        self.assertEqual(self.ask(plant, "GET", "/documents/job/MO-1")[0], 404)
        plant.fault("mes", "lost_answer", count=1)
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.ask(plant, "POST", "/documents/job/MO-1", self.job)
        self.assertEqual(self.ask(plant, "GET", "/documents/job/MO-1")[0], 200)
        plant.fault("mes", "half_open", count=1)
        with self.assertRaises(OSError):
            self.ask(plant, "GET", "/messages", timeout=0.3)
        plant.fault("mes", "down")
        plant.tick()
        with self.assertRaises(OSError):
            self.ask(plant, "GET", "/messages")
        plant.clear("mes")
        plant.tick()
        self.assertEqual(self.ask(plant, "GET", "/messages")[0], 200)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", help="not needed")
    _, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest])
