from __future__ import annotations

import httpx
import pytest

from bridge.carriers.http import make_http


@pytest.fixture(scope="package")
def http() -> httpx.AsyncClient:
    """One for all tests, which never connects: reading the machine's certificates takes longer than most of them."""
    return make_http(timeout_s=10, at_once=2)
