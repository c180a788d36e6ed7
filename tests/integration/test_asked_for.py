"""What no database can hold may be asked for: it is not there, and the database is not said to be away for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.bridge import BridgeProcess
from tests.support.http import NO_TLS

ASKED = [
    ("GET", "/v1/deliveries/%00", 404),
    ("GET", "/v1/deliveries/a%00b", 404),
    ("POST", "/v1/deliveries/%00/replay", 404),
    ("GET", "/v1/events?subject=%00", 200),
    ("GET", "/v1/events?type=a%00", 200),
    ("GET", "/v1/deliveries/%ED%A0%80", 404),
    ("GET", "/v1/events?subject=%ED%A0%80%FF", 200),
]
"""With the answer where nothing is found; a database that cannot even look for it may also call it a bad request."""


@pytest.fixture(params=["sqlite", "postgres"])
async def bridge(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BridgeProcess]:
    extra = {}
    if request.param == "postgres":
        extra = {"BRIDGE_DATABASE_URL": request.getfixturevalue("migrated_postgres_url")}
    async with BridgeProcess(tmp_path, **extra) as found:
        yield found


async def test_text_that_no_row_can_hold_is_not_found_or_a_bad_request(bridge: BridgeProcess) -> None:
    async with httpx.AsyncClient(base_url=bridge.url, headers=bridge.headers, trust_env=False, verify=NO_TLS) as http:
        answers = [((await http.request(method, path)).status_code, expected) for method, path, expected in ASKED]
        assert all(status in (expected, 400) for status, expected in answers), answers
        assert (await http.get("/readyz")).status_code == 200
