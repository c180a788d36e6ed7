"""The garbage collector and thousands of tests: what was collected stays until the end and need not be gone through."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

_THRESHOLDS = (20_000, 10, 10)
"""By default it would look for cycles after every 700 objects."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect tests with the collector switched off, and let it leave alone what is there then."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)
        gc.enable()
