from __future__ import annotations

import httpx
import pytest

from bridge.carriers.http import make_http
from bridge.carriers.shipx.client import ShipxClient
from tests.unit.carriers.shipx.families import ShipxShipping

from .stage import client_on, shipping_on


@pytest.fixture(scope="package")
def http() -> httpx.AsyncClient:
    """One for all tests, which never connects: reading the machine's certificates takes longer than most of them."""
    return make_http(timeout_s=10, at_once=2)


@pytest.fixture
def client(http: httpx.AsyncClient) -> ShipxClient:
    return client_on(http)


@pytest.fixture
def shipping(http: httpx.AsyncClient) -> ShipxShipping:
    return shipping_on(http)
