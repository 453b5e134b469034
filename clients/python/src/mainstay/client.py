"""The client for threads. Made from aio.py by make_sync.py: change that one."""
from __future__ import annotations

import os
import random
import ssl
import time
from decimal import Decimal
from typing import Iterator, Iterable, Mapping, Sequence, TypeVar

from . import _calls, _feed, errors
from ._sync_transport import SyncStream, SyncTransport
from ._calls import UNSET, ChangePage, Page
from ._core import (AttemptFailed, Attempts, Nodes, Pause, Policy, Request, Response, Session,
                    address_of, error_of)
from .model import (JSON, Balance, BatchOutcome, Change, Cluster, Committed, Entry, Level,
                    OperationState, Posting, Quantity, Record, Reset, Token, Transaction, Version,
                    Written, decimal_text)

T = TypeVar("T")
Where = Mapping[str, str]


class Client:
    """Talks to a cluster through any of its nodes. A call is repeated, at other nodes too, under
    the same operation id until its time-out (seconds), so a failover shows as delay. Use it from
    any number of threads."""

    def __init__(self, nodes: str | Iterable[str] | None = None, *, token: str | None = None,
                 ca: str | None = None, tls: ssl.SSLContext | None = None,
                 timeout: float | None = None, level: Level | str = Level.LINEARIZABLE,
                 discover: bool = True, shuffle: bool = True, policy: Policy = Policy()):
        """`nodes`: "host:port" or "https://host:port"; without it $MAINSTAY_ENDPOINTS, separated by
        commas. `token`: an API token; without it $MAINSTAY_TOKEN. `ca`: a PEM file with the
        authority that the nodes' certificates are from, or `tls`: a context of your own. `level`:
        of reads that name none. `discover`: ask the cluster for its members. `shuffle`: begin at
        a random node, so that many clients spread over all."""
        named = nodes.split(",") if isinstance(nodes, str) else nodes
        if named is None:
            named = os.environ.get("MAINSTAY_ENDPOINTS", "127.0.0.1:7400").split(",")
        addresses = [address_of(node) for node in named]
        if tls is None and (ca is not None or any(secure for _, secure in addresses)):
            tls = ssl.create_default_context(cafile=ca)
        self._policy = policy
        self._timeout = policy.timeout if timeout is None else timeout
        self._level = Level(level)
        self._discover = discover
        self._token = token if token is not None else os.environ.get("MAINSTAY_TOKEN")
        self._random = random.Random()
        self._nodes = Nodes((address for address, _ in addresses), self._random, shuffle)
        self._session = Session()
        self._transport = SyncTransport(tls, policy.connect_timeout)

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- handles ---

    def collection(self, name: str) -> Collection:
        return Collection(self, name)

    def ledger(self, name: str) -> Ledger:
        return Ledger(self, name)

    @property
    def nodes(self) -> list[str]:
        """Known nodes, the one that is asked first in front."""
        return self._nodes.all

    @property
    def session(self) -> str | None:
        """What this client has seen, for reads with Level.SESSION. Give it to another client with
        join_session() and that one reads at least as new."""
        return self._session.token

    def join_session(self, session: str | None) -> None:
        self._session.saw(session)

    # --- several writes at once ---

    def commit(self, transaction: Transaction, *, operation: str | None = None,
                     timeout: float | None = None) -> Committed:
        """All or nothing. Raises Refused with `pointer` naming the part that was refused."""
        return self._run(_calls.commit(transaction, operation), timeout)

    def batch(self, writes: Sequence[Transaction], *, operation: str | None = None,
                    timeout: float | None = None) -> list[BatchOutcome]:
        """Independent writes, each a transaction with one operation; their outcomes in this order.
        What could not be done for now is sent again until the deadline."""
        items = _calls.batch_items(writes, operation)
        until = time.monotonic() + (self._timeout if timeout is None else timeout)
        outcomes: dict[int, BatchOutcome] = {}
        pending = list(range(len(items)))
        while pending:
            left: list[int] = []
            for start in range(0, len(pending), _calls.BATCH_MAX):
                places = pending[start:start + _calls.BATCH_MAX]
                call = _calls.batch([items[place] for place in places])
                answer = self._run(call, max(until - time.monotonic(), 0.001))
                outcomes.update(zip(places, answer))
                left += [place for place in places if not _calls.is_settled(outcomes[place])]
            if left and time.monotonic() >= until:
                break
            pending = left
            if pending:
                self._transport.sleep(self._random.uniform(0.02, 0.1))
        return [outcomes[place] for place in range(len(items))]

    # --- outcomes ---

    def operation(self, operation: str, *,
                        timeout: float | None = None) -> OperationState | None:
        """What became of a write; None: it has not been carried out so far, or longer ago than
        48 hours. Only fence() makes None final."""
        try:
            found: OperationState = self._run(_calls.operation(operation), timeout)
        except errors.NotFound:
            return None
        return found

    def fence(self, operation: str, *, timeout: float | None = None) -> OperationState:
        """Makes the outcome of a write final: afterwards it is "committed" or "refused", or "fenced"
        and will never happen. May be repeated."""
        return self._run(_calls.fence(operation), timeout)

    # --- the change feed ---

    def changes(self, after: int = 0, collection: str | Iterable[str] | None = None, *,
                      until: int | None = None) -> Iterator[Change]:
        """Every change behind revision `after`, once and in order, through the loss of nodes;
        without end, or up to the revision `until`. Keep Change.resume of what you have dealt with:
        it is `after` of the next time. Raises Compacted when the feed no longer goes back so far.
        """
        place = _feed.FeedPlace(after, until)
        while not place.done:
            stream = self._open_feed(place, collection)
            reached = place.after
            try:
                while not place.done:
                    line = stream.line(self._policy.feed_silence)
                    if not line:
                        self._nodes.retire(stream.response.node)
                        break
                    change = place.take(line)
                    if change is not None:
                        yield change
            except AttemptFailed:
                self._nodes.failed(stream.response.node, time.monotonic())
            except errors.TryAgain:
                self._nodes.retire(stream.response.node)
            finally:
                stream.close()
            if place.after == reached and not place.done:
                self._transport.sleep(self._random.uniform(0.05, 0.2))

    def changes_page(self, after: int | str = 0,
                           collection: str | Iterable[str] | None = None, *,
                           wait: float | None = None, limit: int | None = None,
                           timeout: float | None = None) -> ChangePage:
        """One page of the feed; waits up to `wait` seconds for the first change. `after` "now": only
        what is new."""
        if wait is not None and timeout is None:
            timeout = wait + self._timeout
        return self._run(_calls.changes_page(after, collection, wait, limit), timeout,
                               least=wait or 0.0)

    def follow(self, collection: str, after: int = 0, *,
                     until: int | None = None) -> Iterator[Change | Reset]:
        """As changes() of one collection of documents, but where the feed no longer goes back so
        far it gives a Reset, then every record as it is now (changes with `snapshot` set), then the
        feed again."""
        hand_over = _feed.HandOver()
        while True:
            try:
                for change in self.changes(after, collection, until=until):
                    if hand_over.is_new(change):
                        yield change
                    after = change.resume
                return
            except errors.Compacted as compacted:
                after = compacted.snapshot_revision
            yield Reset(after)
            hand_over = _feed.HandOver()
            # Read linearizably, each page is at or behind the revision of the hand-over.
            for record in self.collection(collection).list(level=Level.LINEARIZABLE):
                yield hand_over.record(record)

    # --- collections, cluster, tokens ---

    def collections(self) -> Iterator[dict[str, JSON]]:
        """The declared collections that the token may read, with their declarations and sizes."""
        after: str | None = None
        while True:
            page = self._run(_calls.collections(after, self._level), None)
            for item in page.items:
                yield item
            if page.next is None:
                return
            after = page.next

    def cluster(self, *, timeout: float | None = None) -> Cluster:
        """The cluster as the asked node sees it."""
        found = self._run(_calls.cluster(), timeout)
        if self._discover:
            self._nodes.learn(member.api_address for member in found.members)
        return found

    def add_member(self, node: int, peer_address: str, api_address: str, *,
                         timeout: float | None = None) -> str:
        return self._administer("POST", ("cluster", "members"), {
            "id": node, "peer_address": peer_address, "api_address": api_address}, timeout)

    def remove_member(self, node: int, *, timeout: float | None = None) -> str:
        return self._administer("DELETE", ("cluster", "members", str(node)), None, timeout)

    def promote_member(self, node: int, *, timeout: float | None = None) -> str:
        return self._administer("POST", ("cluster", "members", str(node), "promote"), None,
                                      timeout)

    def transfer(self, to: int | None = None, *, timeout: float | None = None) -> str:
        """Hands leadership over; without `to` to the most caught-up voter."""
        return self._administer("POST", ("cluster", "transfer"),
                                      {} if to is None else {"to": to}, timeout)

    def drain(self, node: int, *, timeout: float | None = None) -> str:
        """Takes a node out of service. It is asked at its own address, because a node drains only
        itself."""
        members = (self.cluster(timeout=timeout)).members
        address = next((one.api_address for one in members if one.id == node), None)
        if address is None:
            raise errors.NotFound(f"node {node} is not a member")
        call = _calls.administer("POST", ("nodes", str(node), "drain"), None)
        return self._run(call, timeout, nodes=Nodes([address], self._random, shuffle=False))

    def tokens(self) -> Iterator[Token]:
        after: str | None = None
        while True:
            page = self._run(_calls.tokens(after), None)
            for item in page.items:
                yield item
            if page.next is None:
                return
            after = page.next

    def make_token(self, name: str, role: str, *,
                         collections: Iterable[str] | None = None, expires: str | None = None,
                         timeout: float | None = None) -> Token:
        """`secret` of the answer is the token, told this once. `expires`: an RFC 3339 time."""
        return self._run(_calls.make_token(name, role, collections, expires), timeout)

    def delete_token(self, token: str, *, operation: str | None = None,
                           timeout: float | None = None) -> Written:
        """Takes it back, by its id."""
        return self._run(_calls.delete_token(token, operation), timeout)

    # --- how a call runs ---

    def _administer(self, method: str, segments: Sequence[str],
                          body: Mapping[str, JSON] | None, timeout: float | None) -> str:
        return self._run(_calls.administer(method, segments, body), timeout)

    def _run(self, call: _calls.Call[T], timeout: float | None, *,
                   least: float = 0.0, nodes: Nodes | None = None) -> T:
        """`least`: the first attempt may take so long in any case. `nodes`: these and no others."""
        seconds = self._timeout if timeout is None else timeout
        headers = self._headers(call.request, call.level)
        response = self._attempt(call.request, headers, seconds, least,
                                       self._nodes if nodes is None else nodes)
        if response.status >= 400:
            raise error_of(response, call.request.operation)
        self._session.saw(response.headers.get("mainstay-session"))
        try:
            result = call.read(response)
        except (KeyError, TypeError, ValueError) as error:
            raise errors.ProtocolError(f"the answer to {call.request.method} "
                                       f"{call.request.target} lacks {error}") from error
        if self._discover and self._nodes.look(time.monotonic(), self._policy.refresh):
            self._look(response.node)
        return result

    def _headers(self, request: Request, level: Level | None) -> dict[str, str]:
        headers = {"User-Agent": "mainstay-python/0.5.0"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if level is Level.SESSION and self._session.token:
            headers["Mainstay-Session"] = self._session.token
        return headers

    def _attempt(self, request: Request, headers: Mapping[str, str], seconds: float,
                       least: float, nodes: Nodes) -> Response:
        attempts = Attempts(request, nodes, self._policy, time.monotonic() + seconds,
                            self._random, least)
        while True:
            step = attempts.next(time.monotonic())
            if isinstance(step, Pause):
                self._transport.sleep(step.seconds)
                continue
            try:
                response = self._transport.send(step.node, request,
                                                      {**headers, **step.headers}, step.timeout)
            except AttemptFailed as failure:
                attempts.failed(step.node, time.monotonic(), failure)
                continue
            if attempts.answered(time.monotonic(), response):
                return response

    def _look(self, node: str) -> None:
        """Learns who the members are from a node that has just answered. May fail; then later."""
        call = _calls.cluster()
        try:
            response = self._transport.send(
                node, call.request, self._headers(call.request, None), self._policy.first_attempt)
            if response.status == 200:
                found = call.read(response)
                self._nodes.learn(member.api_address for member in found.members)
        except (AttemptFailed, errors.MainstayError, KeyError, TypeError, ValueError):
            pass

    def _open_feed(self, place: _feed.FeedPlace,
                         collection: str | Iterable[str] | None) -> SyncStream:
        request = _calls.changes_stream(place.after, collection)
        headers = self._headers(request, None)
        attempts = Attempts(request, self._nodes, self._policy,
                            time.monotonic() + self._policy.feed_patience, self._random)
        while True:
            step = attempts.next(time.monotonic())
            if isinstance(step, Pause):
                self._transport.sleep(step.seconds)
                continue
            try:
                stream = self._transport.open(step.node, request,
                                                    {**headers, **step.headers}, step.timeout)
            except AttemptFailed as failure:
                attempts.failed(step.node, time.monotonic(), failure)
                continue
            if attempts.answered(time.monotonic(), stream.response):
                if stream.response.status == 200:
                    return stream
                stream.close()
                raise error_of(stream.response, None)
            stream.close()


class Collection:
    """Documents of one collection: `client.collection("orders")`."""

    def __init__(self, client: Client, name: str):
        self.client, self.name = client, name

    def declare(self, *, schema: JSON = None, indexes: Mapping[str, str] | None = None,
                      description: str | None = None, operation: str | None = None,
                      timeout: float | None = None, **more: JSON) -> Written:
        """Makes the collection, or changes how it is declared; the same again changes nothing.
        `indexes`: name -> JSON pointer. `more`: other members of a declaration, as the API has them
        (limits, retention, conflict)."""
        declaration: dict[str, JSON] = {"kind": "document", **more}
        if schema is not None:
            declaration["schema"] = schema
        if indexes is not None:
            declaration["indexes"] = [{"name": name, "pointer": pointer}
                                      for name, pointer in indexes.items()]
        if description is not None:
            declaration["description"] = description
        return self.client._run(_calls.declare(self.name, declaration, operation), timeout)

    def declaration(self, *, timeout: float | None = None) -> dict[str, JSON]:
        """The declaration, the size and the indexes, as the API has them."""
        return self.client._run(_calls.declaration(self.name, self.client._level), timeout)

    def drop(self, *, operation: str | None = None,
                   timeout: float | None = None) -> Written:
        """Removes the collection, which must be empty."""
        return self.client._run(_calls.drop(self.name, operation), timeout)

    def put(self, key: str, value: JSON, *, version: int | None = None,
                  exists: bool | None = None, operation: str | None = None,
                  timeout: float | None = None) -> Written:
        """Writes the whole document. `version`: only over this one; `exists`: only where there is
        one (True) or none (False). Else raises PreconditionFailed."""
        return self._write("PUT", key, value, version, exists, operation, timeout)

    def patch(self, key: str, patch: JSON, *, version: int | None = None,
                    operation: str | None = None, timeout: float | None = None) -> Written:
        """Changes parts of a document that exists (RFC 7396: None removes a member)."""
        return self._write("PATCH", key, patch, version, None, operation, timeout)

    def delete(self, key: str, *, version: int | None = None,
                     operation: str | None = None, timeout: float | None = None) -> Written:
        return self._write("DELETE", key, None, version, None, operation, timeout)

    def get(self, key: str, *, revision: int | None = None,
                  level: Level | str | None = None, timeout: float | None = None) -> Record:
        """The document now, or as it was at `revision`. Raises NotFound."""
        call = _calls.get(self.name, key, revision=revision, level=self._level(level))
        return self.client._run(call, timeout)

    def find(self, key: str, *, revision: int | None = None,
                   level: Level | str | None = None,
                   timeout: float | None = None) -> Record | None:
        """As get(); None when there is none. A collection that is not declared looks the same."""
        try:
            return self.get(key, revision=revision, level=level, timeout=timeout)
        except errors.NotFound:
            return None

    def page(self, *, prefix: str = "", index: str | None = None, value: JSON = UNSET,
                   low: JSON = UNSET, high: JSON = UNSET, after: str | None = None,
                   limit: int | None = None, level: Level | str | None = None,
                   timeout: float | None = None) -> Page[Record]:
        """One page, a view of one moment. With `index`: records whose indexed value is `value`, or
        lies between `low` and `high`, both included."""
        call = _calls.records(self.name, prefix=prefix, index=index, value=value, low=low,
                              high=high, after=after, limit=limit, level=self._level(level))
        return self.client._run(call, timeout)

    def list(self, *, prefix: str = "", index: str | None = None, value: JSON = UNSET,
                   low: JSON = UNSET, high: JSON = UNSET,
                   level: Level | str | None = None) -> Iterator[Record]:
        """Every record, page by page; each page is a view of its own moment."""
        after: str | None = None
        while True:
            page = self.page(prefix=prefix, index=index, value=value, low=low, high=high,
                                   after=after, limit=1000, level=level)
            for item in page.items:
                yield item
            if page.next is None:
                return
            after = page.next

    def history(self, key: str, *, limit: int | None = None,
                      level: Level | str | None = None) -> Iterator[Version]:
        """The versions that are still held, newest first; at most `limit`."""
        before: int | None = None
        while limit is None or limit > 0:
            size = 1000 if limit is None else min(limit, 1000)
            page = self.client._run(_calls.history(
                self.name, key, before=before, limit=size, level=self._level(level)), None)
            for item in page.items:
                yield item
            if page.next is None:
                return
            before = int(page.next)
            limit = None if limit is None else limit - len(page.items)

    def changes(self, after: int = 0, *, until: int | None = None) -> Iterator[Change]:
        """Client.changes of this collection."""
        for change in self.client.changes(after, self.name, until=until):
            yield change

    def _write(self, method: str, key: str, value: JSON, version: int | None,
                     exists: bool | None, operation: str | None,
                     timeout: float | None) -> Written:
        call = _calls.write(method, self.name, key, value, operation=operation, version=version,
                            exists=exists)
        return self.client._run(call, timeout)

    def _level(self, level: Level | str | None) -> Level:
        return self.client._level if level is None else Level(level)


class Ledger:
    """Entries and balances of one ledger: `client.ledger("stock")`."""

    def __init__(self, client: Client, name: str):
        self.client, self.name = client, name

    def declare(self, dimensions: Sequence[str], *, scale: int = 0,
                      never_below: Quantity | None = None, unguarded: Iterable[Where] = (),
                      operation: str | None = None, timeout: float | None = None,
                      **more: JSON) -> Written:
        """`never_below`: no entry may bring a balance below this, but for those with all the values
        of one of `unguarded`."""
        ledger: dict[str, JSON] = {"dimensions": list(dimensions), "scale": scale}
        if never_below is not None:
            ledger["never_below"] = decimal_text(never_below)
        excepted = [dict(one) for one in unguarded]
        if excepted:
            ledger["except"] = excepted
        declaration: dict[str, JSON] = {"kind": "ledger", "ledger": ledger, **more}
        return self.client._run(_calls.declare(self.name, declaration, operation), timeout)

    def post(self, entry: Entry, *entries: Entry, operation: str | None = None,
                   timeout: float | None = None) -> Posting:
        """One entry, or several all or nothing. The same entry again changes nothing; the same id
        with other content raises Conflict, as does a guarded balance that would fall too low."""
        return self.client._run(_calls.post(self.name, (entry, *entries), operation),
                                      timeout)

    def page(self, *, prefix: str = "", after: str | None = None, limit: int | None = None,
                   level: Level | str | None = None,
                   timeout: float | None = None) -> Page[Entry]:
        """One page of the entries, by id."""
        call = _calls.entries(self.name, prefix=prefix, after=after, limit=limit,
                              level=self._level(level))
        return self.client._run(call, timeout)

    def entries(self, *, prefix: str = "",
                      level: Level | str | None = None) -> Iterator[Entry]:
        """Every entry, by id, page by page."""
        after: str | None = None
        while True:
            page = self.page(prefix=prefix, after=after, limit=1000, level=level)
            for item in page.items:
                yield item
            if page.next is None:
                return
            after = page.next

    def find(self, id: str, *, level: Level | str | None = None,
                   timeout: float | None = None) -> Entry | None:
        """The entry with this id, or None."""
        page = self.page(prefix=id, limit=1, level=level, timeout=timeout)
        return page.items[0] if page.items and page.items[0].id == id else None

    def balance(self, where: Where, *, level: Level | str | None = None) -> Decimal:
        """The sum of all balances with these values."""
        total = Decimal(0)
        for one in self.balances(where, level=level):
            total += one.quantity
        return total

    def balances(self, where: Where = {}, *, by: Iterable[str] | None = None,
                       level: Level | str | None = None) -> Iterator[Balance]:
        """Balances with these values, one by one, or summed over all dimensions but `by`. A balance
        of zero is not among them."""
        kept = None if by is None else tuple(by)
        after: str | None = None
        while True:
            page = self.client._run(_calls.balances(
                self.name, where, by=kept, after=after, limit=1000,
                level=self._level(level)), None)
            for item in page.items:
                yield item
            if page.next is None:
                return
            after = page.next

    def _level(self, level: Level | str | None) -> Level:
        return self.client._level if level is None else Level(level)
