"""What every system under comparison can do: a cluster on loopback that is started, asked, loaded, hurt and ended.

A peer is started as its package ships it, with what the comparison demands (three nodes, every acknowledged write on a majority) and,
where it can, a flush of each commit to disk. Its processes are children of this one and are gone at the end.
"""
import os
import pathlib
import pwd
import shutil
import signal

from tests.system.lab.process import Process, free_ports, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build" / "tools"  # where ./check unpacks programs that must not be installed
HERTZ = os.sysconf("SC_CLK_TCK")


class Unavailable(RuntimeError):
    """The peer's programs are not on this machine; says how to get them."""


def program(name, package):
    """The path of a program that is installed or unpacked in build/tools."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", str(TOOLS)]))
    if found is None:
        raise Unavailable(f"{name} of the Debian package {package} is neither installed nor in build/tools: bench/compare --fetch "
                          f"unpacks it")
    return pathlib.Path(found).resolve()


def service_user(wanted):
    """Whom a server that must not be root runs as: the user of its package, where that is installed."""
    try:
        return pwd.getpwnam(wanted).pw_name
    except KeyError:
        return "nobody"


def as_user(name, death_signal):
    """Words before a command that make it run as `name` if this is root; it still ends when this process does."""
    if os.getuid() != 0:
        return []
    group = pwd.getpwnam(name).pw_gid
    return ["setpriv", f"--reuid={name}", f"--regid={group}", "--init-groups", "--pdeathsig", death_signal, "--"]


class Side:
    """One way of loading a cluster: a protocol of the generator, and the nodes its clients go to."""

    def __init__(self, cluster, name, protocol, endpoints, note=""):
        self.cluster, self.name, self.protocol, self.note = cluster, name, protocol, note
        self._endpoints = endpoints  # a function: the leader may have moved

    @property
    def endpoints(self):
        return self._endpoints()


class Peer:
    """Nodes 0..n-1 under `directory`. Subclasses say how a node is started and when the cluster is whole."""

    name = ""
    package = ""
    linearizable_reads = True  # or reads that at least wait for what was committed before
    fails_over = True  # by itself, when its leader dies
    attempt_ms = 250  # a client of the failover rows gives one attempt up after so long

    def __init__(self, directory, nodes=3):
        self.require()
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.ids = list(range(nodes))
        self.client_ports = free_ports(nodes)
        self.processes = {}

    # --- of each peer ---

    @classmethod
    def require(cls):
        """Raises Unavailable unless every program is there."""
        raise NotImplementedError

    @classmethod
    def version(cls):
        raise NotImplementedError

    def start_node(self, node):
        raise NotImplementedError

    def healthy(self):
        """Whether every node takes part and has caught up."""
        raise NotImplementedError

    def leader(self):
        """The node whose death hurts most."""
        raise NotImplementedError

    def sides(self):
        """The ways in which this cluster is loaded, the fairest for it."""
        raise NotImplementedError

    def failover_side(self):
        """The one of the failover rows: clients know every node."""
        raise NotImplementedError

    def drain(self, node):
        """What an operator does before stopping a node; nothing, unless the peer has something."""

    # --- of all ---

    def endpoint(self, node):
        return f"127.0.0.1:{self.client_ports[node]}"

    @property
    def endpoints(self):
        return [self.endpoint(node) for node in self.ids]

    def start(self):
        for node in self.ids:
            self.start_node(node)
        self.wait_healthy()

    def give_to(self, name):
        """Makes `name` the owner of the peer's directory, if this is root."""
        if os.getuid() == 0:
            shutil.chown(self.directory, name, pwd.getpwnam(name).pw_gid)

    def spawn(self, node, command, env=None):
        self.processes[node] = Process(command, self.directory / f"n{node}.log", env)

    def wait_healthy(self, seconds=90):
        wait_until(self._healthy_or_not, seconds, f"{self.name}: every node healthy")

    def _healthy_or_not(self):
        try:
            return self.healthy()
        except (OSError, ValueError, KeyError, RuntimeError):
            return False

    def kill(self, node):
        for pid in self._signal(node, signal.SIGKILL):
            wait_until(lambda: not alive(pid), 10, f"{self.name}: process {pid} gone")
        self.processes[node].popen.wait(10)

    def hang(self, node):
        self._signal(node, signal.SIGSTOP)

    def resume(self, node):
        self._signal(node, signal.SIGCONT)

    def terminate(self, node, seconds=60):
        return self.processes[node].terminate(seconds)

    def stop(self):
        for node in self.processes:
            self._signal(node, signal.SIGCONT)
            self.processes[node].signal(signal.SIGTERM)
        for process in self.processes.values():
            process.end()
            for pid in session(process.pid):  # helpers that it left behind
                os.kill(pid, signal.SIGKILL)

    def cpu_seconds(self):
        return sum(cpu_of(pid) for process in self.processes.values() for pid in tree(process.pid))

    def _signal(self, node, number):
        pids = tree(self.processes[node].pid)
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        return pids


# --- processes of a server that has more than one ---

def _fields(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return text.rsplit(")", 1)[1].split()


def alive(pid):
    fields = _fields(pid)
    return fields is not None and fields[0] not in "ZX"


def tree(root):
    """The process and all below it, parents first; empty when it is gone."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _fields(entry)) is not None:
            children.setdefault(int(fields[1]), []).append(int(entry))
    found = [root] if alive(root) else []
    for pid in found:
        found += children.get(pid, [])
    return found


def session(leader):
    """The processes that live in the session which this one was made the leader of, whether it still lives or not."""
    everyone = [(int(entry), _fields(entry)) for entry in os.listdir("/proc") if entry.isdigit()]
    return [pid for pid, fields in everyone if fields is not None and int(fields[3]) == leader and fields[0] not in "ZX"]


def cpu_of(pid):
    """Seconds of the process, its threads, and those of its children that have ended."""
    fields = _fields(pid)
    return sum(int(ticks) for ticks in fields[11:15]) / HERTZ if fields else 0.0
