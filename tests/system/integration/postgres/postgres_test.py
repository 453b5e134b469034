"""The postgres adapter on a real server: late commits, lost wake-ups, duplicates, edits, a server and an adapter that are killed."""
import argparse
import json
import random
import sys
import threading
import time
import unittest

import psycopg2

from tests.system.integration.driver import Adapter, AdapterError, DriverGone
from tests.system.integration.postgres.server import PostgresServer
from tests.system.lab.process import wait_until

OPTIONS = argparse.Namespace(build="build/check")
SEED = 7


def tell(text):
    print(f"    {text}", flush=True)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class PostgresCase(unittest.TestCase):
    """A fresh database a test, on one server."""

    count = 0

    @classmethod
    def setUpClass(cls):
        cls.server = PostgresServer()
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()

    def setUp(self):
        began = time.monotonic()
        self.addCleanup(lambda: print(f"    {time.monotonic() - began:.1f} s", flush=True))
        PostgresCase.count += 1
        self.database = f"wms{PostgresCase.count}"
        self.server.create(self.database)
        self.sql = self.connect(autocommit=True)

    def connect(self, autocommit=False):
        connection = self.server.connect(self.database, autocommit)
        self.addCleanup(connection.close)
        return connection

    def run_sql(self, text, *values):
        cursor = self.sql.cursor()
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else []

    def settings(self, **more):
        return {"connection": self.server.conninfo(self.database), "wait": "50ms",
                "outbox": [{"type": "move", "table": "wms_out.moves"},
                           {"type": "shipment", "table": "wms_out.shipments"}],
                "inbox": [{"type": "order", "table": "wms_in.orders"}],
                "observe": {"levels": "select item || '/' || lot || '/' || location as id, * from wms_out.levels",
                            "orders": "select message_id as id, document from wms_in.orders"}, **more}

    def adapter(self, call_timeout_ms=10_000, **more):
        adapter = Adapter(OPTIONS.build, "postgres", self.settings(**more), call_timeout_ms)
        self.addCleanup(adapter.close)
        return adapter


def put_move(connection, message, quantity=1, table="moves"):
    connection.cursor().execute(
        f"insert into wms_out.{table} (message_id, subject, document) values (%s, 'bolt', %s)",
        (message, json.dumps({"move": message, "quantity": quantity})))


def effect(number, amount="12.50"):
    return {"key": f"order/{number}/1", "type": "order", "subject": str(number),
            "document": {"number": number, "amount": amount}}


class OutboxTest(PostgresCase):
    def test_a_late_commit_is_not_lost(self):
        """The older transaction has the smaller id and commits last; a reader of ids alone would be past it."""
        late, early = self.connect(), self.connect()
        put_move(late, "late")
        put_move(early, "early")
        early.commit()
        adapter = self.adapter()
        page = adapter.fetch()
        self.assertEqual([], page["messages"], "nothing above the oldest running transaction")
        put_move(self.sql, "later")
        self.assertEqual([], adapter.fetch(page["position"])["messages"])
        late.commit()
        messages, position = adapter.read_all(page["position"])
        self.assertEqual(["late", "early", "later"], [message["id"] for message in messages])
        ids = self.run_sql("select id from wms_out.moves where message_id = 'late'")
        self.assertEqual([(1,)], ids)
        self.assertEqual([], adapter.fetch(position)["messages"])

    def test_a_transaction_that_is_left_open_is_named(self):
        forgotten, adapter = self.connect(), self.adapter(late_after="1s")
        forgotten.cursor().execute("set application_name = 'clerk'; select pg_current_xact_id()")
        put_move(self.sql, "waiting")
        wait_until(lambda: not adapter.fetch()["messages"] and "application 'clerk'" in adapter.log_text(), 20, "it is named")
        forgotten.rollback()
        self.assertEqual(1, len(adapter.read_all()[0]))

    def test_overlapping_writers_lose_nothing(self):
        """Six writers with random transactions, read while they write, acknowledged as it goes."""
        writers, rounds, stop = 6, 60, threading.Event()

        def write(number):
            chance, connection = random.Random(SEED + number), self.server.connect(self.database)
            for turn in range(rounds):
                for row in range(chance.randint(1, 3)):
                    put_move(connection, f"{number}-{turn}-{row}", table=chance.choice(["moves", "shipments"]))
                    stop.wait(chance.random() * 0.01)
                connection.rollback() if chance.random() < 0.1 else connection.commit()
            connection.close()

        threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
        for thread in threads:
            thread.start()
        adapter, seen, position = self.adapter(), [], ""
        while any(thread.is_alive() for thread in threads):
            page = adapter.fetch(position, 20)
            seen += page["messages"]
            position = page["position"]
            adapter.ask("acknowledge", position=position)
        rest, position = adapter.read_all(position)
        adapter.ask("acknowledge", position=position)
        seen = [message["id"] for message in seen + rest]
        there = [row[0] for row in self.run_sql(
            "select message_id from wms_out.moves union all select message_id from wms_out.shipments")]
        self.assertEqual(sorted(there), sorted(seen))
        unconsumed = self.run_sql("select count(*) from wms_out.moves where consumed_at is null")
        self.assertEqual([(0,)], unconsumed)
        by_id = self.run_sql("with m as (select xid, lag(xid) over (order by id) as before from (select * from wms_out.moves "
                             "union all select * from wms_out.shipments) u) select count(*) from m where before > xid")
        tell(f"{len(there)} rows of {writers} overlapping writers: 0 missing, 0 twice; {by_id[0][0]} ids out of commit order")

    def test_a_notify_is_only_a_wake_up(self):
        adapter = self.adapter(wait="200ms")
        _, position = adapter.read_all()
        self.run_sql("alter table wms_out.moves disable trigger wake")
        adapter.send("fetch", position=position)
        put_move(self.sql, "unheard")
        self.assertEqual(["unheard"], [message["id"] for message in adapter.answer()["messages"]])

    def test_a_notify_wakes_at_once(self):
        adapter, taken = self.adapter(wait="30s"), []
        put_move(self.sql, "first")
        position = adapter.fetch()["position"]
        for number in range(200):
            adapter.send("fetch", position=position)
            put_move(self.sql, f"m{number}")
            began = time.monotonic()
            page = adapter.answer()
            taken.append((time.monotonic() - began) * 1000)
            self.assertEqual([f"m{number}"], [message["id"] for message in page["messages"]])
            position = page["position"]
        tell(f"commit to fetched: p50 {percentile(taken, 0.5):.2f} ms, p99 {percentile(taken, 0.99):.2f} ms of {len(taken)}")
        self.assertLess(percentile(taken, 0.5), 1000)

    def test_edits_come_again_and_duplicates_look_the_same(self):
        adapter = self.adapter()
        put_move(self.sql, "a", 1)
        first, position = adapter.read_all()
        adapter.ask("acknowledge", position=position)
        # The sender repeats itself: the same identity. It means something else by the same name: another identity.
        put_move(self.sql, "a", 1)
        put_move(self.sql, "a", 9)
        again, position = adapter.read_all(position)
        self.assertEqual((first[0]["id"], first[0]["version"]), (again[0]["id"], again[0]["version"]))
        self.assertNotEqual(first[0]["version"], again[1]["version"])
        adapter.ask("acknowledge", position=position)
        # There, and back again: three states, three versions.
        versions = {first[0]["version"]}
        for quantity in (2, 1):
            self.run_sql("update wms_out.moves set document = jsonb_set(document, '{quantity}', %s) where id = 1", str(quantity))
            edited, position = adapter.read_all(position)
            self.assertEqual([quantity], [json.loads(message["body"])["quantity"] for message in edited])
            versions.add(edited[0]["version"])
            adapter.ask("acknowledge", position=position)
        self.assertEqual(3, len(versions))
        self.assertEqual([], adapter.fetch(position)["messages"], "acknowledging is no edit")

    def test_an_edit_before_the_acknowledgement_is_not_consumed(self):
        adapter = self.adapter()
        put_move(self.sql, "a", 1)
        _, position = adapter.read_all()
        self.run_sql("update wms_out.moves set document = '{\"quantity\": 5}'")
        adapter.ask("acknowledge", position=position)
        self.assertEqual([(None,)], self.run_sql("select consumed_at from wms_out.moves"))
        edited, _ = adapter.read_all(position)
        self.assertEqual([{"quantity": 5}], [json.loads(message["body"]) for message in edited])

    def test_what_was_not_acknowledged_comes_again_and_delete_deletes(self):
        adapter = self.adapter(consumed="delete")
        for number in range(5):
            put_move(self.sql, f"m{number}", table="moves" if number % 2 else "shipments")
        whole = adapter.fetch()["messages"]
        part = adapter.fetch("", 3)
        self.assertEqual(whole[:3], part["messages"])
        self.assertTrue(part["more"])
        adapter.ask("acknowledge", position=part["position"])
        adapter.ask("acknowledge", position=part["position"])
        with self.adapter(consumed="delete") as another:
            self.assertEqual(whole[3:], another.fetch("")["messages"])
            self.assertEqual(whole[3:], another.fetch(part["position"])["messages"])

    def test_a_restored_database_is_noticed(self):
        with self.assertRaises(AdapterError) as raised:
            self.adapter().fetch("99999999:1:0")
        self.assertEqual("invalid_argument", raised.exception.code)
        self.assertIn("restored", str(raised.exception))

    def test_backfill_reads_a_range_again(self):
        for number in range(10):
            put_move(self.sql, f"m{number}")
        self.run_sql("update wms_out.moves set created_at = '2020-01-01' where id <= 4")
        adapter = self.adapter()

        def past(**bounds):
            ids, position = [], ""
            while True:
                page = adapter.ask("backfill", type="move", position=position, max=3, **bounds)
                ids += [message["id"] for message in page["messages"]]
                position = page["position"]
                if not page["more"]:
                    return ids
        self.assertEqual(["m2", "m3", "m4", "m5"], past(**{"from": "3", "to": "6"}))
        self.assertEqual([f"m{number}" for number in range(4)], past(**{"from": "2019-12-31", "to": "2020-01-02"}))
        self.assertEqual(10, len(past(**{"from": "", "to": ""})))

    def test_a_whole_backlog_is_read_fast(self):
        rows = 20_000
        self.run_sql("insert into wms_out.moves (message_id, document) select 'm' || n, jsonb_build_object('quantity', n, "
                     "'item', 'bolt', 'from', 'A-01', 'to', 'B-02') from generate_series(1, %s) n", rows)
        adapter, began = self.adapter(), time.monotonic()
        messages, position = adapter.read_all()
        read = time.monotonic() - began
        adapter.ask("acknowledge", position=position)
        tell(f"{rows} rows read in {read:.2f} s ({rows / read:.0f}/s), acknowledged in {time.monotonic() - began - read:.2f} s")
        self.assertEqual(rows, len({message["id"] for message in messages}))


class InboxTest(PostgresCase):
    def orders(self):
        return self.run_sql("select message_id, document from wms_in.orders order by 1")

    def test_an_effect_happens_once(self):
        adapter = self.adapter()
        self.assertFalse(adapter.ask("lookup", effect=effect(1))["found"])
        done = adapter.ask("apply", effect=effect(1))
        again = adapter.ask("apply", effect=effect(1))
        self.assertEqual(("done", "done"), (done["verdict"], again["verdict"]))
        self.assertEqual(done["receipt"]["reference"], again["receipt"]["reference"])
        self.assertTrue(again["receipt"]["repeated"])
        other = adapter.ask("apply", effect=effect(1, amount="99"))
        self.assertEqual("conflict", other["verdict"])
        self.assertIn("other content", other["detail"])
        self.assertTrue(adapter.ask("lookup", effect=effect(1))["found"])
        self.assertFalse(adapter.ask("lookup", effect=effect(1, amount="99"))["found"], "that is not ours")
        self.assertEqual([("order/1/1", {"number": 1, "amount": "12.50"})], self.orders())

    def test_refusals_are_told_from_trouble(self):
        self.run_sql("alter table wms_in.orders add check (document ? 'number')")
        adapter = self.adapter(inbox=[{"type": "order", "table": "wms_in.orders"}, {"type": "ghost", "table": "wms_in.ghosts"}])
        bad = {"key": "k", "type": "order", "subject": "s", "document": {}}
        refused = adapter.ask("apply", effect=bad)
        self.assertEqual("refused", refused["verdict"])
        self.assertIn("23514", refused["detail"])
        self.assertFalse(adapter.ask("lookup", effect=bad)["found"])
        ghost = adapter.ask("apply", effect={**bad, "type": "ghost"})
        self.assertEqual("refused", ghost["verdict"])
        self.assertIn("42P01", ghost["detail"])
        self.assertEqual("refused", adapter.ask("apply", effect={**bad, "type": "none"})["verdict"])
        nobody = self.adapter(connection="host=127.0.0.1 port=1 user=x dbname=x")
        self.assertEqual("transient", nobody.ask("apply", effect=effect(1))["verdict"])
        self.assertRaises(AdapterError, nobody.fetch)

    def test_a_locked_table_is_waited_for_no_longer_than_allowed(self):
        blocker = self.connect()
        blocker.cursor().execute("lock table wms_in.orders in access exclusive mode")
        adapter, began = self.adapter(statement_timeout="200ms"), time.monotonic()
        self.assertEqual("transient", adapter.ask("apply", effect=effect(1))["verdict"])
        self.assertLess(time.monotonic() - began, 5)
        blocker.rollback()
        self.assertEqual("done", adapter.ask("apply", effect=effect(1))["verdict"])

    def test_the_server_dies_within_commit(self):
        """Once before the commit is durable, once after: the adapter says unknown both times, and lookup tells them apart."""
        self.run_sql("create table gate (number int, wait bool); insert into gate values (1, true); grant select on gate to hub")
        self.run_sql("create function hold() returns trigger language plpgsql as $$ begin "
                     "if (select wait from gate) then perform pg_sleep(60); end if; return null; end $$;"
                     "create constraint trigger hold after insert on wms_in.orders deferrable initially deferred "
                     "for each row execute function hold()")
        for number, durable in ((1, False), (2, True)):
            adapter = self.adapter(statement_timeout="60s")
            if durable:
                # The commit record is written; the answer waits for a standby that does not exist.
                self.run_sql("update gate set wait = false")
                self.run_sql("alter system set synchronous_standby_names = 'nobody'")
                self.run_sql("select pg_reload_conf()")
                wait_until(lambda: self.run_sql("show synchronous_standby_names") == [("nobody",)], 10, "the setting is read")
            adapter.send("apply", effect=effect(number))
            wait_until(lambda: self.run_sql("select 1 from pg_stat_activity where query = 'commit' and wait_event in "
                                            "('PgSleep', 'SyncRep')"), 30, "the commit hangs")
            self.server.kill()
            answer = adapter.answer()
            self.assertEqual("unknown", answer["verdict"], answer)
            with open(f"{self.server.data}/postgresql.auto.conf", "w", encoding="utf-8"):
                pass
            self.server.start()
            self.sql = self.connect(autocommit=True)
            self.assertEqual(durable, adapter.ask("lookup", effect=effect(number))["found"])
            self.run_sql("update gate set wait = false")
            self.assertEqual("done", adapter.ask("apply", effect=effect(number))["verdict"])
            self.run_sql("update gate set wait = true")
        self.assertEqual(["order/1/1", "order/2/1"], [row[0] for row in self.orders()])

    def test_lookup_waits_for_a_commit_that_is_still_under_way(self):
        """The adapter is killed while the server commits. Whoever looks next gets the true answer, not the present one."""
        self.run_sql("create function hold() returns trigger language plpgsql as $$ begin "
                     "perform pg_advisory_xact_lock(1); return null; end $$;"
                     "create constraint trigger hold after insert on wms_in.orders deferrable initially deferred "
                     "for each row execute function hold()")
        gate = self.connect()
        gate.cursor().execute("select pg_advisory_lock(1)")
        killed = self.adapter()
        killed.send("apply", effect=effect(1))
        wait_until(lambda: self.run_sql("select 1 from pg_stat_activity where query = 'commit' and wait_event = 'advisory'"),
                   30, "the commit waits")
        killed.kill()
        self.assertEqual([], self.orders())
        impatient = self.adapter(statement_timeout="200ms")
        self.assertRaises(AdapterError, impatient.ask, "lookup", effect=effect(1))
        looking = self.adapter()
        looking.send("lookup", effect=effect(1))
        wait_until(lambda: self.run_sql("select 1 from pg_stat_activity where query like 'insert into%%' and "
                                        "wait_event_type = 'Lock'"), 30, "the look-up waits")
        gate.cursor().execute("select pg_advisory_unlock(1)")
        self.assertTrue(looking.answer()["found"])
        self.assertEqual(1, len(self.orders()))

    def test_killed_at_random_moments_nothing_is_missing_or_twice(self):
        """F13: the adapter process is killed again and again; each effect is repeated until it has a receipt."""
        chance, effects, kills, unknown = random.Random(SEED), 300, 0, 0
        adapter = self.adapter()
        for number in range(effects):
            while True:
                kill_after = chance.random() ** 2 * 0.004 if chance.random() < 0.4 else None
                try:
                    adapter.send("apply", effect=effect(number))
                    if kill_after is not None:
                        threading.Event().wait(kill_after)
                        adapter.kill()
                        raise DriverGone()
                    if adapter.answer()["verdict"] == "done":
                        break
                except DriverGone:
                    kills += 1
                    adapter = self.adapter()
                    unknown += adapter.ask("lookup", effect=effect(number))["found"]
        self.assertEqual(sorted(effect(number)["key"] for number in range(effects)), [row[0] for row in self.orders()])
        tell(f"{effects} effects, {kills} adapters killed, {unknown} of them after the commit: 0 missing, 0 duplicates")
        self.assertGreater(kills, 100)

    def test_a_reader_killed_at_random_moments_misses_nothing(self):
        chance, rows, kills, inbox, position = random.Random(SEED), 600, 0, set(), ""
        for number in range(rows):
            put_move(self.sql, f"m{number}")
        adapter = self.adapter()
        while len(inbox) < rows:
            try:
                page = adapter.fetch(position, 5)
                inbox.update((message["id"], message["version"]) for message in page["messages"])
                position = page["position"]
                adapter.send("acknowledge", position=position)
                if chance.random() < 0.5:
                    threading.Event().wait(chance.random() * 0.004)
                    adapter.kill()
                    raise DriverGone()
                adapter.answer()
            except DriverGone:
                kills += 1
                adapter = self.adapter()
        adapter.ask("acknowledge", position=position)
        self.assertEqual({f"m{number}" for number in range(rows)}, {identity for identity, _ in inbox})
        self.assertEqual([(0,)], self.run_sql("select count(*) from wms_out.moves where consumed_at is null"))
        tell(f"{rows} rows, {kills} readers killed: 0 missing, 0 twice")

    def test_the_server_is_killed_again_and_again(self):
        chance, effects, kills, verdicts = random.Random(SEED), 100, 0, {}
        adapter = self.adapter(connect_timeout="1s")
        for number in range(effects):
            if number % 10 == 5:
                processes = self.server.processes()
                adapter.send("apply", effect=effect(number))
                threading.Event().wait(chance.choice([0.0001, 0.0005, 0.001]))
                self.server.kill(processes)
                verdict = adapter.answer()["verdict"]
                verdicts[verdict] = verdicts.get(verdict, 0) + 1
                kills += 1
                self.server.start()
            wait_until(lambda: adapter.ask("apply", effect=effect(number))["verdict"] == "done", 30, "the effect is done")
        self.sql = self.connect(autocommit=True)
        self.assertEqual(sorted(effect(number)["key"] for number in range(effects)), [row[0] for row in self.orders()])
        tell(f"{effects} effects, {kills} servers killed, verdicts then {verdicts}: 0 missing, 0 duplicates")


class ObserveTest(PostgresCase):
    def test_all_pages_are_of_one_moment(self):
        self.run_sql("insert into wms_out.levels (item, location, quantity, unit) select 'i' || n, 'A', 10.500, 'kg' "
                     "from generate_series(1, 1200) n")
        adapter = self.adapter()
        page = adapter.ask("observe", kind="levels", after="")
        self.run_sql("update wms_out.levels set quantity = quantity + 1")
        items = page["items"]
        while page["next"]:
            page = adapter.ask("observe", kind="levels", after=page["next"])
            items += page["items"]
        self.assertEqual(1200, len({item["id"] for item in items}))
        self.assertEqual({10.5}, {item["document"]["quantity"] for item in items})
        self.assertEqual({11.5}, {item["document"]["quantity"] for item in adapter.observe("levels")})
        self.assertRaises(AdapterError, adapter.ask, "observe", kind="levels", after="1")
        self.assertRaises(AdapterError, adapter.ask, "observe", kind="nothing", after="")

    def test_an_observer_holds_back_no_reader(self):
        self.run_sql("insert into wms_out.levels (item, location, quantity, unit) select 'i' || n, 'A', 1, 'kg' "
                     "from generate_series(1, 600) n")
        observer = self.adapter()
        self.assertTrue(observer.ask("observe", kind="levels", after="")["next"])
        put_move(self.sql, "meanwhile")
        self.assertEqual(1, len(self.adapter().fetch()["messages"]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=OPTIONS.build)
    arguments, rest = parser.parse_known_args()
    OPTIONS.build = arguments.build
    unittest.main(module=__name__, argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
