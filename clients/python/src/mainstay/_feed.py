"""The change feed without any input or output: the place in it, and the hand-over to a snapshot."""
from __future__ import annotations

import datetime
from typing import Any, Mapping

from . import _json
from .errors import ProtocolError, from_problem
from .model import Change, Record


def time_of(text: object) -> datetime.datetime | None:
    if not isinstance(text, str):
        return None
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None


def change_of(line: Mapping[str, Any]) -> Change:
    """Raises ProtocolError."""
    try:
        return Change(
            revision=line["revision"], position=line.get("position", 0), of=line.get("of", 1),
            collection=line["collection"], key=line["key"], type=line["type"],
            version=line["version"], time=time_of(line.get("time")),
            operation=line.get("operation"), value=line.get("value"))
    except (KeyError, TypeError) as error:
        raise ProtocolError(f"a change without {error}") from error


class FeedPlace:
    """What has been delivered, and so where another node shall go on. A commit whose changes have
    come only in part is asked for again as a whole, and what came of it is left out."""

    def __init__(self, after: int, until: int | None = None):
        self._complete = after  # all changes up to this revision have been delivered
        self._last = (after, -1)
        self._until = until

    @property
    def after(self) -> int:
        """The revision to ask for more than."""
        return max(self._complete, self._last[0] - 1)

    @property
    def done(self) -> bool:
        return self._until is not None and self._complete >= self._until

    def take(self, line: bytes) -> Change | None:
        """A whole line of the feed: a change that is new, or None. Raises ProtocolError,
        and the problem with which the node ends the feed."""
        said = _json.loads_answer(line)
        if not isinstance(said, dict):
            raise ProtocolError("a line of the feed is not an object")
        if "problem" in said:
            problem = said["problem"] if isinstance(said["problem"], dict) else {}
            raise from_problem(int(problem.get("status", 0)), problem)
        if said.get("heartbeat"):
            self._complete = max(self._complete, int(said.get("revision", 0)))
            return None
        change = change_of(said)
        place = (change.revision, change.position)
        if change.revision <= self._complete or place <= self._last:
            return None
        # A commit that is not the last one's: nothing more comes of the last one.
        self._complete = max(self._complete, change.revision - 1)
        if self._until is not None and change.revision > self._until:
            return None
        self._last = place
        if change.position + 1 >= change.of:
            self._complete = change.revision
        return change


class HandOver:
    """From a snapshot to the feed after it: changes that the snapshot's pages show already are left
    out."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._newest = 0

    def record(self, record: Record) -> Change:
        self._seen[record.key] = record.revision
        self._newest = max(self._newest, record.revision)
        return Change(record.revision, 0, 1, record.collection, record.key, "put", record.version,
                      None, None, record.value, snapshot=True)

    def is_new(self, change: Change) -> bool:
        if change.revision > self._newest:
            self._seen.clear()  # from here on everything is
            return True
        return change.revision > self._seen.get(change.key, 0)
