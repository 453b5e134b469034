"""The ERP with its demo data. Nothing there keeps a second document out: only looking tells whether there is one."""
import os

from tests.system.integration.tryton.rpc import Person
from tests.system.integration.tryton.server import HUB_PASSWORD, Erp

BUILD = os.environ.get("MAINSTAY_BUILD", "build/check")  # where the demo database is kept


class Counterpart:
    collections = {"things": {}}

    def __init__(self, _directory):
        self.erp = Erp(BUILD).__enter__()
        try:
            self.person = Person(self.erp.url)
        except BaseException:
            self.stop()
            raise
        self.values = {"url": self.erp.url, "password": HUB_PASSWORD}

    def stop(self):
        self.erp.stop_all()

    def feed(self, number):
        self.person.model("party.party", "create", [{"name": f"t{number}"}])
        return {"record": f"things/t{number}", "effect": f"move/t{number}"}

    def effects(self):
        """Documents that were done, as often as there are; not those of the demo data's parties."""
        return self.erp.sql("select substr(reference, 5) from stock_shipment_internal where reference like 'HUB:move/t%' "
                            "and state = 'done'").split()
