"""etcd 3.4 of Debian: default settings, every write flushed. Loaded over its JSON gateway, at the leader, and over gRPC, spread over "
"all nodes."""
import json
import subprocess
import urllib.request

from tests.system.lab.process import free_ports

from .peer import Peer, Side, program


class Etcd(Peer):
    name = "etcd"
    package = "etcd-server"

    def __init__(self, directory, nodes=3):
        super().__init__(directory, nodes)
        self.peer_ports = free_ports(nodes)

    @classmethod
    def require(cls):
        program("etcd", cls.package)

    @classmethod
    def version(cls):
        said = subprocess.run([program("etcd", cls.package), "--version"], capture_output=True, text=True, timeout=10).stdout
        return "etcd " + said.splitlines()[0].split(":")[1].strip()

    def start_node(self, node):
        everyone = ",".join(f"n{i}=http://127.0.0.1:{port}" for i, port in enumerate(self.peer_ports))
        client, peer = f"http://{self.endpoint(node)}", f"http://127.0.0.1:{self.peer_ports[node]}"
        self.spawn(node, [program("etcd", self.package), "--name", f"n{node}", "--data-dir", self.directory / f"n{node}",
                          "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
                          "--initial-advertise-peer-urls", peer, "--initial-cluster", everyone, "--initial-cluster-state", "new",
                          "--quota-backend-bytes", str(8 << 30), "--log-level", "error"])

    def status(self, node):
        return self._ask(node, "/v3/maintenance/status", {})

    def healthy(self):
        said = [self.status(node) for node in self.ids]
        applied = [int(status["raftAppliedIndex"]) for status in said]
        return all(status.get("leader", "0") != "0" for status in said) and max(applied) - min(applied) < 50

    def leader(self):
        for node in self.ids:
            try:
                status = self.status(node)
            except (OSError, ValueError):
                continue
            if status["header"]["member_id"] == status.get("leader"):
                return node
        raise RuntimeError("no etcd member says that it leads")

    def drain(self, node):
        """Moves the leadership away, as an operator would."""
        if self.leader() != node:
            return
        target = self.status((node + 1) % len(self.ids))["header"]["member_id"]
        self._ask(node, "/v3/maintenance/transfer-leadership", {"targetID": target})

    def sides(self):
        return [Side(self, "etcd HTTP", "etcd", lambda: [self.endpoint(self.leader())], "JSON gateway, all clients at the leader"),
                Side(self, "etcd gRPC", "etcd-grpc", lambda: self.endpoints, "gRPC, clients spread over the nodes, 6 connections a node")]

    def failover_side(self):
        return Side(self, "etcd HTTP", "etcd", lambda: self.endpoints, "JSON gateway")

    def _ask(self, node, path, body):
        request = urllib.request.Request(f"http://{self.endpoint(node)}{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=2) as answer:
            return json.load(answer)
