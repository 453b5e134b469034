"""MariaDB Galera of Debian: three nodes that all take writes, each commit flushed on the node that takes it. Run from its unpacked
package: as
no service, and not as root, whose rsync would not do the transfers of state."""
import os
import pathlib
import subprocess

from tests.system.lab.process import free_ports, wait_until

from .peer import Peer, Side, as_user, program, service_user

PORTS = ("group", "transfer", "increments")  # of each node, beside the clients'


class Galera(Peer):
    name = "galera"
    package = "mariadb-server"
    attempt_ms = 1000

    def __init__(self, directory, nodes=3):
        super().__init__(directory, nodes)
        self.ports = {name: free_ports(nodes) for name in PORTS}
        self.root = installation()
        self.formed = False
        libraries = [str(path) for path in (self.root / "usr/lib/x86_64-linux-gnu", self.root / "lib/x86_64-linux-gnu") if path.exists()]
        self.env = {**os.environ, "PATH": f"{self.root}/usr/bin:{self.root}/usr/sbin:/usr/bin:/usr/sbin:/bin:/sbin"}
        if self.root != pathlib.Path("/"):
            self.env["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)

    @classmethod
    def require(cls):
        program("mariadbd", cls.package)

    @classmethod
    def version(cls):
        said = subprocess.run([program("mariadbd", cls.package), "--no-defaults", "--version"], capture_output=True, text=True, timeout=10,
                              env={**os.environ, "LD_LIBRARY_PATH": str(installation() / "usr/lib/x86_64-linux-gnu")}).stdout
        return "MariaDB " + said.split("Ver ", 1)[-1].split("-MariaDB", 1)[0]

    def start(self):
        self.give_to(service_user("mysql"))
        for node in self.ids:
            self._run(["mkdir", self.directory / f"n{node}"])
        self._run([self.root / "usr/bin/mariadb-install-db", "--no-defaults", f"--basedir={self.root}/usr",
                   f"--datadir={self.directory}/n0", "--auth-root-authentication-method=normal", "--skip-test-db"])
        self.start_node(0)
        wait_until(lambda: self._synced(0), 60, "the first Galera node synced")
        self.sql(0, "create database bench; create table bench.bench(k varchar(32) primary key, v mediumblob) engine=InnoDB;"
                    "create user bench@'127.0.0.1' identified by 'bench'; grant all on bench.* to bench@'127.0.0.1'; flush privileges")
        for node in self.ids[1:]:
            self.start_node(node)
            wait_until(lambda: self._synced(node), 120, f"Galera node {node} synced")
        self.wait_healthy()

    def start_node(self, node):
        command = self._command(node)
        if not self.formed:
            command.append("--wsrep-new-cluster")
            self.formed = True
        elif position := self._recovered_position(node):
            command.append(f"--wsrep_start_position={position}")
        self.spawn(node, command, self.env)

    def healthy(self):
        return all(self._synced(node) and self._status(node, "wsrep_cluster_size") == str(len(self.ids)) for node in self.ids)

    def leader(self):
        return 0  # none leads; every node takes writes

    def sides(self):
        return [Side(self, "Galera", "mysql", lambda: self.endpoints, "three writers; reads with wsrep_sync_wait=1")]

    def failover_side(self):
        return self.sides()[0]

    def sql(self, node, text):
        run = self._run([self.root / "usr/bin/mariadb", "--no-defaults", "-N", "-B", "--connect-timeout=2",
                         f"--socket={self.directory}/n{node}.sock", "-uroot", "-e", text])
        return run.stdout

    def _status(self, node, variable):
        return (self.sql(node, f"show status like '{variable}'").split() or ["", ""])[-1]

    def _synced(self, node):
        if not self.processes[node].running():
            raise RuntimeError(f"Galera node {node} ended:\n{self.processes[node].log_tail()}")
        try:
            return self._status(node, "wsrep_local_state_comment") == "Synced"
        except (RuntimeError, subprocess.TimeoutExpired):
            return False

    def _command(self, node):
        group, transfer, increments = (self.ports[name][node] for name in PORTS)
        everyone = ",".join(f"127.0.0.1:{port}" for port in self.ports["group"])
        data = f"{self.directory}/n{node}"
        return [*as_user(service_user("mysql"), "KILL"), program("mariadbd", self.package), "--no-defaults", f"--basedir={self.root}/usr",
                f"--datadir={data}",
                f"--lc-messages-dir={self.root}/usr/share/mysql", f"--plugin-dir={self.root}/usr/lib/mysql/plugin",
                f"--socket={data}.sock", f"--port={self.client_ports[node]}", "--bind-address=127.0.0.1", f"--pid-file={data}.pid",
                "--innodb_buffer_pool_size=256M", "--innodb_log_file_size=256M", "--innodb_flush_log_at_trx_commit=1",
                "--binlog_format=ROW", "--innodb_autoinc_lock_mode=2", "--max_connections=800", "--skip-name-resolve", "--wsrep_on=ON",
                f"--wsrep_provider={self.root}/usr/lib/galera/libgalera_smm.so", f"--wsrep_cluster_address=gcomm://{everyone}",
                "--wsrep_cluster_name=bench", f"--wsrep_node_name=n{node}", "--wsrep_node_address=127.0.0.1",
                f"--wsrep_node_incoming_address={self.endpoint(node)}", "--wsrep_sst_method=rsync",
                f"--wsrep_sst_receive_address=127.0.0.1:{transfer}", "--wsrep_slave_threads=4",
                f"--wsrep_provider_options=base_port={group};gmcast.listen_addr=tcp://127.0.0.1:{group};"
                f"ist.recv_addr=127.0.0.1:{increments};gcache.size=256M"]

    def _recovered_position(self, node):
        """Where a node that crashed stands: what the package's service looks for before each start."""
        state = self.directory / f"n{node}" / "grastate.dat"
        if not state.exists() or "seqno:   -1" not in state.read_text(encoding="utf-8"):
            return ""
        run = subprocess.run([str(word) for word in [*self._command(node), "--wsrep-recover"]], capture_output=True, text=True,
                             timeout=120, env=self.env)
        found = [line.split("Recovered position:")[1].strip() for line in run.stderr.splitlines() if "Recovered position:" in line]
        return found[-1].split(",")[0] if found else ""

    def _run(self, words):
        words = [*as_user(service_user("mysql"), "KILL"), *words]
        run = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, env=self.env)
        if run.returncode != 0:
            raise RuntimeError(f"{words}: {run.stderr.strip() or run.stdout.strip()}")
        return run


def installation():
    """The root of the tree that mariadbd is in: "/" when it is installed."""
    return program("mariadbd", Galera.package).parents[2]
