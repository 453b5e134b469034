"""What the author of an adapter gives to the crash kit: the definition of the adapter, and a Python file that plays its counterpart.

The file has one class:

    class Counterpart:
        def __init__(self, directory):  # an empty directory of its own, for files, sockets, a server …
        def feed(self, number):         # lets the counterpart say the number-th thing (1, 2, 3 …); returns what must come of it
        def effects(self):              # what happened at the counterpart: one name each time that it happened
        # if they are needed:
        values = {}                     # words for the definition: @word@ in it becomes the value
        collections = {}                # collections to declare before the start: {name: declaration}
        def stop(self):                 # ends what __init__ started

`feed` returns {"record": "collection/key", "effect": name}: the record that the adapter's source makes of it, and the name under which
`effects()` shows what the adapter did; each may be missing. With "value" in it as well the kit itself writes the record: that is for
adapters that only carry out effects."""
import importlib.util
import pathlib
import sys


def load_counterpart(path, directory):
    """The counterpart that a file describes, made with a directory of its own."""
    path = pathlib.Path(path).resolve()
    directory.mkdir(parents=True)
    sys.path.append(str(path.parent))  # files beside it
    try:
        spec = importlib.util.spec_from_file_location(f"counterpart_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        made = module.Counterpart(directory)
    finally:
        sys.path.remove(str(path.parent))
    for needed in ("feed", "effects"):
        if not callable(getattr(made, needed, None)):
            raise ValueError(f"{path}: its class Counterpart has no {needed}()")
    return made


def write_definition(source, directory, values, library=None):
    """Copies a definition, its words replaced, and shows the files beside it (mappings, keys) in the new directory. Its adapter's name."""
    source = pathlib.Path(source).resolve()
    directory.mkdir(parents=True)
    for entry in source.parent.iterdir():
        if entry.suffix != ".toml":
            (directory / entry.name).symlink_to(entry)
    text = source.read_text(encoding="utf-8")
    for word, value in values.items():
        if f"@{word}@" not in text:
            raise ValueError(f"{source}: there is no @{word}@")
        text = text.replace(f"@{word}@", str(value))
    if library is not None:
        text = f'library = "{pathlib.Path(library).resolve()}"\n{text}'
    (directory / source.name).write_text(text, encoding="utf-8")
    return source.stem
