"""A file that lines are added to, whatever it holds already. Nothing comes from there: the kit writes the records."""


class Counterpart:
    collections = {"things": {}}

    def __init__(self, directory):
        self.out = directory / "out.txt"

    def feed(self, number):
        return {"record": f"things/t{number}", "value": {"thing": f"t{number}"}, "effect": f"thing/t{number}"}

    def effects(self):
        return self.out.read_text(encoding="utf-8").split() if self.out.exists() else []
