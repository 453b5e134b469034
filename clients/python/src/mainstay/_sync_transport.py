"""Kept connections to the nodes, with http.client; for threads."""
from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from typing import Mapping

from ._core import AttemptFailed, Request, Response

LINE_BYTES_MAX = 8 * 1024 * 1024


class SyncTransport:
    """Any number of threads; each call has a connection to itself while it lasts."""

    IDLE_MAX = 16  # kept a node

    def __init__(self, tls: ssl.SSLContext | None, connect_timeout: float):
        self._tls, self._connect_timeout = tls, connect_timeout
        self._idle: dict[str, list[http.client.HTTPConnection]] = {}
        self._lock = threading.Lock()

    def send(self, node: str, request: Request, headers: Mapping[str, str],
             timeout: float) -> Response:
        """The whole answer within `timeout` seconds. Raises AttemptFailed."""
        until = time.monotonic() + timeout
        # A kept connection may be closed already; what must not be sent twice takes a new one.
        connection, kept = (self._connect(node, timeout), False) if request.once else \
            self._connection(node, timeout)
        try:
            answer = _ask(connection, kept, request, headers, until)
            body = _body(connection, answer, until)
        except BaseException:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            self._keep(node, connection)
        return Response(answer.status, _names(answer), body, node)

    def open(self, node: str, request: Request, headers: Mapping[str, str],
             timeout: float) -> SyncStream:
        """An answer whose body is read line by line, on a connection of its own."""
        connection = self._connect(node, timeout)
        until = time.monotonic() + timeout
        try:
            answer = _ask(connection, False, request, headers, until)
            body = b"" if answer.status == 200 else _body(connection, answer, until)
        except BaseException:
            connection.close()
            raise
        return SyncStream(connection, answer,
                          Response(answer.status, _names(answer), body, node))

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def close(self) -> None:
        with self._lock:
            kept = [connection for pool in self._idle.values() for connection in pool]
            self._idle.clear()
        for connection in kept:
            connection.close()

    def _connection(self, node: str, timeout: float) -> tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            pool = self._idle.get(node)
            if pool:
                return pool.pop(), True
        return self._connect(node, timeout), False

    def _connect(self, node: str, timeout: float) -> http.client.HTTPConnection:
        host, _, port = node.rpartition(":")
        within = min(timeout, self._connect_timeout)
        connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=within) \
            if self._tls is None else \
            http.client.HTTPSConnection(host.strip("[]"), int(port), timeout=within,
                                        context=self._tls)
        try:
            connection.connect()
        except OSError as error:  # TLS refusals too
            connection.close()
            raise AttemptFailed(f"no connection: {error or type(error).__name__}",
                                sent=False) from error
        return connection

    def _keep(self, node: str, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            pool = self._idle.setdefault(node, [])
            if len(pool) < self.IDLE_MAX:
                pool.append(connection)
                return
        connection.close()


class SyncStream:
    def __init__(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse,
                 response: Response):
        self._connection, self._answer, self.response = connection, answer, response

    def line(self, timeout: float) -> bytes:
        """The next whole line; b"" at the end of the stream. Raises AttemptFailed."""
        try:
            _allow(self._connection, time.monotonic() + timeout)
            line = self._answer.readline(LINE_BYTES_MAX)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise AttemptFailed(f"the stream broke: {error or type(error).__name__}",
                                sent=True) from error
        return line if line.endswith(b"\n") else b""

    def close(self) -> None:
        self._answer.close()
        self._connection.close()


def _ask(connection: http.client.HTTPConnection, kept: bool, request: Request,
         headers: Mapping[str, str], until: float) -> http.client.HTTPResponse:
    try:
        _allow(connection, until)
        connection.request(request.method, request.target, request.body, dict(headers))
        return connection.getresponse()
    except TimeoutError as error:
        raise AttemptFailed("no answer in time", sent=True) from error
    except (OSError, http.client.HTTPException) as error:
        raise AttemptFailed(f"the connection broke: {error or type(error).__name__}", sent=True,
                            stale=kept) from error


def _body(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse,
          until: float) -> bytes:
    parts: list[bytes] = []
    try:
        while True:
            _allow(connection, until)
            part = answer.read1(1 << 20)
            if not part:
                break
            parts.append(part)
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)
        answer.close()  # lets the connection take the next request
    except TimeoutError as error:
        raise AttemptFailed("the answer did not end in time", sent=True) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise AttemptFailed(f"the answer broke off: {error or type(error).__name__}",
                            sent=True) from error
    return b"".join(parts)


def _allow(connection: http.client.HTTPConnection, until: float) -> None:
    """Lets the next step of the socket take until then."""
    sock: socket.socket | None = connection.sock
    if sock is None:
        return  # the answer says Connection: close, and http.client has let go of the socket
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)


def _names(answer: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.getheaders()}
