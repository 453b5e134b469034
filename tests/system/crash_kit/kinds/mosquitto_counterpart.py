"""An MES behind a broker of its own. It takes a job once a key, which is its part of the exchange."""
from tests.system.integration.mosquitto.broker import Broker
from tests.system.integration.mosquitto.plant import Mes
from tests.system.lab.process import wait_until


class Counterpart:
    collections = {"things": {}}

    def __init__(self, _directory):
        self.broker = Broker().start()
        self.mes = Mes(self.broker.port)
        self.values = {"port": self.broker.port}
        wait_until(self.mes.client.is_connected, 10, "the MES is connected")

    def stop(self):
        self.mes.stop()
        self.broker.stop()

    def feed(self, number):
        self.mes.report(number)
        return {"record": f"things/R-{number}", "effect": f"thing/R-{number}"}

    def effects(self):
        with self.mes.lock:
            return list(self.mes.jobs)
