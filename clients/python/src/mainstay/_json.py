"""JSON with exact numbers: what has a fraction or an exponent comes as decimal.Decimal and goes as
the same digits. No number passes through a double on its way in or out."""
from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from .errors import ProtocolError


def loads(text: bytes | str) -> Any:
    """Raises ValueError."""
    return json.loads(text, parse_float=Decimal)


def loads_answer(text: bytes) -> Any:
    """Of an answer of a node: raises ProtocolError."""
    try:
        return loads(text)
    except ValueError as error:
        raise ProtocolError(f"the answer is not JSON: {error}") from error


class _NeedsDecimals(Exception):
    pass


def _refuse(value: object) -> Any:
    if isinstance(value, Decimal):
        raise _NeedsDecimals
    raise TypeError(f"{type(value).__name__} has no JSON form: {value!r}")


def dumps(value: Any) -> bytes:
    """Compact, UTF-8. Raises TypeError for what has no JSON form, ValueError for NaN."""
    try:
        return json.dumps(value, default=_refuse, ensure_ascii=False, allow_nan=False,
                          separators=(",", ":")).encode()
    except _NeedsDecimals:
        parts: list[str] = []
        _write(value, parts)
        return "".join(parts).encode()


def number(value: Decimal) -> str:
    """A finite decimal as a JSON number, digit by digit."""
    if not value.is_finite():
        raise ValueError(f"{value} has no JSON form")
    return str(value)


def _write(value: Any, parts: list[str]) -> None:
    if isinstance(value, Decimal):
        parts.append(number(value))
    elif isinstance(value, dict):
        parts.append("{")
        for index, (name, member) in enumerate(value.items()):
            if not isinstance(name, str):
                raise TypeError(f"the name of a JSON member must be a str: {name!r}")
            parts.append(("," if index else "") + json.dumps(name, ensure_ascii=False) + ":")
            _write(member, parts)
        parts.append("}")
    elif isinstance(value, (list, tuple)):
        parts.append("[")
        for index, member in enumerate(value):
            if index:
                parts.append(",")
            _write(member, parts)
        parts.append("]")
    else:
        parts.append(json.dumps(value, default=_refuse, ensure_ascii=False, allow_nan=False))
