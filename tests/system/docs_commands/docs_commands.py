"""Runs the ```console blocks of documents against a cluster of three real nodes.

A line "$ command" is run by bash in a directory of its own; the lines below it are what it must print, line by line, where "…"
stands for anything. Without such lines it only has to succeed. 127.0.0.1:7400 to :7402 stand for nodes 1 to 3 of the cluster.
Which documents: the rows "path: run by docs_commands" of tests/tidy/console.txt.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

from tests.system.lab import scratch
from tests.system.lab.cluster import Cluster

LISTED = pathlib.Path("tests/tidy/console.txt")
ADAPTERS = pathlib.Path("tests/system/docs_commands/adapters")
COMMAND_SECONDS = 30


def documents():
    for line in LISTED.read_text(encoding="utf-8").splitlines():
        path, _, how = line.partition(":")
        if not line.startswith("#") and how.strip() == "run by docs_commands":
            yield pathlib.Path(path.strip())


def commands(text):
    """(command, expected lines) of all console blocks, in order."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found and found[-1][0].endswith("\\"):
                found[-1] = (found[-1][0] + "\n" + line, found[-1][1])
            else:
                found[-1][1].append(line)
    return found


def fits(expected, printed):
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    return re.fullmatch(pattern, printed.rstrip()) is not None


def run(command, expected, cluster, directory):
    """What is wrong with it, or None."""
    for node in cluster.ids:
        address = f"127.0.0.1:{7399 + node}"
        command = command.replace(address, cluster.endpoint(node))
        expected = [line.replace(address, cluster.endpoint(node)) for line in expected]
    environment = {**os.environ, "PATH": f"{cluster.tool.parent}:{os.environ['PATH']}",
                   "MAINSTAY_ENDPOINTS": ",".join(cluster.endpoints)}
    result = subprocess.run(["bash", "-c", command], cwd=directory, env=environment, capture_output=True, text=True,
                            timeout=COMMAND_SECONDS)
    if result.returncode != 0:
        return f"exit code {result.returncode}: {result.stdout}{result.stderr}"
    printed = result.stdout.splitlines()
    if expected and (len(printed) != len(expected) or not all(map(fits, expected, printed))):
        return "printed\n" + result.stdout + "\nwhere the document says\n" + "\n".join(expected)
    return None


def with_adapters(document, place):
    """Documents of the integration hub have an adapter that carries files in and out of the folder exchange."""
    if document.parent.name != "integration":
        return {}
    home = pathlib.Path(place).resolve()
    shutil.copytree(ADAPTERS, home / "adapters")
    (home / "exchange" / "in").mkdir(parents=True)
    return {"adapters.directory": str(home / "adapters")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/check", help="build directory with bin/mainstayd and bin/mainstay")
    options = parser.parse_args()
    failures = count = 0
    for document in documents():
        with scratch.directory("docs") as place:
            cluster = Cluster(pathlib.Path(place) / "cluster", build=options.build, options=with_adapters(document, place))
            try:
                cluster.start()
                for command, expected in commands(document.read_text(encoding="utf-8")):
                    count += 1
                    wrong = run(command, expected, cluster, place)
                    if wrong:
                        failures += 1
                        print(f"{document}: $ {command}\n{wrong}\n", file=sys.stderr)
            finally:
                cluster.stop()
    print(f"{count} commands of the documents, {failures} failed")
    return 1 if failures or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
