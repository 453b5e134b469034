"""The three counterparts with their connections, living through their ticks: as a thread of this process, or as the program."""
import dataclasses
import pathlib
import threading
import time

from .erp import SELLABLE, Erp
from .files import FileLink
from .mes import Mes
from .store import Store
from .web import WebLink
from .wms import Wms


@dataclasses.dataclass
class Options:
    """What happens in the plant. The same seed makes the same orders; when things happen depends on the hub."""

    seed: int = 1
    orders: int = 30           # in all
    orders_a_tick: int = 2
    tick_seconds: float = 0.1
    opening: int = 20          # pieces of each product in the beginning
    machines: int = 3
    changes: float = 0.1       # share of orders that change or are cancelled
    short_picks: float = 0.1   # share of orders of which one piece is not found at first
    holds: float = 0.2         # share of lots that are held until a second test
    purchases: int = 2
    counts: bool = True
    transfers: bool = True
    mes: str = "files"         # or "http"
    mes_port: int = 0


def hub_balances(endpoints):
    """A function that asks the hub what is on hand: {item: pieces}; None when no node answers now."""
    from tests.system.lab.client import Client
    client = Client(endpoints, timeout=2.0)

    def ask():
        try:
            answer = client.request("GET", "/v1/collections/stock_moves/balances?by=item,location&limit=1000", deadline=2.0)
        except (TimeoutError, OSError):
            return None
        if answer.status != 200:
            return None
        found = {}
        for row in answer.json()["balances"]:
            if row["location"].startswith(SELLABLE):
                found[row["item"]] = found.get(row["item"], 0) + int(float(row["quantity"]))
        return found
    return ask


class Plant:
    """Owns everything below `directory`. start() and stop() once each; in between any thread may ask."""

    def __init__(self, directory, options=None, endpoints=(), balances=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.options = options or Options()
        self.store = Store(self.directory / "plant.db")
        self.lock = threading.RLock()
        self.erp = Erp(self.store, self.options, balances or hub_balances(endpoints))
        self.mes = Mes(self.store, self.options)
        self.wms = Wms(self.store, self.options)
        self.parties = {party.name: party for party in (self.erp, self.mes, self.wms)}
        self.links = {name: FileLink(party, self.directory / name) for name, party in self.parties.items()
                      if name != "mes" or self.options.mes == "files"}
        if self.options.mes != "files":
            self.links["mes"] = WebLink(self.mes, self.options.mes_port, self.lock)
        for link in self.links.values():
            link.start()
        self.paused = False
        self.trouble = None
        self._reported = None
        self._enough = threading.Event()
        self._thread = None

    def start(self):
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def stop(self):
        self._enough.set()
        if self._thread is not None:
            self._thread.join(30)
        for link in self.links.values():
            link.stop()
        self.store.close()

    def _live(self):
        while not self._enough.wait(self.options.tick_seconds):
            try:
                self.tick()
            except Exception as error:  # shown by whoever asks for the state; the plant goes on
                self.trouble = repr(error)

    def tick(self):
        """One moment: documents come and go, and everybody lives on."""
        with self.lock:
            for name, link in self.links.items():
                link.step()
                if not self.paused:
                    self.parties[name].tick()
                else:
                    self.parties[name].ticks += 1
            if self.erp.ticks % 10 == 0:
                self.report_stock()

    def report_stock(self):
        rows = self.wms.stock_rows()
        if rows != self._reported:
            self.links["wms"].write_stock(rows)
            self._reported = rows

    # --- steering ---

    def fault(self, system, name, count=None, value=None):
        self.parties[system].faults.set(name, count, value)

    def clear(self, system, name=None):
        self.parties[system].faults.clear(name)

    def mend(self, system):
        with self.lock:
            count = self.parties[system].mend()
            if isinstance(self.links[system], WebLink):
                self.links[system].mended()
            return count

    def is_settled(self):
        """Everything is sold, bought, answered and delivered, every job done, and nothing lies around that should move on."""
        count, options = self.store.count, self.options
        with self.lock:
            return (count("erp", "order") >= options.orders and count("erp", "order", "open") == 0 and count("wms", "order", "open") == 0
                    and count("erp", "production", "open") == 0 and count("mes", "lot", "retest") == 0
                    and count("erp", "purchase") >= options.purchases and count("erp", "purchase", "open") == 0
                    and self.store.count("wms", "count", "proposed") == 0
                    and self.store.value("select count(*) from outbox where written = 0 and system in ('erp', 'wms')") == 0)

    def state(self):
        """In numbers, for people and tests."""
        with self.lock:
            kinds = self.store.rows("select system, kind, state, count(*) from objects group by 1, 2, 3 order by 1, 2, 3")
            duplicates = dict(self.store.rows("select system, sum(times - 1) from received group by 1"))
            received = self.store.rows("select system, type, count(*) from received group by 1, 2")
            return {"objects": {f"{system}/{kind}/{state}": number for system, kind, state, number in kinds},
                    "received": {f"{system}/{kind}": number for system, kind, number in received},
                    "duplicates": {name: duplicates.get(name, 0) for name in self.parties},
                    "faults": {name: party.faults.shown() for name, party in self.parties.items()},
                    "settled": self.is_settled(), "trouble": self.trouble}

    def wait_settled(self, seconds):
        deadline = time.monotonic() + seconds
        while not self.is_settled():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the plant did not settle within {seconds} s: {self.state()}")
            time.sleep(0.05)
