"""Kept connections to the nodes, with asyncio streams; for one event loop."""
from __future__ import annotations

import asyncio
import ssl
from typing import Awaitable, Mapping, TypeVar

from . import _http1
from ._core import AttemptFailed, Request, Response

LINE_BYTES_MAX = 8 * 1024 * 1024
T = TypeVar("T")


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str):
        self.reader, self.writer, self.host = reader, writer, host

    def close(self) -> None:
        self.writer.transport.abort()


class AsyncTransport:
    """Each call has a connection to itself while it lasts."""

    IDLE_MAX = 16  # kept a node

    def __init__(self, tls: ssl.SSLContext | None, connect_timeout: float):
        self._tls, self._connect_timeout = tls, connect_timeout
        self._idle: dict[str, list[_Connection]] = {}

    async def send(self, node: str, request: Request, headers: Mapping[str, str],
                   timeout: float) -> Response:
        """The whole answer within `timeout` seconds. Raises AttemptFailed."""
        # A kept connection may be closed already; what must not be sent twice takes a new one.
        connection, kept = (await self._connect(node, timeout), False) if request.once else \
            await self._connection(node, timeout)
        try:
            async with asyncio.timeout(timeout):
                response, left = await _ask(connection, kept, request, headers, node)
                body = await _body(connection, left)
        except BaseException as error:
            connection.close()
            if isinstance(error, TimeoutError):
                raise AttemptFailed("no answer in time", sent=True) from error
            raise
        response = Response(response.status, response.headers, body, node)
        if left is None or response.headers.get("connection", "").lower() == "close":
            connection.close()
        else:
            self._keep(node, connection)
        return response

    async def open(self, node: str, request: Request, headers: Mapping[str, str],
                   timeout: float) -> AsyncStream:
        """An answer whose body is read line by line, on a connection of its own."""
        connection = await self._connect(node, timeout)
        try:
            async with asyncio.timeout(timeout):
                response, left = await _ask(connection, False, request, headers, node)
                if response.status != 200:
                    response = Response(response.status, response.headers,
                                        await _body(connection, left), node)
        except BaseException as error:
            connection.close()
            if isinstance(error, TimeoutError):
                raise AttemptFailed("no answer in time", sent=True) from error
            raise
        return AsyncStream(connection, response, left)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        kept = [connection for pool in self._idle.values() for connection in pool]
        self._idle.clear()
        for connection in kept:
            connection.close()
        await asyncio.sleep(0)  # the transports end in the next round of the loop

    async def _connection(self, node: str, timeout: float) -> tuple[_Connection, bool]:
        pool = self._idle.get(node)
        while pool:
            connection = pool.pop()
            if not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection, True
            connection.close()
        return await self._connect(node, timeout), False

    async def _connect(self, node: str, timeout: float) -> _Connection:
        host, _, port = node.rpartition(":")
        try:
            async with asyncio.timeout(min(timeout, self._connect_timeout)):
                reader, writer = await asyncio.open_connection(
                    host.strip("[]"), int(port), ssl=self._tls, limit=LINE_BYTES_MAX)
        except OSError as error:  # time-outs and TLS refusals too
            raise AttemptFailed(f"no connection: {error or type(error).__name__}",
                                sent=False) from error
        return _Connection(reader, writer, node)

    def _keep(self, node: str, connection: _Connection) -> None:
        pool = self._idle.setdefault(node, [])
        if len(pool) < self.IDLE_MAX:
            pool.append(connection)
        else:
            connection.close()


class AsyncStream:
    def __init__(self, connection: _Connection, response: Response, left: int | None):
        self._connection, self.response, self._left = connection, response, left
        self._buffer = bytearray()

    async def line(self, timeout: float) -> bytes:
        """The next whole line; b"" at the end of the stream. Raises AttemptFailed."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    end = self._buffer.find(b"\n")
                    if end >= 0:
                        line = bytes(self._buffer[:end + 1])
                        del self._buffer[:end + 1]
                        return line
                    if len(self._buffer) > LINE_BYTES_MAX:
                        raise AttemptFailed("a line of the stream has no end", sent=True)
                    part = await _whole(self._part())
                    if not part:
                        return b""
                    self._buffer += part
        except TimeoutError as error:
            raise AttemptFailed("the stream is silent", sent=True) from error

    async def _part(self) -> bytes:
        reader = self._connection.reader
        if self._left == -1:
            return await _chunk(reader)
        part = await reader.read(1 << 20 if self._left is None else self._left)
        if self._left is not None:
            self._left -= len(part)
        return part

    async def close(self) -> None:
        self._connection.close()


async def _ask(connection: _Connection, kept: bool, request: Request, headers: Mapping[str, str],
               node: str) -> tuple[Response, int | None]:
    """The head of the answer, and how much of its body is to come (see body_length)."""
    head = _http1.request_head(request.method, request.target, connection.host, headers,
                               request.body)
    try:
        connection.writer.write(head + (request.body or b""))
        await connection.writer.drain()
        while True:
            text = await connection.reader.readuntil(b"\r\n\r\n")
            if len(text) > _http1.HEAD_BYTES_MAX:
                raise _http1.Malformed("the header fields of the answer have no end")
            status, fields = _http1.response_head(text)
            if status >= 200:
                break
        return (Response(status, fields, b"", node),
                _http1.body_length(request.method, status, fields))
    except TimeoutError:
        raise
    except (OSError, EOFError, asyncio.LimitOverrunError, _http1.Malformed) as error:
        raise AttemptFailed(f"the connection broke: {error or type(error).__name__}", sent=True,
                            stale=kept and not isinstance(error, _http1.Malformed)) from error


async def _body(connection: _Connection, left: int | None) -> bytes:
    return await _whole(_read_body(connection.reader, left))


async def _read_body(reader: asyncio.StreamReader, left: int | None) -> bytes:
    if left is None:
        return await reader.read()
    if left >= 0:
        return await reader.readexactly(left)
    parts: list[bytes] = []
    while part := await _chunk(reader):
        parts.append(part)
    return b"".join(parts)


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    """b"" after the last one."""
    length = _http1.chunk_length(await reader.readuntil(b"\r\n"))
    if length > LINE_BYTES_MAX:
        raise _http1.Malformed(f"a chunk of {length} bytes")
    if length == 0:
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass
        return b""
    return (await reader.readexactly(length + 2))[:length]


async def _whole(part: Awaitable[T]) -> T:
    try:
        return await part
    except TimeoutError:
        raise
    except (OSError, EOFError, asyncio.LimitOverrunError, _http1.Malformed) as error:
        raise AttemptFailed(f"the answer broke off: {error or type(error).__name__}",
                            sent=True) from error
