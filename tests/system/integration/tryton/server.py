"""A private ERP: PostgreSQL and Tryton of Debian on free loopback ports, with demo data. The database is made once and kept under
the build directory; every start copies it, which takes seconds. Whatever is started here is stopped here."""
import fcntl
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

MODULES = ["sale", "purchase", "stock", "stock_lot", "stock_inventory_location", "production", "production_routing",
           "production_work"]
DATABASE = "erp"
ADMIN_PASSWORD = "Demo-Admin-4711-x"
HUB_PASSWORD = "Demo-Hub-4711-adapter"
UNIQUE_REFERENCES = [f"create unique index if not exists hub_reference_{table} on {table} (company, {column}) where {column} like 'HUB:%'"
                     for table, column in (("sale_sale", "reference"), ("stock_shipment_out", "reference"),
                                           ("stock_shipment_in", "reference"), ("stock_shipment_internal", "reference"),
                                           ("stock_inventory", "number"))]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, ready, seconds, alive=lambda: True):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return
        if not alive():
            raise RuntimeError(f"{what}: ended")
        time.sleep(0.05)
    raise TimeoutError(f"{what}: not within {seconds} s")


def programs_of_postgres():
    for directory in sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (directory / "initdb").exists():
            return directory
    raise RuntimeError("postgresql is not installed: ./check --integration installs it")


MORTAL = ["setpriv", "--pdeathsig", "KILL"]  # ends with the test, however that ends


def as_postgres(command):
    """PostgreSQL does not run as root."""
    if os.getuid() != 0:
        return [*MORTAL, "--", *command]
    return [*MORTAL, "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *command]


class Erp:
    """with Erp(build) as erp: erp.url, erp.sql(text), erp.restart()"""

    def __init__(self, build):
        here = pathlib.Path(__file__).parent
        made_of = hashlib.sha256((here / "demo.py").read_bytes() + " ".join(MODULES).encode()).hexdigest()[:12]
        self.root = pathlib.Path(build).resolve() / "integration" / f"tryton-{made_of}"
        self.cluster, self.log = self.root / "cluster", self.root / "log"
        self.config, self.bin = self.root / "trytond.conf", programs_of_postgres()
        self.trytond = None

    # --- from outside ---

    def __enter__(self):
        self.log.mkdir(parents=True, exist_ok=True)
        self.lock = open(self.root / "lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.port, self.database_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}/{DATABASE}/"
        try:
            self.start_postgres()
            self.write_config()
            self.make_template()
            self.sql(f"drop database if exists {DATABASE}", "postgres")
            self.sql(f"create database {DATABASE} template {DATABASE}_demo", "postgres")
            self.start()
        except BaseException:
            self.stop_all()
            raise
        return self

    def __exit__(self, *_):
        self.stop_all()

    def sql(self, text, database=DATABASE):
        command = ["psql", "-h", "127.0.0.1", "-p", str(self.database_port), "-U", "tryton", "-d", database, "-qAt",
                   "-v", "ON_ERROR_STOP=1", "-c", text]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def start(self):
        with open(self.log / "trytond.log", "a") as log:
            self.trytond = subprocess.Popen([*MORTAL, "--", "trytond", "-c", self.config, "-d", DATABASE], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        wait_until("trytond", self.answers, 120, lambda: self.trytond.poll() is None)

    def stop(self):
        if self.trytond is not None:
            os.killpg(self.trytond.pid, signal.SIGKILL)
            self.trytond.wait(30)
            self.trytond = None

    def slow_write(self, reference, comment):
        """A transaction that has written an order and commits when a line comes: begin it, then call .commit()."""
        command = [sys.executable, "-W", "ignore", "-m", "tests.system.integration.tryton.slow_writer", str(self.config),
                   DATABASE, reference, comment]
        return SlowWrite(command)

    # --- inside ---

    def answers(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/", headers={"Content-Type": "application/json"},
                                         data=b'{"id":0,"method":"common.server.version","params":[]}')
        try:
            with urllib.request.urlopen(request, timeout=2) as reply:
                return reply.status == 200
        except OSError:
            return False

    def start_postgres(self):
        if not (self.cluster / "PG_VERSION").exists():
            shutil.rmtree(self.cluster, ignore_errors=True)
            self.cluster.mkdir()
            if os.getuid() == 0:
                shutil.chown(self.cluster, "postgres", "postgres")
            self.cluster.chmod(0o700)
            self.run("initdb", as_postgres([self.bin / "initdb", "-D", self.cluster, "-U", "tryton", "--auth=trust", "-E", "UTF8",
                                            "--locale=C.UTF-8", "--no-sync"]))
        options = (f"-p {self.database_port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off "
                   "-c synchronous_commit=off -c full_page_writes=off -c max_connections=60")
        with open(self.log / "postgres.log", "a") as log:
            self.postgres = subprocess.Popen(as_postgres([self.bin / "postgres", "-D", self.cluster, *options.split()]),
                                             stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        ready = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.database_port)]
        wait_until("postgres", lambda: subprocess.run(ready).returncode == 0, 60, lambda: self.postgres.poll() is None)

    def write_config(self):
        (self.root / "data").mkdir(exist_ok=True)
        self.config.write_text(f"""[database]
uri = postgresql://tryton@127.0.0.1:{self.database_port}/
path = {self.root / "data"}
[web]
listen = 127.0.0.1:{self.port}
[session]
timeout = 3600
max_age = 86400
[queue]
worker = False
""")

    def make_template(self):
        exists = "select 1 from pg_database where datname = '{}'"
        if self.sql(exists.format(f"{DATABASE}_demo"), "postgres") == "1":
            return
        print("making the demo database, once: some minutes", flush=True)
        self.sql(f"drop database if exists {DATABASE}", "postgres")
        self.sql(f"create database {DATABASE} template template0 encoding 'UTF8'", "postgres")
        secret = self.root / "secret"
        secret.write_text(ADMIN_PASSWORD)
        admin = ["trytond-admin", "-c", self.config, "-d", DATABASE]
        environment = {**os.environ, "TRYTONPASSFILE": str(secret)}
        self.run("schema", [*admin, "--all", "--email", "admin@example.org"], environment)
        self.run("modules", [*admin, "-u", *MODULES, "--activate-dependencies"], environment)
        secret.unlink()
        self.run("demo", [sys.executable, "-W", "ignore", "-m", "tests.system.integration.tryton.demo", str(self.config), DATABASE,
                          HUB_PASSWORD])
        self.sql(f"create database {DATABASE}_demo template {DATABASE}", "postgres")

    def run(self, what, command, environment=None):
        with open(self.log / f"{what}.log", "w") as log:
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment, timeout=1800)
        if done.returncode != 0:
            raise RuntimeError(f"{what} failed:\n" + (self.log / f"{what}.log").read_text()[-3000:])

    def stop_all(self):
        self.stop()
        postgres = getattr(self, "postgres", None)
        if postgres is not None and postgres.poll() is None:
            os.killpg(postgres.pid, signal.SIGINT)  # fast shutdown
            try:
                postgres.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(postgres.pid, signal.SIGKILL)
                postgres.wait(10)
        self.lock.close()


class SlowWrite:
    def __init__(self, command):
        self.popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if self.popen.stdout.readline().strip() != "written":
            raise RuntimeError("the slow writer ended")

    def commit(self):
        self.popen.communicate("commit\n", timeout=60)
