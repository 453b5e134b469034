"""What a report says of the circumstances: the machine, versions, date, commit; and writing a report's files."""
import json
import pathlib
import subprocess
import sys
import time

from bench.peers.peer import ROOT

from . import machine, table


def circumstances(**more):
    """Facts of this run, to be kept with its figures."""
    return {"date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "commit": _commit(), **machine.description(),
            "command": " ".join([str(pathlib.Path(sys.argv[0]).resolve().relative_to(ROOT)), *sys.argv[1:]]), **more}


def _commit():
    run = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, timeout=20)
    return run.stdout.strip() or "unknown"


def facts_table(facts):
    return table.markdown(["", ""], [(name.replace("_", " "), value) for name, value in facts.items() if isinstance(value, (str, int,
            float))])


class Report:
    """A Markdown file and the files beside it: FOLDER/NAME.md, FOLDER/NAME-<plot>.svg, FOLDER/NAME.json."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self._parts = []

    def text(self, *paragraphs):
        self._parts += paragraphs

    def table(self, header, rows):
        if rows:
            self._parts.append(table.markdown(header, rows))

    def plot(self, name, alternative, svg):
        file = self.path.with_name(f"{self.path.stem}-{name}.svg")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(svg, encoding="utf-8")
        self._parts.append(f"![{alternative}]({file.name})")

    def write(self, data):
        """`data`: every figure of the report, for those who want to look closer."""
        file = self.path.with_suffix(".json")
        self._parts.append(f"Every figure: [{file.name}]({file.name}).")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        self.path.write_text("\n\n".join(self._parts) + "\n", encoding="utf-8")
