"""Columns of rows as PostgreSQL takes them: one array each, in binary form, made without asking the driver per value.

Layout: `array_recv` in https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/arrayfuncs.c
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any, Final, NamedTuple

_HEAD: Final = Struct(">iiIii")
"""Dimensions, whether anything is missing, the kind of the elements; then for the one dimension its size and start."""
_SIZE: Final = Struct(">i")
_EIGHT: Final = _SIZE.pack(8)
_MISSING: Final = _SIZE.pack(-1)


class Column(NamedTuple):
    """An array as a parameter: its type's number, and its bytes."""

    oid: int
    data: bytes


class _Kind(NamedTuple):
    oid: int
    array_oid: int
    write: Callable[[Any], bytes]


def _text(value: str) -> bytes:
    return _sized(value.encode())


def _number(value: int) -> bytes:
    return _EIGHT + value.to_bytes(8, "big", signed=True)


def _sized(data: bytes) -> bytes:
    return _SIZE.pack(len(data)) + data


_KINDS: Final = {
    "text": _Kind(25, 1009, _text),
    "bigint": _Kind(20, 1016, _number),
    "bytea": _Kind(17, 1001, _sized),
}


def column(kind: str, values: Sequence[object]) -> Column:
    """Write values of a kind, of which any may be None."""
    oid, array_oid, write = _KINDS[kind]
    parts = [_MISSING if value is None else write(value) for value in values]
    return Column(array_oid, _HEAD.pack(1, None in values, oid, len(values), 1) + b"".join(parts))


def array(values: Sequence[object]) -> Column:
    """Write numbers or texts, whichever they are; there has to be one at least."""
    return column("bigint" if isinstance(values[0], int) else "text", values)
