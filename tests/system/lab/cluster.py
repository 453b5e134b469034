"""A Mainstay cluster of real daemons on loopback, each with its own directory, configuration and certificates."""
import json
import os
import pathlib
import signal
import subprocess

from .client import Client
from .process import Process, free_ports, wait_until


class Cluster:
    """Nodes 1..n under `directory`. `stop()` ends every process, whatever state it is in. `environment` makes them lab daemons
    (tests/system/lab/daemon.cpp) with these variables; `node_environment[node]` has more of them for one node."""

    name = "mainstay"
    protocol = "mainstay"

    def __init__(self, directory, nodes=3, build="build/check", options=None, environment=None):
        self.directory = pathlib.Path(directory).resolve()
        self.build = pathlib.Path(build).resolve()
        self.daemon = self._program("tests/system/lab/mainstayd-lab" if environment is not None else "bin/mainstayd")
        self.tool = self._program("bin/mainstay")
        self.environment, self.node_environment = environment or {}, {}
        self.slow_flushes = {}  # node -> milliseconds that each flush of its disk takes longer, from its next start on
        self.ids = list(range(1, nodes + 1))
        ports = free_ports(2 * nodes)
        self._api = dict(zip(self.ids, ports[:nodes]))
        self._peer = dict(zip(self.ids, ports[nodes:]))
        # "section.option": value, for every node; without tokens, unless a test is about them
        self.options = {"auth.enabled": False, **(options or {})}
        self.processes = {}
        self._prepared = False

    def _program(self, name):
        path = self.build / name
        if not path.exists():
            raise RuntimeError(f"{path} is missing: build first, or name the build directory with --build")
        return path

    # --- addresses ---

    def endpoint(self, node):
        return f"127.0.0.1:{self._api[node]}"

    @property
    def endpoints(self):
        return [self.endpoint(node) for node in self.ids]

    # --- life ---

    def start(self, ready_seconds=30):
        self.prepare()
        for node in self.ids:
            self.start_node(node)
        self.wait_ready(ready_seconds)

    def prepare(self):
        """Certificates and configuration files, once."""
        if self._prepared:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        certificates = self.directory / "certs"
        self.run_tool("certs", "init-ca", "--directory", certificates, "--cluster", "lab")
        for node in self.ids:
            self.run_tool("certs", "node", node, "--directory", certificates, "--cluster", "lab", "--host", "127.0.0.1")
            self.write_configuration(node)
        self._prepared = True

    def node_directory(self, node):
        return self.directory / f"node{node}"

    def write_configuration(self, node, extra=None):
        home, certificates = self.node_directory(node), self.directory / "certs"
        home.mkdir(exist_ok=True)
        sections = {
            "node": {"id": node},
            "data": {"directory": str(home / "data")},
            "cluster": {"name": "lab"},
            "peer": {"listen": f"127.0.0.1:{self._peer[node]}"},
            "api": {"listen": self.endpoint(node)},
            "tls": {"ca": str(certificates / "ca.pem"), "certificate": str(certificates / f"node-{node}.pem"),
                    "key": str(certificates / f"node-{node}.key")},
        }
        for name, value in {**self.options, **(extra or {})}.items():
            section, option = name.split(".", 1)
            sections.setdefault(section, {})[option] = value
        text = "".join(f"[{section}]\n" + "".join(f"{option} = {_toml(value)}\n" for option, value in options.items())
                       for section, options in sections.items())
        for peer in self.ids:
            text += (f"[[cluster.peers]]\nid = {peer}\npeer = \"127.0.0.1:{self._peer[peer]}\"\n"
                     f"api = \"{self.endpoint(peer)}\"\n")
        (home / "mainstayd.toml").write_text(text, encoding="utf-8")

    def start_node(self, node):
        home = self.node_directory(node)
        # As a detached tracer, so that the process is the daemon itself.
        slowly = [] if node not in self.slow_flushes else [
            "strace", "-D", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e",
            f"inject=fdatasync,fsync:delay_enter={self.slow_flushes[node] * 1000}"]
        self.processes[node] = Process([*slowly, self.daemon, "--config", home / "mainstayd.toml"], home / "mainstayd.log",
                                       env={**os.environ, **self.environment, **self.node_environment.get(node, {})})

    def kill(self, node):
        self.processes[node].kill()

    def hang(self, node):
        """Frozen when it returns: the signal alone may reach some threads a moment later."""
        process = self.processes[node]
        process.signal(signal.SIGSTOP)
        tasks = pathlib.Path(f"/proc/{process.popen.pid}/task")
        wait_until(lambda: all(task.joinpath("stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] in "TtZX"
                               for task in tasks.iterdir()), 5, f"node {node} frozen")

    def resume(self, node):
        self.processes[node].signal(signal.SIGCONT)

    def terminate(self, node, seconds=30):
        return self.processes[node].terminate(seconds)

    def stop(self):
        for process in self.processes.values():
            process.signal(signal.SIGCONT)
            process.signal(signal.SIGTERM)
        for process in self.processes.values():
            process.end()

    # --- questions ---

    def ready(self, node):
        try:
            client = Client([self.endpoint(node)], timeout=1.0)
            return client.request("GET", "/readyz", deadline=0.5).status == 200
        except TimeoutError:
            return False

    def wait_ready(self, seconds=30):
        for node in self.ids:
            if self.processes[node].running() or node not in self.processes:
                wait_until(lambda: self.ready(node) or not self.processes[node].running(), seconds, f"node {node} ready")
            if not self.processes[node].running():
                raise RuntimeError(f"node {node} ended with {self.processes[node].popen.returncode}:\n{self.processes[node].log_tail()}")

    def view(self, node):
        """What this node says of the cluster, or None when it does not answer within a second."""
        try:
            return Client([self.endpoint(node)], timeout=1.0).request("GET", "/v1/cluster", deadline=1.0).json()
        except (TimeoutError, ValueError):
            return None

    def leader(self, seconds=10):
        """The node that says of itself that it leads, in the highest term."""
        def find():
            leading = [(view["term"], node) for node in self.ids
                       if self.processes[node].running() and (view := self.view(node)) and view["role"] == "leader"]
            return max(leading)[1] if leading else None
        return wait_until(find, seconds, "a node that leads")

    def declare(self, collection, **declaration):
        """Declares a collection: plain documents unless said otherwise. Declaring it again is no change."""
        answer = Client(self.endpoints).request("PUT", f"/v1/collections/{collection}", json.dumps(declaration))
        if answer.status not in (200, 201):
            raise RuntimeError(f"collection {collection} was not declared: {answer.status} {answer.body[:300]!r}")

    def cpu_seconds(self):
        return sum(process.cpu_seconds() for process in self.processes.values())

    def run_tool(self, *words, check=True):
        """Runs the command-line tool; its standard output. Raises with what it said when it fails and `check` is set."""
        run = subprocess.run([str(self.tool), *map(str, words)], capture_output=True, text=True, timeout=60,
                             env={**os.environ, "MAINSTAY_ENDPOINTS": ",".join(self.endpoints)})
        if check and run.returncode != 0:
            raise RuntimeError(f"mainstay {' '.join(map(str, words))}: exit code {run.returncode}: {run.stderr.strip()}")
        return run.stdout if check else run


def _toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else f'"{value}"'
