"""Each call of the API: what is asked, and how the answer is read. No input or output."""
from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Callable, Generic, Iterable, Mapping, Sequence, TypeVar

from . import _json, errors, model
from ._core import JSON_TYPE, Request, Response, checked_operation, path, query
from ._feed import change_of, time_of
from .model import JSON, Entry, Level, Transaction

T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    request: Request
    read: Callable[[Response], T]
    level: Level | None = None  # of a read


@dataclass(frozen=True)
class Page(Generic[T]):
    """`next` is what asks for the page behind this one; None: there is none."""

    items: tuple[T, ...]
    next: str | None


def _get(target: str, read: Callable[[Response], T], level: Level | None) -> Call[T]:
    return Call(Request("GET", target), read, level)


def _level(level: Level) -> str | None:
    return None if level is Level.LINEARIZABLE else level.value


def _conditions(version: int | None, exists: bool | None) -> dict[str, str]:
    if version is not None:
        if exists is not None:
            raise ValueError("give a version or exists, not both")
        return {"If-Match": f'"{version}"'}
    if exists is None:
        return {}
    return {"If-Match": "*"} if exists else {"If-None-Match": "*"}


def _object(response: Response) -> dict[str, Any]:
    found = _json.loads_answer(response.body)
    if not isinstance(found, dict):
        raise errors.ProtocolError("the answer is not a JSON object")
    return found


def _replayed(response: Response) -> bool:
    return response.headers.get("mainstay-replayed") == "true"


# --- documents ---


def _written(response: Response) -> model.Written:
    said = _object(response)
    return model.Written(said["version"], said["revision"], said["created"], said["operation"],
                         _replayed(response))


def write(method: str, collection: str, key: str, value: JSON, *, operation: str | None,
          version: int | None, exists: bool | None) -> Call[model.Written]:
    headers = _conditions(version, exists)
    body = None if method == "DELETE" else _json.dumps(value)
    if method == "PATCH":
        headers["Content-Type"] = "application/merge-patch+json"
    return Call(Request(method, path("collections", collection, "records", key), body, headers,
                        checked_operation(operation)), _written)


def get(collection: str, key: str, *, revision: int | None, level: Level) -> Call[model.Record]:
    def read(response: Response) -> model.Record:
        return model.Record(collection, key, _json.loads_answer(response.body),
                            int(response.headers["etag"].strip('"')),
                            int(response.headers["mainstay-revision"]))
    target = path("collections", collection, "records", key)
    return _get(target + query({"revision": revision, "level": _level(level)}), read, level)


def records(collection: str, *, prefix: str | None, index: str | None, value: JSON, low: JSON,
            high: JSON, after: str | None, limit: int | None,
            level: Level) -> Call[Page[model.Record]]:
    def read(response: Response) -> Page[model.Record]:
        said = _object(response)
        return Page(tuple(model.Record(collection, record["key"], record["value"],
                                       record["version"], record["revision"])
                          for record in said["records"]), said["next"])
    target = path("collections", collection, "records") + query({
        "prefix": prefix or None, "index": index, "value": _scalar(value), "from": _scalar(low),
        "to": _scalar(high), "after": after, "limit": limit, "level": _level(level)})
    return _get(target, read, level)


class _Unset:
    """Stands for "not given" where None is a value."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Any = _Unset()


def _scalar(value: JSON) -> str | None:
    if value is UNSET:
        return None
    if isinstance(value, (dict, list, tuple)):
        raise TypeError("an index holds scalars only")
    return _json.dumps(value).decode()


def history(collection: str, key: str, *, before: int | None, limit: int | None,
            level: Level) -> Call[Page[model.Version]]:
    def read(response: Response) -> Page[model.Version]:
        said = _object(response)
        following = said["next"]
        return Page(tuple(model.Version(version["version"], version["revision"], version["type"],
                                        time_of(version.get("time")), version.get("value"))
                          for version in said["versions"]),
                    None if following is None else str(following))
    target = path("collections", collection, "records", key, "history")
    asked = query({"before": before, "limit": limit, "level": _level(level)})
    return _get(target + asked, read, level)


# --- ledgers ---


def post(ledger: str, entries: Sequence[Entry], operation: str | None) -> Call[model.Posting]:
    def read(response: Response) -> model.Posting:
        said = _object(response)
        return model.Posting(said["revision"], said["operation"],
                             tuple(model.Posted(one["id"], one["created"])
                                   for one in said["results"]), _replayed(response))
    listed = model.entries_of(entries)
    body = listed[0] if len(listed) == 1 else {"entries": listed}
    return Call(Request("POST", path("collections", ledger, "entries"), _json.dumps(body),
                        operation=checked_operation(operation)), read)


_ENTRY_MEMBERS = {"quantity", "from", "to", "reverses", "data"}


def _entry(said: Mapping[str, Any]) -> Entry:
    content = said["entry"]
    shared = {name: value for name, value in content.items() if name not in _ENTRY_MEMBERS}
    return Entry(said["id"], Decimal(content["quantity"]), shared, content.get("from", {}),
                 content.get("to", {}), content.get("data"), content.get("reverses"),
                 said.get("revision", 0))


def entries(ledger: str, *, prefix: str | None, after: str | None, limit: int | None,
            level: Level) -> Call[Page[Entry]]:
    def read(response: Response) -> Page[Entry]:
        said = _object(response)
        return Page(tuple(map(_entry, said["entries"])), said["next"])
    asked = query({"prefix": prefix or None, "after": after, "limit": limit,
                   "level": _level(level)})
    return _get(path("collections", ledger, "entries") + asked, read, level)


def balances(ledger: str, where: Mapping[str, str], *, by: Iterable[str] | None,
             after: str | None, limit: int | None, level: Level) -> Call[Page[model.Balance]]:
    def read(response: Response) -> Page[model.Balance]:
        said = _object(response)
        return Page(tuple(map(_balance, said["balances"])), said["next"])
    reserved = {"by", "after", "limit", "level"}.intersection(where)
    if reserved:
        raise ValueError(f"{sorted(reserved)} cannot be asked for by name")
    asked = query({"by": ",".join(by) if by is not None else None, "after": after,
                     "limit": limit, "level": _level(level), **where})
    return _get(path("collections", ledger, "balances") + asked, read, level)


def _balance(said: Mapping[str, Any]) -> model.Balance:
    dimensions = {name: value for name, value in said.items()
                  if name not in ("quantity", "revision")}
    return model.Balance(dimensions, Decimal(said["quantity"]), said["revision"])


# --- several at once ---


def _result(said: Mapping[str, Any]) -> model.ActionResult:
    return model.ActionResult(said["version"], said["created"], said["changed"])


def commit(transaction: Transaction, operation: str | None) -> Call[model.Committed]:
    def read(response: Response) -> model.Committed:
        said = _object(response)
        return model.Committed(said["revision"], said["operation"],
                               tuple(map(_result, said["results"])), _replayed(response))
    return Call(Request("POST", path("transactions"), _json.dumps(transaction.body()),
                        operation=checked_operation(operation)), read)


BATCH_MAX = 1000


def batch_items(writes: Sequence[Transaction], operation: str | None) -> list[dict[str, JSON]]:
    """Each with an operation id of its own, so that any of them can be sent again."""
    base = checked_operation(operation)
    items: list[dict[str, JSON]] = []
    for place, one in enumerate(writes):
        if len(one.operations) != 1:
            raise ValueError("each item of a batch has one operation; commit() takes several")
        item = dict(one.operations[0])
        if one.conditions:
            item["conditions"] = one.conditions
        item["operation"] = checked_operation(f"{base}/{place}")
        items.append(item)
    return items


def batch(items: Sequence[Mapping[str, JSON]]) -> Call[list[model.BatchOutcome]]:
    def read(response: Response) -> list[model.BatchOutcome]:
        outcomes = _object(response)["outcomes"]
        if len(outcomes) != len(items):
            raise errors.ProtocolError("the batch has another number of outcomes than operations")
        return [_outcome(said, str(item["operation"])) for said, item in zip(outcomes, items)]
    # The items carry the ids; the request itself may be sent again and again.
    return Call(Request("POST", path("batch"), _json.dumps({"operations": items}),
                        operation=checked_operation(None)), read)


def _outcome(said: Mapping[str, Any], operation: str) -> model.BatchOutcome:
    if "problem" in said:
        return model.BatchOutcome(operation, None, errors.from_problem(
            said["status"], said["problem"], operation=operation))
    result = model.ActionResult(said.get("version", 0), said.get("created", False),
                                said.get("changed", True))
    return model.BatchOutcome(operation, model.Committed(
        said.get("revision", 0), operation, (result,)), None)


def is_settled(outcome: model.BatchOutcome) -> bool:
    return outcome.error is None or isinstance(outcome.error, errors.Refused)


# --- collections, operations ---


def declare(name: str, declaration: Mapping[str, JSON],
            operation: str | None) -> Call[model.Written]:
    return Call(Request("PUT", path("collections", name), _json.dumps(dict(declaration)),
                        operation=checked_operation(operation)), _written)


def drop(name: str, operation: str | None) -> Call[model.Written]:
    return Call(Request("DELETE", path("collections", name),
                        operation=checked_operation(operation)), _written)


def declaration(name: str, level: Level) -> Call[dict[str, JSON]]:
    return _get(path("collections", name) + query({"level": _level(level)}), _object, level)


def collections(after: str | None, level: Level) -> Call[Page[dict[str, JSON]]]:
    def read(response: Response) -> Page[dict[str, JSON]]:
        said = _object(response)
        return Page(tuple(said["collections"]), said["next"])
    return _get(path("collections") + query({"after": after, "level": _level(level)}), read,
                level)


def _state(response: Response) -> model.OperationState:
    said = _object(response)
    return model.OperationState(said["operation"], said["state"], said.get("revision", 0),
                                said.get("error"), said)


def operation(id: str) -> Call[model.OperationState]:
    return _get(path("operations", id), _state, Level.LINEARIZABLE)


def fence(id: str) -> Call[model.OperationState]:
    return Call(Request("POST", path("operations", checked_operation(id), "fence")), _state)


# --- the feed ---


@dataclass(frozen=True)
class ChangePage:
    """`next` is the revision to go on after."""

    changes: tuple[model.Change, ...]
    next: int


def _names(collection: str | Iterable[str] | None) -> str | None:
    if collection is None or isinstance(collection, str):
        return collection
    return ",".join(collection)


def changes_page(after: int | str, collection: str | Iterable[str] | None, wait: float | None,
                 limit: int | None) -> Call[ChangePage]:
    def read(response: Response) -> ChangePage:
        said = _object(response)
        return ChangePage(tuple(map(change_of, said["changes"])), said["next"])
    target = path("changes") + query({
        "after": after, "collection": _names(collection), "limit": limit,
        "wait": None if wait is None else int(wait * 1000)})
    return Call(Request("GET", target, headers={"Accept": JSON_TYPE}), read)


def changes_stream(after: int, collection: str | Iterable[str] | None) -> Request:
    target = path("changes") + query({"after": after, "collection": _names(collection)})
    return Request("GET", target, headers={"Accept": "application/x-ndjson"})


# --- cluster, tokens ---


def _cluster(response: Response) -> model.Cluster:
    said = _object(response)
    return model.Cluster(
        said["cluster"], said["node"], said["role"], said["leader"], said["term"],
        said["revision"], tuple(model.Member(one["id"], one["role"], one["peer_address"],
                                             one["api_address"], one["connected"])
                                for one in said["members"]), said)


def cluster() -> Call[model.Cluster]:
    return _get(path("cluster"), _cluster, None)


def _done(response: Response) -> str:
    return str(_object(response)["result"])


def administer(method: str, segments: Sequence[str], body: Mapping[str, JSON] | None) -> Call[str]:
    return Call(Request(method, path(*segments), None if body is None else _json.dumps(body),
                        once=True), _done)


def _token(said: Mapping[str, Any]) -> model.Token:
    granted = said.get("collections")
    return model.Token(said["id"], said["name"], said["role"],
                       None if granted is None else tuple(granted), said["expires"],
                       said.get("token"))


def tokens(after: str | None) -> Call[Page[model.Token]]:
    def read(response: Response) -> Page[model.Token]:
        said = _object(response)
        return Page(tuple(map(_token, said["tokens"])), said["next"])
    return _get(path("tokens") + query({"after": after}), read, Level.LINEARIZABLE)


def make_token(name: str, role: str, collections: Iterable[str] | None,
               expires: str | None) -> Call[model.Token]:
    body: dict[str, JSON] = {"name": name, "role": role}
    if collections is not None:
        body["collections"] = list(collections)
    if expires is not None:
        body["expires"] = expires
    # Each request makes another secret, which is told once: never sent twice.
    return Call(Request("POST", path("tokens"), _json.dumps(body), once=True),
                lambda response: _token(_object(response)))


def delete_token(id: str, operation: str | None) -> Call[model.Written]:
    return Call(Request("DELETE", path("tokens", id), operation=checked_operation(operation)),
                _written)
