"""Runs the ```python blocks of docs/clients.md and clients/python/README.md in order, each page against a cluster of its own.

A line "#> text" is what the block must print, line by line. 127.0.0.1:7400 to :7402 stand for the nodes of the cluster.
"""
import argparse
import contextlib
import io
import os
import pathlib
import re
import sys
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "clients/python/src"))

from tests.system.lab import scratch
from tests.system.lab.cluster import Cluster

PAGES = ("docs/clients.md", "clients/python/README.md")


def blocks(text):
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def run(block, names, page, number):
    """What is wrong with it, or None."""
    expected = re.findall(r"^#> ?(.*)$", block, re.MULTILINE)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(block, f"{page}:{number}", "exec"), names)
    except Exception:
        return traceback.format_exc()
    lines = printed.getvalue().splitlines()
    if expected and lines != expected:
        return "printed\n" + printed.getvalue() + "where the page says\n" + "\n".join(expected)
    return None


def run_page(page, build):
    """(blocks, what is wrong)."""
    wrong, count = [], 0
    with scratch.directory("snippets") as place:
        cluster = Cluster(pathlib.Path(place) / "cluster", build=build, options={"auth.enabled": False})
        try:
            cluster.start()
            os.environ["MAINSTAY_ENDPOINTS"] = ",".join(cluster.endpoints)
            names = {"__name__": "snippets"}
            for block in blocks(pathlib.Path(page).read_text(encoding="utf-8")):
                count += 1
                for node in cluster.ids:
                    block = block.replace(f"127.0.0.1:{7399 + node}", cluster.endpoint(node))
                problem = run(block, names, page, count)
                if problem:
                    wrong.append(f"{page}, block {count}:\n{block}\n{problem}")
            if "client" in names:
                names["client"].close()
        finally:
            cluster.stop()
    return count, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/check", help="build directory with bin/mainstayd and bin/mainstay")
    options = parser.parse_args()
    count, wrong = 0, []
    for page in PAGES:
        more, problems = run_page(page, options.build)
        count, wrong = count + more, wrong + problems
        if more == 0:
            wrong.append(f"{page}: no block found")
    print("\n\n".join(wrong), file=sys.stderr)
    print(f"{count} blocks, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
