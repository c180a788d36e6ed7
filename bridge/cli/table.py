"""Lines for people: columns that stand below each other. What strangers wrote cannot steer the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write rows below their heads, each column as wide as it has to be."""
    cells = [list(heads), *([cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(f"{one:<{width}}" for one, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def record(values: Mapping[str, object]) -> str:
    """Write one thing, a line for each of its values."""
    width = max(map(len, values))
    return "\n".join(f"{name:<{width}}  {cell(value)}".rstrip() for name, value in values.items())


def cell(value: object) -> str:
    """Write one value in one line."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return printable(str(value))


def printable(text: str, keep: str = "") -> str:
    """Replace what is not meant to be seen, such as the codes that move a cursor."""
    return "".join(one if one.isprintable() or one in keep else "\N{REPLACEMENT CHARACTER}" for one in text)
