"""A WMS behind a staging schema: a server of its own. What comes twice is kept out by the unique key of wms_in."""
import json

from tests.system.integration.postgres.server import PostgresServer

DATABASE = "wms"


class Counterpart:
    collections = {"things": {}}

    def __init__(self, _directory):
        self.server = PostgresServer()
        self.server.start()
        self.server.create(DATABASE)
        self.sql = self.server.connect(DATABASE, autocommit=True)
        self.values = {"connection": self.server.conninfo(DATABASE)}

    def stop(self):
        self.sql.close()
        self.server.stop()

    def feed(self, number):
        self.sql.cursor().execute("insert into wms_out.shipments (message_id, document) values (%s, %s)",
                                  (f"t{number}", json.dumps({"id": f"t{number}"})))
        return {"record": f"things/t{number}", "effect": f"thing/t{number}"}

    def effects(self):
        cursor = self.sql.cursor()
        cursor.execute("select message_id from wms_in.orders")
        return [name for name, in cursor.fetchall()]
