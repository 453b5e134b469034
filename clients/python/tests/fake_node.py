"""A node that answers as a test scripts it, on a port of its own, and clients of both kinds to try."""
import asyncio
import inspect
import json
import socket
import struct
import threading
from dataclasses import dataclass


@dataclass
class Asked:
    method: str
    target: str
    headers: dict  # names in lower case
    body: bytes


def answer(status, body=b"", headers=None, kind="application/json"):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    fields = {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode() + b"\r\n" + body


def problem(status, kind, headers=None, **members):
    return answer(status, {"type": f"/errors/{kind}", "title": kind, "status": status, "detail": f"so {kind}", **members},
                  headers, "application/problem+json")


def written(version=1, revision=1, created=True, operation="op", **headers):
    return answer(201 if created else 200,
                  {"version": version, "revision": revision, "created": created, "operation": operation},
                  {"ETag": f'"{version}"', "Mainstay-Session": f"r{revision}", **headers})


def chunks(*parts, end=True, kind="application/x-ndjson"):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + (b"0\r\n\r\n" if end else b"")


RESET = object()  # the connection is reset without an answer
CLOSE = object()  # it is closed without an answer
HANG = object()   # nothing comes, the connection stays


class Broken:
    """These bytes, then a reset."""

    def __init__(self, data):
        self.data = data


class FakeNode:
    """Calls `script(asked)` for each request; it returns the bytes to send, or one of the above. `asked` keeps all requests."""

    def __init__(self, script):
        self.script, self.asked, self.connections = script, [], 0
        self._open, self._lock, self._ending = set(), threading.Lock(), threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def stop(self):
        """Nothing listens there afterwards, and every connection is reset. May be repeated."""
        if self._ending.is_set():
            return
        self._ending.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            _reset(connection)
        for thread in self._threads:
            thread.join(10)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with self._lock:
                self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        try:
            reader = connection.makefile("rb")
            while (asked := _read(reader)) is not None:
                self.asked.append(asked)
                what = self.script(asked)
                if what is RESET:
                    _reset(connection)
                    return
                if what is CLOSE:
                    return
                if what is HANG:
                    self._ending.wait(30)
                    return
                connection.sendall(what.data if isinstance(what, Broken) else what)
                if isinstance(what, Broken):
                    # Let the bytes arrive first: a reset throws away what was not read yet.
                    connection.shutdown(socket.SHUT_WR)
                    return
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()


def _read(reader):
    line = reader.readline().decode()
    if not line:
        return None
    method, target, _ = line.split(" ")
    headers = {}
    while (line := reader.readline().decode().strip()):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(method, target, headers, reader.read(int(headers.get("content-length", 0))))


def _reset(connection):
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        pass
    connection.close()


class Blocking:
    """An asynchronous client, or a handle of it, to be used as the other one."""

    def __init__(self, inner, loop=None):
        self._inner, self._loop = inner, loop or asyncio.new_event_loop()

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if not callable(found):
            return found
        return lambda *args, **named: self._take(found(*args, **named))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._loop.run_until_complete(self._inner.close())
        self._loop.close()

    def _take(self, value):
        if inspect.isawaitable(value):
            return self._loop.run_until_complete(value)
        if inspect.isasyncgen(value):
            return self._iterate(value)
        return Blocking(value, self._loop) if type(value).__name__.startswith("Async") else value

    def _iterate(self, generator):
        try:
            while True:
                try:
                    yield self._loop.run_until_complete(anext(generator))
                except StopAsyncIteration:
                    return
        finally:
            self._loop.run_until_complete(generator.aclose())
