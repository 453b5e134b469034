"""Directories of files: puts files into in/, takes what comes out of out/ to done/."""
import json
import os


class Counterpart:
    collections = {"things": {}}
    suffix = ".json"

    def __init__(self, directory):
        self.directory, self.taken = directory, []
        for part in ("in", "out", "done"):
            (directory / part).mkdir()

    def feed(self, number):
        path = self.directory / "in" / f"t{number}{self.suffix}"
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_text(self.text(number), encoding="utf-8")
        temporary.rename(path)
        return {"record": f"things/{self.name(number)}", "effect": self.effect(number)}

    def name(self, number):
        return f"t{number}"

    def text(self, number):
        return json.dumps({"id": self.name(number)})

    def effect(self, number):
        return f"thing/{self.name(number)}"

    def effects(self):
        for entry in sorted(os.listdir(self.directory / "out")):
            if entry.endswith(self.suffix):
                # Taken: the same name coming once more counts once more.
                (self.directory / "out" / entry).rename(self.directory / "done" / entry)
                self.taken.append(entry.removesuffix(self.suffix).replace("_", "/", 1))
        return self.taken
