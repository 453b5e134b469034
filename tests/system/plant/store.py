"""What the plant knows, in one SQLite file: it survives that the program is killed, and others may read it meanwhile."""
import contextlib
import json
import sqlite3
import threading

SCHEMA = """
create table if not exists outbox(
  seq integer primary key autoincrement, system text, type text, name text, revision integer, document text,
  harm text not null default '', hidden_until integer not null default 0, written integer not null default 0);
create index if not exists outbox_open on outbox(system, written, hidden_until);
create table if not exists received(
  system text, type text, key text, times integer, document text, primary key(system, type, key)) without rowid;
create table if not exists deliveries(system text, stamp text, primary key(system, stamp)) without rowid;
create table if not exists objects(
  system text, kind text, key text, state text, document text, primary key(system, kind, key)) without rowid;
create index if not exists objects_state on objects(system, kind, state);
create table if not exists moves(
  system text, id text, item text, lot text, source text, target text, quantity integer, reason text, reference text,
  sent integer not null default 0, primary key(system, id)) without rowid;
create index if not exists moves_unsent on moves(system, id) where sent = 0;
create index if not exists moves_reference on moves(system, reference);
create table if not exists stock(
  system text, item text, lot text, location text, quantity integer, last_move text,
  primary key(system, item, lot, location)) without rowid;
create table if not exists numbers(name text primary key, value integer) without rowid;
"""


class Store:
    """One connection for all threads of the plant, one of them at a time."""

    def __init__(self, path):
        self._database = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None, timeout=30)
        self._lock = threading.RLock()
        self._depth = 0
        # The process may be killed at any moment, the machine may not: nothing here waits for the disk.
        self._database.execute("pragma journal_mode=wal")
        self._database.execute("pragma synchronous=off")
        self._database.executescript(SCHEMA)

    def close(self):
        with self._lock:
            self._database.close()

    @contextlib.contextmanager
    def transaction(self):
        """All or nothing; one inside another belongs to the outer one."""
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._database.execute("begin immediate")
            try:
                yield self
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._database.execute("rollback")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._database.execute("commit")

    def rows(self, query, *values):
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def value(self, query, *values):
        found = self.rows(query, *values)
        return found[0][0] if found else None

    def run(self, query, *values):
        with self._lock:
            return self._database.execute(query, values).rowcount

    def run_many(self, query, rows):
        with self._lock:
            self._database.executemany(query, rows)

    def next_number(self, name):
        self.run("insert into numbers values(?, 1) on conflict(name) do update set value = value + 1", name)
        return self.value("select value from numbers where name = ?", name)

    # --- the things of a counterpart: orders, jobs, lots … as documents with a state ---

    def get(self, system, kind, key):
        text = self.value("select document from objects where system = ? and kind = ? and key = ?", system, kind, key)
        return None if text is None else json.loads(text)

    def put(self, system, kind, key, state, document):
        self.run("insert into objects values(?, ?, ?, ?, ?) on conflict do update set state = excluded.state, document = excluded.document",
                 system, kind, key, state, json.dumps(document))

    def all(self, system, kind, state=None):
        """[(key, document)] in the order of keys."""
        if state is None:
            found = self.rows("select key, document from objects where system = ? and kind = ? order by key", system, kind)
        else:
            found = self.rows("select key, document from objects where system = ? and kind = ? and state = ? order by key",
                              system, kind, state)
        return [(key, json.loads(text)) for key, text in found]

    def count(self, system, kind, state=None):
        if state is None:
            return self.value("select count(*) from objects where system = ? and kind = ?", system, kind)
        return self.value("select count(*) from objects where system = ? and kind = ? and state = ?", system, kind, state)

    # --- moves and what follows from them ---

    def move(self, system, number, item, lot, source, target, quantity, reason, reference="", sent=0):
        """False: this move is known already, and nothing happened."""
        added = self.run("insert or ignore into moves values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         system, number, item, lot, source, target, quantity, reason, reference, sent)
        if not added:
            return False
        for location, change in ((source, -quantity), (target, quantity)):
            self.run("insert into stock values(?, ?, ?, ?, ?, ?) on conflict do update set quantity = quantity + excluded.quantity,"
                     " last_move = excluded.last_move", system, item, lot, location, change, number)
        return True

    def stock(self, system):
        """{(item, lot, location): quantity}, without the places that are empty."""
        found = self.rows("select item, lot, location, quantity from stock where system = ? and quantity != 0", system)
        return {(item, lot, location): quantity for item, lot, location, quantity in found}
