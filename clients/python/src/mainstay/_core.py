"""The logic of a call without any input or output: what is sent, to which node, how often, and what
an answer means. Client and AsyncClient carry its decisions out; tests drive it by hand."""
from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from random import Random
from typing import Collection, Iterable, Mapping
from urllib.parse import quote, urlencode

from . import _json, errors
from .errors import MainstayError

OPERATION_BYTES_MAX = 128
DEADLINE_MS_MAX = 60_000
JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Policy:
    """Times in seconds."""

    timeout: float = 10.0           # of a call that names none
    connect_timeout: float = 0.5    # to a node, TLS included
    first_attempt: float = 0.8      # then the next node, under the same operation id; doubled
    pause_first: float = 0.02       # after every node failed, doubled each round, jittered
    pause_max: float = 1.0
    refresh: float = 30.0           # between two looks at who the members are; 0: never
    feed_silence: float = 12.0      # a feed says something every 5 s
    feed_patience: float = 60.0     # without any node, a feed gives up


@dataclass(frozen=True)
class Request:
    method: str
    target: str                     # path and query
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    operation: str | None = None    # of a write
    once: bool = False              # must not be sent again when it may have arrived


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]      # names in lower case
    body: bytes
    node: str


class AttemptFailed(Exception):
    """No whole answer came. `sent`: the request may have reached the node. `stale`: a kept
    connection turned out to be closed, which says nothing about the node."""

    def __init__(self, detail: str, *, sent: bool, stale: bool = False):
        super().__init__(detail)
        self.sent, self.stale = sent, stale


def path(*segments: str) -> str:
    return "/v1/" + "/".join(quote(segment, safe="") for segment in segments)


def query(parameters: Mapping[str, str | int | None]) -> str:
    """With the '?', without what is None."""
    given = {name: str(value) for name, value in parameters.items() if value is not None}
    return "?" + urlencode(given, quote_via=quote) if given else ""


def new_operation() -> str:
    return "py-" + uuid.uuid4().hex


def checked_operation(operation: str | None) -> str:
    """`operation`, or a new one. Raises ValueError for what the server would refuse."""
    if operation is None:
        return new_operation()
    if not 1 <= len(operation) <= OPERATION_BYTES_MAX or \
            not all(" " < character <= "~" for character in operation):
        raise ValueError("an operation id is 1 to 128 printable ASCII characters without spaces")
    return operation


def address_of(text: str) -> tuple[str, bool]:
    """("host:port", whether it says https)."""
    scheme, separator, rest = text.strip().rpartition("://")
    if separator and scheme not in ("http", "https"):
        raise ValueError(f"{text}: a node is host:port, http://host:port or https://host:port")
    host, colon, port = rest.rstrip("/").rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text}: a node is named as host:port")
    return f"{host}:{port}", scheme == "https"


class Session:
    """The newest state that this client has seen or made, as the servers name it."""

    def __init__(self) -> None:
        self.token: str | None = None
        self._lock = threading.Lock()

    def saw(self, token: str | None) -> None:
        if not token:
            return
        with self._lock:
            if self.token is None or _age(token) >= _age(self.token):
                self.token = token


def _age(token: str) -> int:
    return int(token[1:]) if token[:1] == "r" and token[1:].isdigit() else 0


class Nodes:
    """Which node is asked first. A node that fails goes behind the others, and comes back to the
    front only when those fail. Thread-safe; times are of any monotonic clock."""

    BEHIND_FIRST, BEHIND_MAX = 0.25, 8.0

    def __init__(self, seeds: Iterable[str], random: Random, shuffle: bool):
        self._seeds = list(dict.fromkeys(seeds))
        if not self._seeds:
            raise ValueError("name at least one node")
        if shuffle:
            random.shuffle(self._seeds)
        self._order = list(self._seeds)
        self._failures: dict[str, int] = {}
        self._behind: dict[str, float] = {}
        self._looked = float("-inf")
        self._random = random
        self._lock = threading.Lock()

    @property
    def all(self) -> list[str]:
        with self._lock:
            return list(self._order)

    def pick(self, now: float, avoid: Collection[str]) -> str:
        """The first that is neither to be avoided nor behind; else the one that is least so."""
        with self._lock:
            return min(self._order, key=lambda node: (
                node in avoid, max(self._behind.get(node, now) - now, 0.0)))

    def failed(self, node: str, now: float) -> None:
        with self._lock:
            count = self._failures[node] = self._failures.get(node, 0) + 1
            away = min(self.BEHIND_FIRST * 2 ** min(count - 1, 10), self.BEHIND_MAX)
            self._behind[node] = now + away
            if node in self._order:
                self._order.remove(node)
                self._order.append(node)

    def answered(self, node: str) -> None:
        if self._failures.get(node):
            with self._lock:
                self._failures.pop(node, None)
                self._behind.pop(node, None)

    def retire(self, node: str) -> None:
        """It still answers but is about to go: others first."""
        with self._lock:
            if node in self._order:
                self._order.remove(node)
                self._order.append(node)

    def look(self, now: float, every: float) -> bool:
        """True once every `every` seconds: time to ask who the members are."""
        with self._lock:
            if every <= 0 or now - self._looked < every:
                return False
            self._looked = now
            return True

    def learn(self, members: Iterable[str]) -> None:
        """The members' addresses; the seeds stay, in case these cannot be reached from here."""
        known = [node for node in dict.fromkeys(members) if _is_reachable(node)]
        if not known:
            return
        with self._lock:
            wanted = dict.fromkeys(known + self._seeds)
            new = [node for node in wanted if node not in self._order]
            self._random.shuffle(new)
            self._order = [node for node in self._order if node in wanted] + new


def _is_reachable(node: str) -> bool:
    host, _, port = node.rpartition(":")
    return host not in ("", "0.0.0.0", "[::]", "*") and port.isdigit() and port != "0"


@dataclass(frozen=True)
class Send:
    node: str
    timeout: float
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Pause:
    seconds: float


class Attempts:
    """One call until its deadline. The caller does what next() says and reports how it went."""

    def __init__(self, request: Request, nodes: Nodes, policy: Policy, deadline: float,
                 random: Random, least: float = 0.0):
        """`least`: an attempt may take so long in any case."""
        self._request, self._nodes, self._policy = request, nodes, policy
        self._deadline, self._random = deadline, random
        self._count = 0            # attempts so far
        self._length = policy.first_attempt + least
        self._round = 0            # how often every node has failed
        self._tried: set[str] = set()
        self._again: str | None = None
        self._pause_until = float("-inf")
        self._may_happen = False   # an attempt was sent whose end is not known
        self._last: MainstayError | None = None
        self._troubles: dict[str, str] = {}

    def next(self, now: float) -> Send | Pause:
        """Raises what the call ends with when its time is over."""
        left = self._deadline - now
        if self._count and left <= 0:
            raise self._end()
        if self._pause_until > now:
            return Pause(min(self._pause_until - now, max(left, 0.0)))
        node = self._again or self._nodes.pick(now, self._tried)
        self._again = None
        self._count += 1
        timeout = max(min(self._length, left), 0.001)
        # The node shall answer "not yet" before we hang up: then we know that it lives.
        told = timeout - min(0.1, timeout / 8)
        milliseconds = max(1, min(int(told * 1000), DEADLINE_MS_MAX))
        headers = {**self._request.headers, "Mainstay-Deadline-Ms": str(milliseconds)}
        if self._request.operation is not None:
            headers["Idempotency-Key"] = self._request.operation
        if self._request.body is not None:
            headers.setdefault("Content-Type", JSON_TYPE)
        return Send(node, timeout, headers)

    def failed(self, node: str, now: float, failure: AttemptFailed) -> None:
        if failure.sent and self._request.operation is not None:
            self._may_happen = True
        if failure.stale and not self._request.once:
            self._again = node
            return
        self._nodes.failed(node, now)
        if failure.sent and self._request.once:
            raise errors.OutcomeUnknown(
                f"{self._request.method} {self._request.target}: {node}: {failure}; it may have "
                "been carried out: look before you repeat it")
        if failure.sent:
            self._length *= 2
        self._next_node(node, now, str(failure))

    def answered(self, now: float, response: Response) -> bool:
        """True: this is the answer. False: go on with next()."""
        if response.headers.get("connection", "").lower() == "close":
            self._nodes.retire(response.node)
        error = None
        if response.status == 429 or response.status >= 500:
            error = error_of(response, self._request.operation)
        final = self._request.once or response.status in (501, 505)
        if error is None or isinstance(error, errors.Refused) or final:
            self._nodes.answered(response.node)
            return True
        self._last = error
        if isinstance(error, (errors.Busy, errors.RateLimited)):
            wait = error.retry_after if error.retry_after is not None else 1.0
            self._pause(now, self._random.uniform(0.5, 1.0) * wait)
            return False
        if isinstance(error, (errors.OutcomeUnknown, errors.DeadlineExceeded)):
            self._length *= 2
        else:
            self._nodes.failed(response.node, now)
        # What may still happen: the node lost sight of it, or is broken, or is only a proxy.
        if not isinstance(error, errors.TryAgain) or not error.problem:
            self._may_happen = self._request.operation is not None
        self._next_node(response.node, now, error.detail)
        return False

    def _next_node(self, node: str, now: float, trouble: str) -> None:
        self._troubles[node] = trouble
        self._tried.add(node)
        if self._tried.issuperset(self._nodes.all):
            self._tried.clear()
            pause = min(self._policy.pause_first * 2 ** self._round, self._policy.pause_max)
            self._round = min(self._round + 1, 16)
            self._pause(now, self._random.uniform(0.5, 1.0) * pause)

    def _pause(self, now: float, seconds: float) -> None:
        # Never beyond the deadline: the last word is an attempt, not a pause.
        self._pause_until = now + min(seconds, max((self._deadline - now) / 2, 0.005))

    def _end(self) -> MainstayError:
        operation = self._request.operation
        told = "; ".join(f"{node}: {trouble}" for node, trouble in self._troubles.items())
        what = f"{self._request.method} {self._request.target}"
        if self._may_happen:
            return errors.OutcomeUnknown(
                f"{what}: the deadline passed before the outcome was known; it may still be "
                f"carried out. Ask or fence the operation {operation}. {told}",
                operation=operation, problem=self._last.problem if self._last else None)
        if self._last is not None:
            return self._last
        return errors.Unavailable(f"{what}: no node answered within the deadline. {told}",
                                  operation=operation)


def error_of(response: Response, operation: str | None) -> MainstayError:
    """The exception for an answer with a status of 400 or more."""
    problem: object = None
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        try:
            problem = _json.loads(response.body)
        except ValueError:
            problem = None
    waiting = response.headers.get("retry-after", "")
    error = errors.from_problem(
        response.status, problem if isinstance(problem, dict) else {}, operation=operation,
        retry_after=float(waiting) if waiting.isdigit() else None)
    if isinstance(error, errors.PreconditionFailed):
        found = response.headers.get("etag", "").strip('"')
        error.found_version = int(found) if found.isdigit() else None
    return error
