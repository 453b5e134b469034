"""A counterpart that speaks over a directory. `in/` is what it says to the hub, `out/` what the hub says to it, `done/` what it has taken
from there, `stock/` its reports. Files are written under another name and renamed: nobody sees a part of one."""
import csv
import io
import json
import os
import pathlib
import time

from .faults import harmed

NDJSON = {"moves"}
CSV = {"count"}


def text_of(kind, document):
    if kind in NDJSON:
        return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in document)
    if kind in CSV:
        return csv_text([document])
    return json.dumps(document, indent=1) + "\n"


def csv_text(rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def suffix_of(kind):
    return ".ndjson" if kind in NDJSON else ".csv" if kind in CSV else ".json"


def write_whole(path, text):
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8", newline="")
    temporary.rename(path)


class FileLink:
    """The directory of one counterpart. One thread."""

    def __init__(self, counterpart, directory):
        self.counterpart, self.directory = counterpart, pathlib.Path(directory)
        self.offline = self.directory.with_name(self.directory.name + ".offline")
        self.next_take = 0.0
        self.stock_reports = 0
        self.refused = []
        if not self.offline.exists():
            for part in ("in", "out", "done", "stock"):
                (self.directory / part).mkdir(parents=True, exist_ok=True)

    def start(self):
        pass

    def stop(self):
        self.go_online()

    # --- the directory comes and goes ---

    def is_down(self):
        if self.counterpart.faults.value("down") is None:
            self.go_online()
            return False
        if not self.offline.exists():
            self.directory.rename(self.offline)
            self.directory.write_text("the share is not mounted\n", encoding="ascii")  # nobody makes a new directory here
        return True

    def go_online(self):
        if self.offline.exists():
            self.directory.unlink(missing_ok=True)
            self.offline.rename(self.directory)

    def step(self):
        """Writes what is to be sent, takes what has come. How many documents that were."""
        if self.is_down():
            return 0
        return self.push() + self.pull()

    # --- to the hub ---

    def push(self):
        party = self.counterpart
        rows = party.store.rows("select seq, type, name, document, harm from outbox where system = ? and written = 0 and hidden_until <= ?"
                                " order by seq", party.name, party.ticks)
        for seq, kind, name, document, harm in rows:
            self.write(kind, name, json.loads(document), harm)
            party.store.run("update outbox set written = 1 where seq = ?", seq)
        return len(rows)

    def write(self, kind, name, document, harm):
        path = self.directory / "in" / (name + suffix_of(kind))
        if harm in ("drift", "extra", "unit") and isinstance(document, dict):
            document = harmed(document, harm)
        text = text_of(kind, document)
        if harm == "poison":
            text = text[:len(text) // 2]
        write_whole(path, text)
        if harm == "duplicate":
            write_whole(path.with_name(name + "-again" + path.suffix), text)
        if harm == "edit":
            write_whole(path, text_of(kind, harmed(document, harm)))

    def write_stock(self, rows):
        """A stock report; the three newest are kept."""
        if not rows or self.is_down():
            return
        self.stock_reports += 1
        write_whole(self.directory / "stock" / f"stock-{time.time_ns():020}.csv", csv_text(rows))
        for old in sorted((self.directory / "stock").glob("stock-*.csv"))[:-3]:
            old.unlink(missing_ok=True)

    # --- from the hub ---

    def pull(self):
        faults = self.counterpart.faults
        if faults.value("half_open") is not None or time.monotonic() < self.next_take:
            return 0
        slow = faults.value("slow")
        taken = 0
        for entry in sorted(os.listdir(self.directory / "out")):
            if not entry.endswith(".json"):
                continue
            self.take(entry)
            taken += 1
            if slow is not None:
                self.next_take = time.monotonic() + float(slow)
                break
        return taken

    def take(self, entry):
        party, path = self.counterpart, self.directory / "out" / entry
        status = path.stat()
        stamp = f"{entry}/{status.st_ino}/{status.st_mtime_ns}"
        envelope = json.loads(path.read_text(encoding="utf-8"))
        with party.store.transaction():
            # The same file, seen again after this program was killed between the two steps: no second delivery.
            if party.store.run("insert or ignore into deliveries values(?, ?)", party.name, stamp):
                try:
                    party.receive(envelope["type"], envelope["id"], envelope["document"])
                except (ValueError, KeyError, TypeError) as error:
                    self.refused.append(f"{entry}: {error!r}")
                    party.put("refused", entry, "refused", {"why": repr(error), "document": envelope})
        path.rename(self.directory / "done" / entry)
