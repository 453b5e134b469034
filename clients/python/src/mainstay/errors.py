"""Everything a call can raise, as one tree. The classes follow the table of errors of the server
(docs/errors.md): a problem of the type /errors/conflict is raised as Conflict, and so on.

    MainstayError
    ├── Refused            definite: it was not done, and the same again will be refused again
    ├── TryAgain           not done for now; the client has tried again until the deadline
    ├── ServerFault        a node is broken; it was not done as far as the cluster knows
    ├── OutcomeUnknown     it may or may not have been done: ask operation(), or fence() it
    └── ProtocolError      the other side does not speak the Mainstay API
"""
from __future__ import annotations

from typing import Any, Mapping


class MainstayError(Exception):
    """`kind` is the name in docs/errors.md, `status` the HTTP status (0: there was no answer),
    `operation` the operation id of a write, `problem` the whole problem document."""

    kind = ""
    status = 0

    def __init__(self, detail: str, *, status: int | None = None, operation: str | None = None,
                 problem: Mapping[str, Any] | None = None, retry_after: float | None = None):
        super().__init__(detail)
        self.detail = detail
        self.problem: Mapping[str, Any] = problem if problem is not None else {}
        self.operation = operation
        self.retry_after = retry_after
        if status is not None:
            self.status = status

    @property
    def pointer(self) -> str | None:
        """Which part of a transaction was refused: "/conditions/0", "/operations/2"."""
        found = self.problem.get("pointer")
        return found if isinstance(found, str) else None


class Refused(MainstayError):
    """It was not done, and will not be unless something changes."""


class TryAgain(MainstayError):
    """It was not done, and may be later."""


class ServerFault(MainstayError):
    """The node that answered is broken, or what answered is not a node."""


class ProtocolError(ServerFault):
    """An answer that is not of the Mainstay API."""


class InvalidArgument(Refused):
    kind = "invalid_argument"


class Unauthorized(Refused):
    kind = "unauthorized"


class Forbidden(Refused):
    kind = "forbidden"


class NotFound(Refused):
    kind = "not_found"


class MethodNotAllowed(Refused):
    kind = "method_not_allowed"


class AlreadyExists(Refused):
    kind = "already_exists"


class Conflict(Refused):
    kind = "conflict"


class PreconditionFailed(Refused):
    """`found_version` is the version that the record had instead, where the server told it."""

    kind = "precondition_failed"
    found_version: int | None = None


class TooLarge(Refused):
    kind = "too_large"


class Unsupported(Refused):
    kind = "unsupported"


class OperationReused(Refused):
    kind = "operation_reused"


class OperationFenced(Refused):
    kind = "operation_fenced"


class OperationExpired(Refused):
    kind = "operation_expired"


class Compacted(Refused):
    """The change feed no longer holds what was asked for. Read the collection as it is now, then go
    on with the feed after `snapshot_revision`; Client.follow does both."""

    kind = "compacted"

    @property
    def floor(self) -> int:
        """Commits up to this revision have left the feed."""
        found = self.problem.get("floor")
        return found if isinstance(found, int) else 0

    @property
    def snapshot_revision(self) -> int:
        snapshot = self.problem.get("snapshot")
        found = snapshot.get("revision") if isinstance(snapshot, Mapping) else None
        return found if isinstance(found, int) else self.floor


class StorageFull(Refused):
    kind = "storage_full"


class RateLimited(TryAgain):
    kind = "rate_limited"


class Busy(TryAgain):
    kind = "busy"


class NotReady(TryAgain):
    kind = "not_ready"


class NotLeader(TryAgain):
    kind = "not_leader"


class Unavailable(TryAgain):
    """No node answered within the deadline, and nothing was sent that could still happen."""

    kind = "unavailable"


class DeadlineExceeded(TryAgain):
    kind = "deadline_exceeded"


class OutcomeUnknown(MainstayError):
    """The deadline passed while a write was under way. `operation` is its id: Client.operation()
    asks what became of it, Client.fence() makes sure that it never happens if it has not, and the
    same call with `operation=` given goes on where this one ended."""

    kind = "outcome_unknown"


class Corrupt(ServerFault):
    kind = "corrupt"


class WrongCluster(ServerFault):
    kind = "wrong_cluster"


class WrongVersion(ServerFault):
    kind = "wrong_version"


class IoError(ServerFault):
    kind = "io_error"


class Internal(ServerFault):
    kind = "internal"


_ALL: tuple[type[MainstayError], ...] = (
    InvalidArgument, Unauthorized, Forbidden, NotFound, MethodNotAllowed, AlreadyExists, Conflict,
    PreconditionFailed, TooLarge, Unsupported, OperationReused, OperationFenced, OperationExpired,
    Compacted, StorageFull, RateLimited, Busy, NotReady, NotLeader, Unavailable, DeadlineExceeded,
    OutcomeUnknown, Corrupt, WrongCluster, WrongVersion, IoError, Internal)

BY_KIND: Mapping[str, type[MainstayError]] = {error.kind: error for error in _ALL}


def from_problem(status: int, problem: Mapping[str, Any], *, operation: str | None = None,
                 retry_after: float | None = None) -> MainstayError:
    """The exception that stands for a problem document. A type that this release does not know is
    raised by its status: Refused below 500, ServerFault from there on."""
    kind = str(problem.get("type", "")).rpartition("/")[2]
    known = BY_KIND.get(kind)
    if known is None:
        known = TryAgain if status in (429, 502, 503, 504) else \
            ServerFault if status >= 500 else Refused
    title = str(problem.get("title", f"HTTP status {status}"))
    detail = problem.get("detail")
    text = f"{title}: {detail}" if detail else title
    named = problem.get("operation")
    error = known(text, status=status, problem=problem, retry_after=retry_after,
                  operation=named if isinstance(named, str) else operation)
    if not error.kind:
        error.kind = kind
    return error

__all__ = ["MainstayError", "Refused", "TryAgain", "ServerFault", "ProtocolError",
           *sorted(error.__name__ for error in _ALL)]
