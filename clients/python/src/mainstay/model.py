"""What calls take and give: plain values, the same for Client and AsyncClient."""
from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Iterable, Mapping

from .errors import MainstayError

JSON = Any  # None, bool, int, Decimal, str, list, dict
Quantity = Decimal | int | str  # exact; a float is refused


class Level(str, enum.Enum):
    """What a read may show: everything acknowledged anywhere before it; everything that this client
    has seen or written; what the asked node has applied."""

    LINEARIZABLE = "linearizable"
    SESSION = "session"
    LOCAL = "local"


@dataclass(frozen=True)
class Record:
    collection: str
    key: str
    value: JSON
    version: int   # counts the writes to this record
    revision: int  # the cluster-wide number of the commit that made this version


@dataclass(frozen=True)
class Written:
    """The answer to a write. `revision` is 0 when nothing had to change; `replayed` tells that this
    operation had been carried out before and this is its first answer once more."""

    version: int
    revision: int
    created: bool
    operation: str
    replayed: bool = False


@dataclass(frozen=True)
class ActionResult:
    version: int
    created: bool
    changed: bool


@dataclass(frozen=True)
class Committed:
    """The answer to a transaction: one result for each of its operations, one revision for all."""

    revision: int
    operation: str
    results: tuple[ActionResult, ...]
    replayed: bool = False


@dataclass(frozen=True)
class BatchOutcome:
    """What became of one operation of a batch: `result`, or the `error` that refused it."""

    operation: str
    result: Committed | None
    error: MainstayError | None

    def unwrap(self) -> Committed:
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result


@dataclass(frozen=True)
class OperationState:
    """What became of an operation: "committed", "refused" (never carried out: `error` names why) or
    "fenced" (it has not been carried out and never will be)."""

    operation: str
    state: str
    revision: int = 0
    error: str | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def committed(self) -> bool:
        return self.state == "committed"


@dataclass(frozen=True)
class Version:
    """One version of a record in its history; `type` is "put" or "delete"."""

    version: int
    revision: int
    type: str
    time: datetime.datetime | None
    value: JSON


@dataclass(frozen=True)
class Change:
    """One record changed by one commit. `position` of `of`: its place within the commit. With
    `snapshot` set it is not a change but a record as follow() found it after a hand-over."""

    revision: int
    position: int
    of: int
    collection: str
    key: str
    type: str  # "put" or "delete"
    version: int
    time: datetime.datetime | None
    operation: str | None
    value: JSON
    snapshot: bool = False

    @property
    def resume(self) -> int:
        """Where to go on (`after=`) once this change has been dealt with, and all before it."""
        return self.revision if self.position + 1 >= self.of else self.revision - 1


@dataclass(frozen=True)
class Reset:
    """follow() could not go on from where it was. Forget what is known of the collection: all of
    its records as they are now come next, as changes with `snapshot` set, then the feed again."""

    revision: int


@dataclass(frozen=True)
class Entry:
    """An entry of a ledger: `quantity` goes from one end to the other. A dimension of the ledger
    stands in `dimensions` for both ends, or in each of `source` and `target`."""

    id: str
    quantity: Quantity
    dimensions: Mapping[str, str]
    source: Mapping[str, str]
    target: Mapping[str, str]
    data: JSON = None
    reverses: str | None = None
    revision: int = 0  # as read: of the commit that posted it

    def content(self) -> dict[str, JSON]:
        """As the API takes it, without the id."""
        body: dict[str, JSON] = {"quantity": decimal_text(self.quantity), **self.dimensions,
                                 "from": dict(self.source), "to": dict(self.target)}
        if self.reverses is not None:
            body["reverses"] = self.reverses
        if self.data is not None:
            body["data"] = self.data
        return body

    def reversal(self, id: str, data: JSON = None) -> Entry:
        """The entry that undoes this one."""
        return Entry(id, self.quantity, self.dimensions, source=self.target, target=self.source,
                     data=data, reverses=self.id)


@dataclass(frozen=True)
class Posted:
    """One entry of a posting; `created` is False when it was there already with this content."""

    id: str
    created: bool


@dataclass(frozen=True)
class Posting:
    revision: int
    operation: str
    results: tuple[Posted, ...]
    replayed: bool = False


@dataclass(frozen=True)
class Balance:
    dimensions: Mapping[str, str]
    quantity: Decimal
    revision: int


@dataclass(frozen=True)
class Member:
    id: int
    role: str
    peer_address: str
    api_address: str
    connected: bool


@dataclass(frozen=True)
class Cluster:
    """The cluster as the asked node sees it; `answer` is all that it said."""

    cluster: str
    node: int
    role: str
    leader: int | None
    term: int
    revision: int
    members: tuple[Member, ...]
    answer: Mapping[str, Any]


@dataclass(frozen=True)
class Token:
    """`secret` is the whole token, told once, when it is made."""

    id: str
    name: str
    role: str
    collections: tuple[str, ...] | None
    expires: str | None
    secret: str | None = field(default=None, repr=False)


def decimal_text(value: Quantity) -> str:
    """Exact text of a quantity. A float is refused: its digits are not those that were meant."""
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise TypeError(f"a quantity is a Decimal, an int or a str, not {type(value).__name__}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value} is not a quantity")
    return format(number, "f")


class Transaction:
    """Conditions and operations, all or nothing, under one revision. Built here, carried out by
    Client.commit; each method returns the transaction itself."""

    def __init__(self) -> None:
        self.conditions: list[dict[str, JSON]] = []
        self.operations: list[dict[str, JSON]] = []

    def require(self, collection: str, key: str, *, version: int | None = None,
                exists: bool | None = None,
                fields: Mapping[str, JSON] | None = None) -> Transaction:
        """The record has this version, exists or not, and holds these values at these JSON
        pointers."""
        condition: dict[str, JSON] = {"collection": collection, "key": key}
        if version is not None:
            condition["version"] = version
        if exists is not None:
            condition["exists" if exists else "absent"] = True
        if fields:
            condition["fields"] = [{"pointer": pointer, "equals": value}
                                   for pointer, value in fields.items()]
        if len(condition) == 2:
            raise ValueError("require() needs a version, exists or fields")
        self.conditions.append(condition)
        return self

    def require_balance(self, ledger: str, at: Mapping[str, str],
                        at_least: Quantity) -> Transaction:
        self.conditions.append({"ledger": ledger, "at": dict(at),
                                "at_least": decimal_text(at_least)})
        return self

    def put(self, collection: str, key: str, value: JSON) -> Transaction:
        return self._add("put", collection, key, value)

    def patch(self, collection: str, key: str, patch: JSON) -> Transaction:
        return self._add("patch", collection, key, patch)

    def delete(self, collection: str, key: str) -> Transaction:
        self.operations.append({"delete": {"collection": collection, "key": key}})
        return self

    def post(self, ledger: str, entry: Entry) -> Transaction:
        self.operations.append({"post": {"collection": ledger, "id": entry.id,
                                         "entry": entry.content()}})
        return self

    def _add(self, kind: str, collection: str, key: str, value: JSON) -> Transaction:
        self.operations.append({kind: {"collection": collection, "key": key, "value": value}})
        return self

    def body(self) -> dict[str, JSON]:
        body: dict[str, JSON] = {"operations": self.operations}
        if self.conditions:
            body["conditions"] = self.conditions
        return body


def entries_of(entries: Iterable[Entry]) -> list[dict[str, JSON]]:
    return [{"id": entry.id, **entry.content()} for entry in entries]
