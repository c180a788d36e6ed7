"""The comparison itself must find what it is there to find."""

from __future__ import annotations

import pytest

from .shapes import differences

NUMBER = "620000000000000000000017"


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"a": 1}, {"a": 2.5}, []),  # JSON knows one kind of number
        ({"a": 1}, {"b": 1}, ["$.a: missing", "$.b: not in the sample"]),
        ({"a": 1}, {"a": "1"}, ["$.a: number in the sample, text here"]),
        ({"a": None}, {"a": 1}, ["$.a: null in the sample, number here"]),
        ({"a": True}, {"a": 1}, ["$.a: boolean in the sample, number here"]),
        ({"a": NUMBER}, {"a": "62"}, ["$.a: parcel number in the sample, text here"]),
        ("2026-03-20 15:08:06 +0100", "2026-03-20T15:08:06.000+01:00", ["$: event time in the sample, timestamp here"]),
        ([1, None], [None, 2, 3], []),  # each entry looks like one of the sample's
        ([1], [], ["$: 1 entries in the sample, 0 here"]),
        ([{"a": 1}, {"b": 1}], [{"b": "x"}], ["$[0].b: number in the sample, text here"]),
    ],
)
def test_differences_are_named_with_their_place(expected: object, actual: object, found: list[str]) -> None:
    assert list(differences(expected, actual)) == found
