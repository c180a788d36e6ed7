"""What both formats carry: objects, lists and text. Every value is written in the one way that either format has.

Decimals are text, as in the page's samples, so that none was ever a float; times are Unix seconds (in `mm/dd` a day
is mistaken for a month); a truth value is "1" or "0".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeAlias

Tree: TypeAlias = "Mapping[str, Tree] | Sequence[Tree] | str | int"


def of(value: object) -> Tree:
    """Write a value of their names as a tree; what is None is not sent."""
    match value:
        case bool():
            return "1" if value else "0"
        case str():
            return str(value)
        case int():
            return int(value)
        case Decimal():
            return format(value, "f")  # str() would write a hundred as 1E+2
        case datetime():
            return int(value.astimezone(UTC).timestamp())
        case date():
            return value.strftime("%Y/%m/%d")
        case time():
            return value.strftime("%H:%M")
        case list() | tuple():
            return [of(one) for one in value]
    if not is_dataclass(value):
        raise TypeError(f"cannot be sent: {type(value).__name__}")
    named = ((one.name, getattr(value, one.name)) for one in fields(value))
    return {name: of(inner) for name, inner in named if inner is not None}
