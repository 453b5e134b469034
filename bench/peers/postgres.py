"""PostgreSQL 15 of Debian: a primary and two standbys, of which one must have flushed a commit before it is acknowledged."""
import pathlib
import signal
import subprocess

from tests.system.lab.process import wait_until

from .peer import Peer, Side, Unavailable, as_user, service_user

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")


class Postgres(Peer):
    name = "postgres"
    package = "postgresql-15"
    linearizable_reads = False  # a primary answers by itself, even when another has taken over
    fails_over = False  # that takes a cluster manager

    @classmethod
    def require(cls):
        if not (PROGRAMS / "postgres").exists():
            raise Unavailable("PostgreSQL 15 is not installed: ./check --integration installs it without starting a service, or "
                              f"apt-get install {cls.package}")

    @classmethod
    def version(cls):
        said = subprocess.run([PROGRAMS / "postgres", "--version"], capture_output=True, text=True, timeout=10).stdout
        return "PostgreSQL " + said.split(") ", 1)[-1].split(" ", 1)[0]

    def start(self):
        self.give_to(service_user("postgres"))
        self._run(["initdb", "-D", self._data(0), "-U", "postgres", "--auth=trust", "--data-checksums", "--no-locale", "--encoding=UTF8"])
        with open(f"{self._data(0)}/postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"listen_addresses='127.0.0.1'\nunix_socket_directories='{self.directory}'\nmax_connections=600\n"
                       "shared_buffers=256MB\nwal_level=replica\nmax_wal_size=2GB\nmax_wal_senders=10\nhot_standby=on\n")
        self.start_node(0)
        wait_until(lambda: self._accepts(0), 60, "the primary accepts connections")
        for node in self.ids[1:]:
            source = f"host=127.0.0.1 port={self.client_ports[0]} user=postgres application_name=s{node}"
            self._run(["pg_basebackup", "-D", self._data(node), "-R", "-c", "fast", "-X", "stream", "-d", source])
            with open(f"{self._data(node)}/postgresql.auto.conf", "a", encoding="utf-8") as file:
                file.write(f"primary_conninfo='{source}'\n")
            self.start_node(node)
        standbys = ",".join(f"s{node}" for node in self.ids[1:])
        self.sql(f"alter system set synchronous_standby_names='ANY 1 ({standbys})'")
        self.sql("select pg_reload_conf()")
        self.wait_healthy()
        self.sql("create table bench(k text primary key, v bytea)")

    def start_node(self, node):
        self.spawn(node, [*as_user(service_user("postgres"), "INT"), PROGRAMS / "postgres", "-D", self._data(node), "-p",
                          self.client_ports[node]])

    def healthy(self):
        streaming = self.sql("select count(*) from pg_stat_replication where state = 'streaming' and sync_state = 'quorum'")
        return streaming == str(len(self.ids) - 1)

    def leader(self):
        return 0

    def sides(self):
        return [Side(self, "PostgreSQL", "postgres", lambda: [self.endpoint(0)],
                     "one of two standbys synchronous; all clients at the primary")]

    def failover_side(self):
        raise NotImplementedError("PostgreSQL by itself has no failover")

    def terminate(self, node, seconds=60):
        """A fast shutdown: SIGTERM would wait for every client to leave."""
        self.processes[node].signal(signal.SIGINT)
        return self.processes[node].popen.wait(seconds)

    def stop(self):
        for node in self.processes:
            self._signal(node, signal.SIGCONT)
            self.processes[node].signal(signal.SIGINT)
        for process in self.processes.values():
            try:
                process.popen.wait(20)
            except subprocess.TimeoutExpired:
                self._signal_all(signal.SIGKILL)

    def sql(self, text):
        return self._run(["psql", "-XAtq", "-h", str(self.directory), "-p", str(self.client_ports[0]), "-U", "postgres", "-c",
                          text]).strip()

    def _accepts(self, node):
        run = subprocess.run([PROGRAMS / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.client_ports[node])], timeout=10)
        return run.returncode == 0

    def _data(self, node):
        return f"{self.directory}/n{node}"

    def _run(self, words):
        run = subprocess.run([*as_user(service_user("postgres"), "INT"), str(PROGRAMS / words[0]), *words[1:]], capture_output=True,
                             text=True, timeout=120,
                             cwd=self.directory)
        if run.returncode != 0:
            raise RuntimeError(f"{words[0]}: {run.stderr.strip()}")
        return run.stdout

    def _signal_all(self, number):
        for node in self.processes:
            self._signal(node, number)
