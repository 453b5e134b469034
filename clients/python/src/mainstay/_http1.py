"""HTTP/1.1 as far as a client of Mainstay needs it, without any input or output."""
from __future__ import annotations

from typing import Mapping

HEAD_BYTES_MAX = 64 * 1024


class Malformed(Exception):
    """The other side does not speak HTTP/1.1."""


def request_head(method: str, target: str, host: str, headers: Mapping[str, str],
                 body: bytes | None) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    for name, value in headers.items():
        if "\r" in value or "\n" in value or "\0" in value:
            raise ValueError(f"the value of {name} holds a line break")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def response_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and header fields, names in lower case, repeated ones joined. Raises Malformed."""
    lines = head.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not status.isdigit() or len(status) != 3:
        raise Malformed(f"the answer starts with {lines[0][:80]!r}")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Malformed(f"a header field is {line[:80]!r}")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if version == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return int(status), headers


def body_length(method: str, status: int, headers: Mapping[str, str]) -> int | None:
    """Bytes of the body; -1: chunked; None: up to the end of the connection. Raises Malformed."""
    if method == "HEAD" or status in (204, 304) or status < 200:
        return 0
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return -1
    length = headers.get("content-length")
    if length is None:
        return None
    if not length.isdigit():
        raise Malformed(f"Content-Length is {length[:40]!r}")
    return int(length)


def chunk_length(line: bytes) -> int:
    """Of a chunk's first line. Raises Malformed."""
    digits = line.split(b";", 1)[0].strip()
    try:
        if not digits or digits[:1] in b"+-_":
            raise ValueError
        return int(digits, 16)
    except ValueError as error:
        raise Malformed(f"a chunk starts with {line[:40]!r}") from error
