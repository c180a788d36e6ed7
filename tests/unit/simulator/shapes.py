"""Comparing what the simulator writes with the samples: same keys, same kinds of values, same ways to write a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "samples" / "shipx"

WRITTEN_FORMS = {
    "event time": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}"),
    "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"),
    "parcel number": re.compile(r"\d{24}"),
}


def sample(name: str) -> object:
    """Read one sample."""
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def differences(expected: object, actual: object, at: str = "$") -> Iterator[str]:
    """Say where `actual` has another shape than `expected`; nothing means the same shape."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        yield from (f"{at}.{key}: missing" for key in expected.keys() - actual.keys())
        yield from (f"{at}.{key}: not in the sample" for key in actual.keys() - expected.keys())
        for key in expected.keys() & actual.keys():
            yield from differences(expected[key], actual[key], f"{at}.{key}")
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from _unlike_any(expected, actual, at)
    elif kind(expected) != kind(actual):
        yield f"{at}: {kind(expected)} in the sample, {kind(actual)} here"


def _unlike_any(expected: list[object], actual: list[object], at: str) -> Iterator[str]:
    """Each entry must look like one of the sample's, and a sample with entries wants entries."""
    if bool(expected) != bool(actual):
        yield f"{at}: {len(expected)} entries in the sample, {len(actual)} here"
        return
    for index, entry in enumerate(actual):
        attempts = [list(differences(one, entry, f"{at}[{index}]")) for one in expected]
        if attempts:
            yield from min(attempts, key=len)


def kind(value: object) -> str:
    """Name the JSON type, and for a string the form it is written in."""
    if isinstance(value, str):
        return next((name for name, form in WRITTEN_FORMS.items() if form.fullmatch(value)), "text")
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__
