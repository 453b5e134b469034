"""Temporary directories that do not pile up: whoever makes one removes those whose makers were killed."""
import contextlib
import fcntl
import os
import pathlib
import shutil
import tempfile

LOCK = ".in-use"
_held = {}  # directory -> its lock, held as long as this process lives


def make(purpose):
    """A new directory `mainstay-<purpose>-…` in the temporary folder; give it to `remove` at the end."""
    sweep()
    place = tempfile.mkdtemp(prefix=f"mainstay-{purpose}-")
    lock = open(os.path.join(place, LOCK), "wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    _held[place] = lock
    return place


def remove(place):
    shutil.rmtree(place, ignore_errors=True)
    lock = _held.pop(str(place), None)
    if lock is not None:
        lock.close()


@contextlib.contextmanager
def directory(purpose):
    """One for the length of a `with`."""
    place = make(purpose)
    try:
        yield place
    finally:
        remove(place)


def sweep():
    """Removes what `make` made in processes that are gone: nobody holds its lock."""
    for path in pathlib.Path(tempfile.gettempdir()).glob(f"mainstay-*/{LOCK}"):
        try:
            with open(path, "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path.parent, ignore_errors=True)
        except OSError:
            continue  # in use, another's, or gone meanwhile
