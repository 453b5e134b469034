"""etcd 3.4 of Debian: three members on loopback, default settings."""
import json
import pathlib
import shutil
import urllib.error
import urllib.request

from tests.system.lab.process import Process, free_ports, wait_until

PACKAGE = "etcd-server"


class Etcd:
    name = "etcd"
    protocol = "etcd"

    def __init__(self, directory, nodes=3):
        if shutil.which("etcd") is None:
            raise RuntimeError(f"etcd is neither installed nor in build/tools: ./check unpacks it, or: apt-get install {PACKAGE}")
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        ports = free_ports(2 * nodes)
        self.client_ports, self.peer_ports = ports[:nodes], ports[nodes:]
        self.processes = []

    @property
    def endpoints(self):
        return [f"127.0.0.1:{port}" for port in self.client_ports]

    def start(self):
        everyone = ",".join(f"n{i}=http://127.0.0.1:{port}" for i, port in enumerate(self.peer_ports))
        for i, (client, peer) in enumerate(zip(self.client_ports, self.peer_ports)):
            self.processes.append(Process(
                ["etcd", "--name", f"n{i}", "--data-dir", self.directory / f"n{i}",
                 "--listen-client-urls", f"http://127.0.0.1:{client}",
                 "--advertise-client-urls", f"http://127.0.0.1:{client}",
                 "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                 "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                 "--initial-cluster", everyone, "--initial-cluster-state", "new", "--log-level", "error"],
                self.directory / f"n{i}.log"))
        for port in self.client_ports:
            wait_until(lambda: self._healthy(port), 30, f"etcd on port {port} healthy")

    def leader_endpoint(self):
        for port in self.client_ports:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/v3/maintenance/status", b"{}")
            with urllib.request.urlopen(request, timeout=2) as answer:
                status = json.load(answer)
            if status["header"]["member_id"] == status["leader"]:
                return f"127.0.0.1:{port}"
        raise RuntimeError("no etcd member says that it leads")

    def cpu_seconds(self):
        return sum(process.cpu_seconds() for process in self.processes)

    def stop(self):
        for process in self.processes:
            process.end()

    @staticmethod
    def _healthy(port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                return json.load(answer).get("health") == "true"
        except (OSError, urllib.error.URLError, ValueError):
            return False
