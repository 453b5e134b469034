"""The counterpart of line_printer, for the crash kit: writes lines to one file and reads them from the other."""


class Counterpart:
    collections = {"lines": {}}

    def __init__(self, directory):
        self.incoming, self.printed = directory / "in.txt", directory / "out.txt"

    def feed(self, number):
        with open(self.incoming, "a", encoding="utf-8") as file:
            file.write(f"line-{number}\n")
        return {"record": f"lines/line-{number}", "effect": f"print/line-{number}"}

    def effects(self):
        if not self.printed.exists():
            return []
        return [line.split(" ", 1)[0] for line in self.printed.read_text(encoding="utf-8").splitlines()]
