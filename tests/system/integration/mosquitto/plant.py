"""Counterparts of the mqtt adapter: an edge node that speaks Sparkplug B, and a MES with jobs and reports. Written without the adapter's
code: the payload is encoded by hand from the specification."""
import json
import threading
import time

import paho.mqtt.client as mqtt

INT64, BOOLEAN, STRING, UINT64 = 4, 11, 12, 8


def varint(number):
    out = b""
    while True:
        out += bytes([(number & 0x7F) | (0x80 if number > 0x7F else 0)])
        number >>= 7
        if not number:
            return out


def field(number, wire, value):
    return varint(number << 3 | wire) + (varint(len(value)) + value if wire == 2 else varint(value))


def metric(name, kind, value, alias=None):
    out = field(1, 2, name.encode()) if name else b""
    if alias is not None:
        out += field(2, 0, alias)
    out += field(4, 0, kind)
    if kind == STRING:
        return out + field(15, 2, value.encode())
    if kind == BOOLEAN:
        return out + field(14, 0, int(value))
    return out + field(11, 0, value & (1 << 64) - 1)


def payload(metrics, seq=None):
    out = field(1, 0, int(time.time() * 1000))
    for one in metrics:
        out += field(2, 2, one)
    return out if seq is None else out + field(3, 0, seq)


def client_of(name, port, clean=True):
    client = mqtt.Client(name, clean_session=clean)
    client.reconnect_delay_set(0.05, 0.2)
    client.connect_async("127.0.0.1", port, keepalive=10)
    return client


class Edge:
    """One node with one machine, which counts from 0 in each session."""

    def __init__(self, port, name="edge1", order="M-1", counts_sessions=True):
        self.port, self.name, self.order, self.counts_sessions = port, name, order, counts_sessions
        self.lock = threading.RLock()
        self.bd_seq, self.seq, self.good, self.scrap, self.rebirths, self.to_lose = -1, 0, 0, 0, 0, 0
        self.client, self.finished = None, []  # sessions: (good, scrap)
        self.connect()

    def connect(self):
        """A new session: another connection, the counters start again."""
        with self.lock:
            self.bd_seq = (self.bd_seq + 1) % 256 if self.counts_sessions else 0
            self.good = self.scrap = 0
            self.client = client_of(f"{self.name}-{time.monotonic_ns()}", self.port)
            self.client.will_set(f"spBv1.0/plant/NDEATH/{self.name}", payload([metric("bdSeq", UINT64, self.bd_seq)]), 1)
            self.client.on_connect = self._on_connect
            self.client.on_message = self._on_message
            self.client.loop_start()

    def _on_connect(self, client, *_):
        with self.lock:
            if client is not self.client:
                return
            client.subscribe(f"spBv1.0/plant/NCMD/{self.name}", 1)
            self.birth()

    def _on_message(self, client, *_):
        with self.lock:
            if client is self.client:
                self.rebirths += 1
                self.birth()

    def _publish(self, kind, device, metrics):
        topic = f"spBv1.0/plant/{kind}/{self.name}" + (f"/{device}" if device else "")
        body = payload(metrics, self.seq)
        self.seq = (self.seq + 1) % 256
        if self.to_lose and kind == "DDATA":
            self.to_lose -= 1
        else:
            self.client.publish(topic, body, 0)

    def birth(self):
        self.seq = 0
        self._publish("NBIRTH", None, [metric("bdSeq", UINT64, self.bd_seq), metric("Node Control/Rebirth", BOOLEAN, False)])
        self._publish("DBIRTH", "press", [metric("Count/Good", INT64, self.good, 1), metric("Count/Scrap", INT64, self.scrap, 2),
                                          metric("Order/Id", STRING, self.order, 3)])

    def produce(self, good=1, scrap=0):
        with self.lock:
            self.good += good
            self.scrap += scrap
            self._publish("DDATA", "press", [metric("", INT64, self.good, 1), metric("", INT64, self.scrap, 2)])

    def lose(self, messages):
        with self.lock:
            self.to_lose = messages

    def break_off(self):
        """The cable is cut: the broker tells the node's death."""
        with self.lock:
            client, self.client = self.client, None
            self.finished.append((self.good, self.scrap))
        sock = client.socket()
        client.on_disconnect = None
        client.loop_stop()
        if sock is not None:
            sock.close()

    def total(self):
        with self.lock:
            sessions = [*self.finished, (self.good, self.scrap)] if self.client else self.finished
            return sum(good for good, _ in sessions), sum(scrap for _, scrap in sessions)

    def stop(self):
        if self.client:
            self.client.disconnect()
            self.client.loop_stop()


class Mes:
    """Takes jobs once a key, answers each time; sends reports again until they are acknowledged."""

    def __init__(self, port, resend=0.2):
        self.lock = threading.RLock()
        self.jobs, self.job_messages, self.swallow, self.mute = {}, 0, 0, False
        self.unacknowledged, self.acknowledged, self.sent = {}, [], 0
        self.client = client_of("mes", port, clean=False)
        self.client.on_connect = lambda client, *_: client.subscribe([("mes/jobs/+", 1), ("mes/query", 1), ("mes/list", 1),
                                                                      ("mes/report_acks", 1)])
        self.client.on_message = self._on_message
        self.client.loop_start()
        self.ended = threading.Event()
        self.resender = threading.Thread(target=self._resend, args=(resend,))
        self.resender.start()

    def _on_message(self, _, __, message):
        body = json.loads(message.payload)
        with self.lock:
            if message.topic == "mes/report_acks":
                self.acknowledged.append(body["id"])
                self.unacknowledged.pop(body["id"], None)
            elif message.topic == "mes/list":
                keys = [key for key in sorted(self.jobs) if key > body["after"]]
                self._answer("mes/list_answers", {"request": body["request"], "next": keys[1] if len(keys) > 2 else "",
                             "items": [{"id": key, "document": self.jobs[key]} for key in keys[:2]]})
            elif message.topic == "mes/query":
                if not self.mute:
                    self._answer("mes/answers", {"key": body["key"], "status": "accepted" if body["key"] in self.jobs else "unknown"})
            else:
                self._on_job(body)

    def _on_job(self, body):
        self.job_messages += 1
        if body["document"].get("recipe") == "none":
            self._answer("mes/answers", {"key": body["key"], "status": "refused", "reason": "no such recipe"})
            return
        self.jobs.setdefault(body["key"], body["document"])
        if self.swallow:
            self.swallow -= 1
        elif not self.mute:
            self._answer("mes/answers", {"key": body["key"], "status": "accepted", "reference": f"JOB-{len(self.jobs)}"})

    def _answer(self, topic, body):
        self.client.publish(topic, json.dumps(body), 1)

    def report(self, number):
        with self.lock:
            self.unacknowledged[f"R-{number}"] = {"id": f"R-{number}", "order": "M-1", "good": 1}
            self._send(f"R-{number}")

    def _send(self, name):
        self.sent += 1
        self.client.publish("mes/line1/reports", json.dumps(self.unacknowledged[name]), 1)

    def _resend(self, pause):
        while not self.ended.wait(pause):
            with self.lock:
                for name in list(self.unacknowledged)[:200]:
                    self._send(name)

    def stop(self):
        self.ended.set()
        self.resender.join()
        self.client.disconnect()
        self.client.loop_stop()
