"""Columns as arrays: byte for byte what the driver writes for the same values."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from psycopg.adapt import PyFormat, Transformer

from bridge.store.postgres_arrays import array, column


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["one", "", "żółw 🐢"]),
        ("text", ["one", None, "three"]),
        ("bigint", [2**40, -(2**40), 2**62]),
        ("bigint", [2**40, None]),
        ("bytea", [b"", b"\x00\xff"]),
        ("bytea", [b"x", None]),
    ],
)
def test_a_column_is_what_the_driver_writes(kind: str, values: Sequence[object]) -> None:
    transformer = Transformer()
    (data,) = transformer.dump_sequence([list(values)], [PyFormat.BINARY])
    assert transformer.types is not None
    assert column(kind, values) == (transformer.types[0], data)


def test_small_numbers_are_written_as_wide_as_their_column() -> None:
    assert column("bigint", [1]).data[-8:] == (1).to_bytes(8)


def test_what_is_missing_everywhere_has_a_kind_all_the_same() -> None:
    assert column("text", [None]).oid == column("text", ["x"]).oid


def test_the_kind_of_an_array_is_that_of_its_values() -> None:
    assert array(["x"]) == column("text", ["x"])
    assert array([1]) == column("bigint", [1])


@pytest.mark.parametrize(("kind", "value"), [("bigint", 2**63), ("text", "\ud800")])
def test_what_no_column_holds_is_refused(kind: str, value: object) -> None:
    with pytest.raises((OverflowError, UnicodeEncodeError)):
        column(kind, [value])
