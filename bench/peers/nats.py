"""NATS JetStream of Debian: one stream with three replicas on disk. It acknowledges what a majority has received; it does not flush to disk
before that. Clients go to the node that leads the stream."""
import json
import socket
import subprocess

from tests.system.lab.process import wait_until

from tests.system.lab.process import free_ports

from .peer import Peer, Side, program

STREAM = "KV_bench"


class Nats(Peer):
    name = "nats"
    package = "nats-server"
    attempt_ms = 500
    linearizable_reads = False  # the stream's leader answers by itself

    def __init__(self, directory, nodes=3):
        super().__init__(directory, nodes)
        self.route_ports = free_ports(nodes)

    @classmethod
    def require(cls):
        program("nats-server", cls.package)

    @classmethod
    def version(cls):
        said = subprocess.run([program("nats-server", cls.package), "--version"], capture_output=True, text=True, timeout=10).stdout
        return "NATS " + said.strip().rsplit(" ", 1)[-1]

    def start_node(self, node):
        routes = ", ".join(f'"nats-route://127.0.0.1:{port}"' for port in self.route_ports)
        file = self.directory / f"n{node}.conf"
        file.write_text(f"""server_name: n{node}
host: 127.0.0.1
port: {self.client_ports[node]}
jetstream {{ store_dir: "{self.directory}/n{node}", max_file_store: 8GB, max_memory_store: 256MB }}
cluster {{ name: bench, listen: "127.0.0.1:{self.route_ports[node]}", routes: [ {routes} ] }}
""", encoding="utf-8")
        self.spawn(node, [program("nats-server", self.package), "-c", file])

    def start(self):
        for node in self.ids:
            self.start_node(node)
        wait_until(self._make_stream, 60, "the stream is made")
        self.wait_healthy()

    def _make_stream(self):
        try:
            made = self._api(f"STREAM.CREATE.{STREAM}", {
                "name": STREAM, "subjects": ["$KV.bench.>"], "num_replicas": len(self.ids), "storage": "file", "retention": "limits",
                "max_msgs_per_subject": 1, "discard": "new", "max_age": 0, "max_bytes": -1, "max_msgs": -1, "max_consumers": -1,
                "allow_rollup_hdrs": True, "deny_delete": True, "duplicate_window": 120 * 10**9})
        except (OSError, RuntimeError, ValueError):
            return False
        return "config" in made

    def healthy(self):
        cluster = self._cluster()
        replicas = cluster.get("replicas", [])
        return bool(cluster.get("leader")) and len(replicas) == len(self.ids) - 1 and all(
            replica.get("current") and not replica.get("offline") for replica in replicas)

    def leader(self):
        name = wait_until(lambda: self._cluster_or_nothing().get("leader"), 30, "a leader of the stream")
        return int(name[1:])

    def drain(self, node):
        if self.leader() == node:
            self._api(f"STREAM.LEADER.STEPDOWN.{STREAM}")
            wait_until(lambda: self.leader() != node, 20, "another leader of the stream")

    def sides(self):
        return [Side(self, "NATS R3", "nats", lambda: [self.endpoint(self.leader())],
                     "JetStream, no flush before the acknowledgement; all clients at the stream's leader; reads are its last message")]

    def failover_side(self):
        return Side(self, "NATS R3", "nats", lambda: self.endpoints, "JetStream")

    def _cluster(self):
        return self._api(f"STREAM.INFO.{STREAM}")["cluster"]

    def _cluster_or_nothing(self):
        try:
            return self._cluster()
        except (OSError, RuntimeError, ValueError, KeyError):
            return {}

    def _api(self, subject, body=None):
        """The answer of the first node that gives one."""
        problem = RuntimeError("no NATS server runs")
        for node in self.ids:
            if not self.processes[node].running():
                continue
            try:
                return request(self.client_ports[node], f"$JS.API.{subject}", body)
            except (OSError, RuntimeError, ValueError) as error:
                problem = error
        raise RuntimeError(f"NATS: {subject}: {problem}")


def request(port, subject, body=None):
    """One request and its answer over the text protocol."""
    payload = json.dumps(body).encode() if body is not None else b""
    with socket.create_connection(("127.0.0.1", port), 2) as connection, connection.makefile("rwb") as stream:
        connection.settimeout(3)
        stream.readline()
        stream.write(b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\nSUB _INBOX.bench 1\r\n'
                     + f"PUB {subject} _INBOX.bench {len(payload)}\r\n".encode() + payload + b"\r\n")
        stream.flush()
        while line := stream.readline():
            if line.startswith(b"PING"):
                stream.write(b"PONG\r\n")
                stream.flush()
            elif line.startswith(b"MSG"):
                return json.loads(stream.read(int(line.split()[-1])))
            elif line.startswith(b"HMSG"):
                raise RuntimeError("nobody answers for the stream")
    raise RuntimeError("the server closed the connection")
