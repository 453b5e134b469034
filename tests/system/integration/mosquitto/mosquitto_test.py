"""The mqtt adapter on a real broker: lost messages, births and deaths, a broker and an adapter that are killed, dispatch exactly once."""
import argparse
import json
import random
import sys
import threading
import time
import unittest

from tests.system.integration.driver import Adapter, AdapterError, DriverGone
from tests.system.integration.mosquitto.broker import Broker
from tests.system.integration.mosquitto.plant import Edge, Mes, client_of
from tests.system.lab.process import wait_until

OPTIONS = argparse.Namespace(build="build/check")
SEED = 7


def tell(text):
    print(f"    {text}", flush=True)


class Hub:
    """What the hub's kit does with a source: an inbox that drops what it knows, a position committed with it, then acknowledging."""

    def __init__(self, make):
        self.make, self.adapter = make, make()
        self.inbox, self.position, self.restarts, self.last = {}, "", 0, None

    def step(self):
        try:
            page = self.adapter.fetch(self.position)
        except AdapterError as error:
            if error.code not in ("unavailable", "deadline_exceeded"):
                raise
            return 0
        for message in page["messages"]:
            self.last = message
            self.inbox.setdefault((message["type"], message["id"], message["version"]), message)
        self.position = page["position"]
        if page["messages"]:
            try:
                self.adapter.ask("acknowledge", position=self.position)
            except AdapterError as error:
                if error.code != "unavailable":
                    raise
        return len(page["messages"])

    def kill(self):
        self.restarts += 1
        self.adapter.kill()
        self.adapter = self.make()

    def until(self, check, seconds, what):
        def stepped():
            self.step()
            return check()
        wait_until(stepped, seconds, what)

    def documents(self, kind):
        return [json.loads(message["body"]) for (type_, _, _), message in list(self.inbox.items()) if type_ == kind]

    def produced(self):
        """Maximum of each session, summed over the sessions."""
        sessions = {}
        for document in self.documents("production"):
            good, scrap = sessions.get((document["device"], document["session"]), (0, 0))
            sessions[document["device"], document["session"]] = max(good, document["good"]), max(scrap, document["scrap"])
        return sum(good for good, _ in sessions.values()), sum(scrap for _, scrap in sessions.values())

    def sessions(self):
        return {document["session"] for document in self.documents("production")}


class MosquittoCase(unittest.TestCase):
    broker_options = {}

    def setUp(self):
        began = time.monotonic()
        self.addCleanup(lambda: print(f"    {time.monotonic() - began:.1f} s", flush=True))
        self.broker = Broker(**self.broker_options)
        self.addCleanup(self.broker.stop)
        self.broker.start()

    def adapter(self, call_timeout_ms=5000, **more):
        settings = {
            "host": "127.0.0.1", "port": self.broker.port, "client_id": "hub", "groups": ["plant"], "host_id": "mainstay",
            "equipment": "equipment", "wait": "50ms", "rebirth_every": "300ms", "connect_timeout": "2s",
            "counters": [{"type": "production", "counters": {"good": "Count/Good", "scrap": "Count/Scrap"},
                          "context": {"order": "Order/Id"}}],
            "reports": [{"type": "report", "topic": "mes/+/reports", "acknowledge_topic": "mes/report_acks"}],
            "dispatch": [{"type": "job", "topic": "mes/jobs/{/line}", "answer_topic": "mes/answers", "query_topic": "mes/query"}],
            "lists": [{"kind": "jobs", "request_topic": "mes/list", "answer_topic": "mes/list_answers"}], **more}
        adapter = Adapter(OPTIONS.build, "mqtt", settings, call_timeout_ms)
        self.addCleanup(adapter.close)
        return adapter

    def hub(self, **more):
        hub = Hub(lambda: self.adapter(**more))
        self.addCleanup(lambda: hub.adapter.close())
        hub.step()  # connected and subscribed: what comes now is heard
        return hub

    def edge(self, **more):
        edge = Edge(self.broker.port, **more)
        self.addCleanup(edge.stop)
        return edge

    def mes(self, **more):
        mes = Mes(self.broker.port, **more)
        self.addCleanup(mes.stop)
        wait_until(mes.client.is_connected, 10, "the MES is connected")
        return mes


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def job(number, **more):
    return {"key": f"job/M-{number}/1", "type": "job", "subject": f"M-{number}", "document": {"order": f"M-{number}", "line": "L1", **more}}


class CountersTest(MosquittoCase):
    def test_births_data_and_death(self):
        hub, edge = self.hub(), self.edge()
        hub.until(hub.sessions, 10, "the birth is heard")
        for _ in range(20):
            edge.produce(good=3, scrap=1)
        hub.until(lambda: hub.produced() == (60, 20), 10, "all counted")
        edge.break_off()
        states = lambda: [document["state"] for document in hub.documents("equipment") if document["device"] == "plant/edge1/press"]
        hub.until(lambda: states() == ["online", "offline"], 10, "the death is heard")
        edge.connect()
        hub.until(lambda: states() == ["online", "offline", "online"], 10, "the next birth is heard")
        edge.produce(5)
        hub.until(lambda: hub.produced() == edge.total() == (65, 20), 10, "two sessions are summed")
        self.assertEqual(2, len(hub.sessions()))

    def test_a_lost_message_is_a_gap_and_a_rebirth(self):
        hub, edge = self.hub(), self.edge()
        hub.until(hub.sessions, 10, "the birth is heard")
        edge.produce()
        edge.lose(1)
        edge.produce(good=10)
        edge.produce(scrap=2, good=0)
        hub.until(lambda: hub.produced() == (11, 2), 10, "the rebirth brings what was lost")
        self.assertGreaterEqual(edge.rebirths, 1)
        self.assertEqual(1, len(hub.sessions()), "a rebirth is no new session")

    def test_counters_are_right_after_many_losses_and_deaths(self):
        chance, hub, edge, losses = random.Random(SEED), self.hub(), self.edge(), 0
        hub.until(hub.sessions, 10, "the birth is heard")
        for turn in range(1500):
            if chance.random() < 0.03:
                losses += 1
                edge.lose(chance.randint(1, 3))
            edge.produce(good=chance.randint(0, 5), scrap=chance.randint(0, 1))
            if turn % 5 == 0:
                hub.step()
            if turn % 500 == 250:
                # What the hub has not heard of a session at its end nobody repeats: wait for it first.
                edge.lose(0)
                edge.produce()
                hub.until(lambda: hub.produced() == edge.total(), 20, "the session is heard")
                edge.break_off()
                edge.connect()
        edge.lose(0)
        edge.produce()
        hub.until(lambda: hub.produced() == edge.total(), 20, "all counted")
        tell(f"{losses} losses, {edge.rebirths} rebirths, {len(hub.sessions())} sessions: good and scrap {edge.total()} exactly")

    def test_a_node_that_does_not_count_its_sessions(self):
        hub, edge = self.hub(), self.edge(counts_sessions=False)
        hub.until(hub.sessions, 10, "the birth is heard")
        for good in (7, 4):
            edge.produce(good=good)
            hub.until(lambda: hub.produced() == edge.total(), 10, "the session is heard")
            edge.break_off()
            hub.until(lambda: hub.documents("equipment")[-1]["state"] == "offline", 10, "the death is heard")
            edge.connect()
        self.assertEqual((11, 0), hub.produced())

    def test_the_broker_is_killed(self):
        hub, edge = self.hub(), self.edge()
        hub.until(hub.sessions, 10, "the birth is heard")
        for turn in range(3):
            edge.produce(good=5)
            self.broker.kill()
            edge.produce(good=2)
            self.broker.start()
            edge.produce(good=1)
            hub.until(lambda: hub.produced() == edge.total(), 30, "the counters are right again")
        tell(f"3 brokers killed: good {edge.total()[0]} exactly, {len(hub.sessions())} session(s)")

    def test_the_adapter_is_killed(self):
        chance, hub, edge = random.Random(SEED), self.hub(), self.edge()
        hub.until(hub.sessions, 10, "the birth is heard")
        for turn in range(200):
            edge.produce(good=chance.randint(1, 4))
            if chance.random() < 0.2:
                hub.adapter.send("fetch", position=hub.position)
                threading.Event().wait(chance.random() * 0.03)
                hub.kill()
            else:
                hub.step()
        hub.until(lambda: hub.produced() == edge.total(), 20, "all counted")
        self.assertEqual(1, len(hub.sessions()), "the hub's own restarts make no sessions")
        tell(f"{hub.restarts} adapters killed: good {edge.total()[0]} exactly, 1 session")

    def test_what_a_machine_says_is_here_at_once(self):
        hub, edge, taken = self.hub(wait="1s"), self.edge(), []
        hub.until(hub.sessions, 10, "the birth is heard")
        hub.until(lambda: not hub.adapter.fetch(hub.position)["messages"], 10, "nothing waits")
        for _ in range(200):
            hub.adapter.send("fetch", position=hub.position)
            began = time.monotonic()
            edge.produce()
            page = hub.adapter.answer()
            taken.append((time.monotonic() - began) * 1000)
            self.assertEqual(1, len(page["messages"]))
            hub.position = page["position"]
            hub.adapter.ask("acknowledge", position=hub.position)
        began, many = time.monotonic(), 5000
        for _ in range(many):
            edge.produce()
        hub.until(lambda: json.loads(hub.last["body"])["good"] == edge.good, 30, "all is read")
        tell(f"said to fetched: p50 {percentile(taken, 0.5):.2f} ms, p99 {percentile(taken, 0.99):.2f} ms of {len(taken)}; "
             f"{many} messages in {time.monotonic() - began:.1f} s")

    def test_the_host_says_whether_it_lives(self):
        states, listener = [], client_of("listener", self.broker.port)
        listener.on_connect = lambda client, *_: client.subscribe("spBv1.0/STATE/mainstay", 1)
        listener.on_message = lambda _, __, message: states.append(json.loads(message.payload)["online"])
        listener.loop_start()
        self.addCleanup(listener.loop_stop)
        hub = self.hub()
        wait_until(lambda: states == [True], 10, "online")
        hub.adapter.kill()
        wait_until(lambda: states == [True, False], 10, "offline by the will")
        hub = self.hub()
        wait_until(lambda: states[-1], 10, "online again")
        before = len(states)
        listener.publish("spBv1.0/STATE/mainstay", '{"online": false, "timestamp": 1}', 1, True)
        hub.until(lambda: False in states[before:] and states[-1], 10, "it says otherwise")
        hub.adapter.close()
        wait_until(lambda: not states[-1], 10, "offline by its own word")

    def test_what_cannot_be_read_is_kept_as_it_came(self):
        hub, other = self.hub(), client_of("other", self.broker.port)
        other.loop_start()
        self.addCleanup(other.loop_stop)
        other.publish("spBv1.0/plant/NDATA/edge9", b"\x12\xff", 1)
        other.publish("mes/line1/reports", "no json", 1)
        other.publish("mes/line1/reports", '{"name": "no id"}', 1)
        hub.until(lambda: len(hub.inbox) == 3, 10, "all arrive")
        for message in hub.inbox.values():
            with self.assertRaises(AdapterError) as raised:
                hub.adapter.ask("decode", message=message)
            self.assertEqual("invalid_argument", raised.exception.code)


class ReportsTest(MosquittoCase):
    def test_reports_are_acknowledged_only_when_committed(self):
        mes, adapter = self.mes(), self.adapter()
        adapter.fetch()
        mes.report(1)
        page = {"messages": []}
        while not page["messages"]:
            page = adapter.fetch()
        before = mes.sent
        wait_until(lambda: mes.sent > before, 10, "it is sent again")
        self.assertEqual([], mes.acknowledged)
        self.assertEqual(["R-1"], sorted({message["id"] for message in adapter.fetch()["messages"]}), "it comes again too")
        adapter.ask("acknowledge", position=page["position"])
        wait_until(lambda: mes.acknowledged, 10, "it is acknowledged")
        wait_until(lambda: not mes.unacknowledged, 10, "its sender knows")

    def test_reports_survive_killed_brokers_and_adapters(self):
        chance, mes, hub, brokers, reports = random.Random(SEED), self.mes(), self.hub(), 0, 300
        for number in range(reports):
            mes.report(number)
            if number % 100 == 60:
                brokers += 1
                self.broker.kill()
                self.broker.start()
            if chance.random() < 0.1:
                hub.adapter.send("fetch", position=hub.position)
                threading.Event().wait(chance.random() * 0.05)
                hub.kill()
            else:
                hub.step()
        hub.until(lambda: not mes.unacknowledged, 60, "all reports are acknowledged")
        names = [name for type_, name, _ in hub.inbox if type_ == "report"]
        self.assertEqual(sorted(f"R-{number}" for number in range(reports)), sorted(names))
        tell(f"{reports} reports sent {mes.sent} times, {brokers} brokers and {hub.restarts} adapters killed: 0 missing, 0 twice")


class DispatchTest(MosquittoCase):
    def test_a_job_is_acknowledged_by_the_mes(self):
        mes, adapter = self.mes(), self.adapter()
        done = adapter.ask("apply", effect=job(1))
        self.assertEqual(("done", "JOB-1"), (done["verdict"], done["receipt"]["reference"]))
        refused = adapter.ask("apply", effect=job(2, recipe="none"))
        self.assertEqual(("refused", "no such recipe"), (refused["verdict"], refused["detail"]))
        self.assertEqual("refused", adapter.ask("apply", effect=job(3, line="a/b"))["verdict"])
        self.assertEqual(["job/M-1/1"], list(mes.jobs))

    def test_a_job_as_a_command_of_sparkplug(self):
        heard, machine = [], client_of("machine", self.broker.port)
        machine.on_connect = lambda client, *_: client.subscribe("spBv1.0/plant/DCMD/edge1/L1", 1)

        def answer(client, _, message):
            heard.append(message.payload)
            client.publish("mes/answers", json.dumps({"key": job(1)["key"], "status": "accepted"}), 1)
        machine.on_message = answer
        machine.loop_start()
        self.addCleanup(machine.loop_stop)
        wait_until(machine.is_connected, 10, "the machine is connected")
        adapter = self.adapter(dispatch=[{"type": "job", "topic": "spBv1.0/plant/DCMD/edge1/{/line}", "form": "command",
                                          "answer_topic": "mes/answers"}], call_timeout_ms=1000)
        wait_until(lambda: adapter.ask("apply", effect=job(1))["verdict"] == "done", 20, "it is answered")
        self.assertIn(b"Job/Key", heard[0])
        self.assertIn(job(1)["key"].encode(), heard[0])

    def test_silence_is_unknown_and_looked_up(self):
        mes, adapter = self.mes(), self.adapter(call_timeout_ms=300)
        mes.mute = True
        self.assertEqual("unknown", adapter.ask("apply", effect=job(1))["verdict"])
        self.assertRaises(AdapterError, adapter.ask, "lookup", effect=job(1))
        mes.mute = False
        self.assertTrue(adapter.ask("lookup", effect=job(1))["found"])
        self.assertFalse(adapter.ask("lookup", effect=job(2))["found"])
        self.broker.kill()
        self.assertEqual("transient", adapter.ask("apply", effect=job(3))["verdict"])

    def test_each_job_is_taken_once_whatever_is_killed(self):
        chance, mes, jobs = random.Random(SEED), self.mes(), 120
        kills = brokers = unknown = 0
        adapter = self.adapter(call_timeout_ms=500)
        for number in range(jobs):
            mes.swallow = int(chance.random() < 0.1)
            if number % 40 == 20:
                brokers += 1
                self.broker.kill()
                self.broker.start()
            while True:
                try:
                    adapter.send("apply", effect=job(number))
                    if chance.random() < 0.25:
                        threading.Event().wait(chance.random() * 0.02)
                        adapter.kill()
                        raise DriverGone()
                    verdict = adapter.answer()["verdict"]
                except DriverGone:
                    kills += 1
                    adapter = self.adapter(call_timeout_ms=500)
                    continue
                unknown += verdict == "unknown"
                if verdict == "done":
                    break
        self.assertEqual(sorted(job(number)["key"] for number in range(jobs)), sorted(mes.jobs))
        tell(f"{jobs} jobs in {mes.job_messages} messages, {kills} adapters and {brokers} brokers killed, {unknown} unknown: "
             "each taken once")

    def test_the_list_of_jobs_is_read_from_the_mes(self):
        self.mes().jobs.update({f"job/{number}": {"order": f"M-{number}"} for number in range(5)})
        items = self.adapter().observe("jobs")
        self.assertEqual([f"job/{number}" for number in range(5)], [item["id"] for item in items])


class LoginTest(MosquittoCase):
    broker_options = {"password": "right", "tls": True}

    def test_only_the_right_password_over_tls(self):
        right, wrong = f"{self.broker.directory}/right", f"{self.broker.directory}/wrong"
        for path, text in ((right, "right\n"), (wrong, "wrong\n")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        login = {"ca_file": self.broker.ca_file, "username": "hub"}
        self.assertEqual([], self.adapter(**login, password_file=right).fetch()["messages"])
        for settings, code in (({**login, "password_file": wrong}, "unauthorized"), ({"connect_timeout": "500ms"}, "unavailable")):
            with self.assertRaises(AdapterError) as raised:
                self.adapter(**settings).fetch()
            self.assertEqual(code, raised.exception.code)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=OPTIONS.build)
    arguments, rest = parser.parse_known_args()
    OPTIONS.build = arguments.build
    unittest.main(module=__name__, argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
