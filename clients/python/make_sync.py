"""Makes src/mainstay/client.py from src/mainstay/aio.py: the same client without await.

    python3 make_sync.py           writes it
    python3 make_sync.py --check   ends with 1 if it is not up to date
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent / "src" / "mainstay"
WORDS = [
    (r"\basync (def|with|for) ", r"\1 "),
    (r"\bawait ", ""),
    (r"\bAsync(Client|Collection|Ledger|Transport|Stream)\b", lambda m: {
        "Transport": "SyncTransport", "Stream": "SyncStream"}.get(m[1], m[1])),
    (r"_async_transport", "_sync_transport"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
    (r"Use it from\n    one event loop; any number of calls at once\.", "Use it from\n    any number of threads."),
]


def made_from(source):
    _, _, body = source.partition('"""\n')  # without the words about itself
    for pattern, replacement in WORDS:
        body = re.sub(pattern, replacement, body)
    return '"""The client for threads. Made from aio.py by make_sync.py: change that one."""\n' + body


def main():
    wanted = made_from((HERE / "aio.py").read_text(encoding="utf-8"))
    if "--check" in sys.argv:
        return 0 if (HERE / "client.py").read_text(encoding="utf-8") == wanted else 1
    (HERE / "client.py").write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
