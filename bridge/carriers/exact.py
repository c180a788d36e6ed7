"""JSON as it is sent: every number is written as it is meant, and none of them was ever a float."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal


def encode(value: object) -> bytes:
    """Write a value of objects, lists, text, whole numbers, decimals, truth values and None."""
    return _text(value).encode("ascii")


def given(**attributes: object) -> Mapping[str, object]:
    """Leave out what is not given: a null would delete what the carrier has."""
    return {name: value for name, value in attributes.items() if value is not None}


def _text(value: object) -> str:
    match value:
        case None | bool() | str():
            return json.dumps(value)
        case int():
            return str(int(value))
        case Decimal() if value.is_finite():
            return format(value, "f")  # str() would write a hundred as 1E+2
        case Mapping():
            return "{" + ",".join(f"{_name(name)}:{_text(one)}" for name, one in value.items()) + "}"
        case Sequence() if not isinstance(value, bytes | bytearray):
            return "[" + ",".join(_text(one) for one in value) + "]"
    raise TypeError(f"no JSON: {type(value).__name__}")


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"no name: {type(name).__name__}")
    return json.dumps(name)
