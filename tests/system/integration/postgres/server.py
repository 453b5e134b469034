"""A private PostgreSQL server of Debian's postgresql-15: own directory, free loopback port, gone at the end."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

import psycopg2

from tests.system.lab.process import Process, free_ports, wait_until

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
SCHEMA = pathlib.Path(__file__).resolve().parents[4] / "config/examples/adapters/postgres/wms_schema.sql"


def as_server():
    """PostgreSQL refuses to run as root: then it runs as the user of the package."""
    if os.getuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig", "SIGINT", "--"]


def status_of(pid):
    """State and parent of a process; nothing when it is gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def children_of(parent):
    pids = [int(path.name) for path in pathlib.Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if (status_of(pid) or ("", 0))[1] == parent]


def alive(pid):
    return (status_of(pid) or ("Z", 0))[0] != "Z"


class PostgresServer:
    """Processes are killed here, never the machine: what the kernel has taken stays, so fsync is off."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="mainstay-postgres-")
        self.data = f"{self.directory}/data"
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
        self.port = free_ports(1)[0]
        self.process = None
        subprocess.run([*as_server(), PROGRAMS / "initdb", "-D", self.data, "-U", "postgres", "--auth=trust",
                        "--encoding=UTF8", "--no-locale", "--no-sync"], check=True, stdout=subprocess.DEVNULL,
                       cwd=self.directory)

    def start(self):
        self.process = Process(
            [*as_server(), PROGRAMS / "postgres", "-D", self.data, "-k", self.directory, "-p", self.port,
             "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=50", "-c", "shared_buffers=16MB",
             "-c", "fsync=off"], f"{self.directory}/log")
        wait_until(self.accepts, 60, "the database accepts connections")
        return self

    def accepts(self):
        if not self.process.running():
            raise RuntimeError("the database ended: " + self.process.log_tail())
        try:
            self.connect("postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def create(self, database):
        admin = self.connect("postgres", autocommit=True)
        admin.cursor().execute(f"create database {database}")
        admin.close()
        connection = self.connect(database, autocommit=True)
        connection.cursor().execute(SCHEMA.read_text(encoding="utf-8"))
        connection.cursor().execute("do $$ begin if not exists (select from pg_roles where rolname = 'hub') then "
                                    "create role hub login in role mainstay_wms, pg_read_all_stats; end if; end $$")
        connection.close()

    def conninfo(self, database, user="hub"):
        """Of the login that the hub gets: no more rights than the role of the schema."""
        return f"host=127.0.0.1 port={self.port} user={user} dbname={database}"

    def connect(self, database, autocommit=False):
        connection = psycopg2.connect(self.conninfo(database, "postgres"), connect_timeout=10)
        connection.autocommit = autocommit
        return connection

    def processes(self):
        return [self.process.pid, *children_of(self.process.pid)]

    def kill(self, processes=None):
        """SIGKILL to the server and all its processes, which have sessions of their own."""
        processes = processes or self.processes()
        for pid in processes:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.popen.wait(10)
        wait_until(lambda: not any(alive(pid) for pid in processes), 20, "all processes of the server are gone")

    def stop(self):
        if self.process is not None and self.process.running():
            self.process.signal(signal.SIGINT)  # ends sessions, then itself
            try:
                self.process.popen.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
