from __future__ import annotations

from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from bridge.carriers.http import make_http

from .stage import Stage, Staged


@pytest.fixture(scope="package")
def http() -> httpx.AsyncClient:
    """One for all tests, which never connects: reading the machine's certificates takes longer than most of them."""
    return make_http(timeout_s=10, at_once=2)


@pytest.fixture
def staged(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> Staged:
    def make(**changes: Any) -> Stage:
        return Stage(http, httpx_mock, **changes)

    return make


@pytest.fixture
def stage(staged: Staged) -> Stage:
    return staged()
