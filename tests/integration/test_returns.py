"""Returns at each of three providers, over HTTP and by the command line, beside a running bridge."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.bridge import BridgeProcess
from tests.support.carrier import SlowCarrier
from tests.support.returns import credentials
from tests.support.verbs import verb
from tests.unit.shipping.returning import CODES, MADE, PROVIDERS, SCENARIO, TICKETS, wanted


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings for one of the databases; those of the process for SQLite."""
    if request.param == "sqlite":
        return {}
    return {"BRIDGE_DATABASE_URL": request.getfixturevalue("postgres_url"), "BRIDGE_MIGRATE": "true"}


@asynccontextmanager
async def beside_providers(folder: Path, **settings: str) -> AsyncIterator[BridgeProcess]:
    async with (
        SlowCarrier(takes_s=0.0, **SCENARIO).open() as carrier,
        BridgeProcess(folder, **credentials(carrier.url), **settings) as bridge,
    ):
        yield bridge


def asked_for(provider: str) -> dict[str, Any]:
    """Write what is asked for, so that it does not expire too early."""
    due = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    return {**wanted(provider), "expires_at": due} if provider == CODES else wanted(provider)


async def told(bridge: BridgeProcess, return_id: str) -> list[str]:
    async with httpx.AsyncClient(trust_env=False, headers=bridge.headers) as http:
        found = await http.get(f"{bridge.url}/v1/events", params={"subject": f"return/{return_id}"})
    return [one["type"] for one in found.json()["items"]]


async def test_a_return_is_made_at_every_provider_and_told(tmp_path: Path, database: dict[str, str]) -> None:
    async with beside_providers(tmp_path, **database) as bridge:
        for provider in PROVIDERS:
            async with httpx.AsyncClient(base_url=bridge.url, trust_env=False, headers=bridge.headers) as http:
                key = {"idempotency-key": f"for-{provider}"}
                made = await http.post("/v1/returns", json=asked_for(provider), headers=key, timeout=20)
                assert (made.status_code, made.json()["state"]) == (201, "created"), made.text
                shown = await http.get(f"/v1/returns/{made.json()['return_id']}")
            assert shown.json() == {**made.json(), "timeline": []}
            assert await told(bridge, made.json()["return_id"]) == [f"bridge.{kind}.v1" for kind in MADE[provider]]
        assert "jan@example.com" not in bridge.log
        assert (await verb(bridge.environ, "audit")).code == 0


async def test_a_return_is_made_and_looked_at_by_hand(tmp_path: Path) -> None:
    async with beside_providers(tmp_path) as bridge:
        file = tmp_path / "return.json"
        file.write_text(json.dumps(asked_for(TICKETS)))
        created = await verb(bridge.environ, "returns", "create", "--file", str(file), "--json")
        assert created.code == 0, created.err
        made = created.json["result"]
        shown = await verb(bridge.environ, "returns", "show", made["return_id"])
        assert (shown.code, made["code"] in shown.out) == (0, True), shown.err
        listed = await verb(bridge.environ, "returns", "list")
        assert (made["return_id"] in listed.out, made["code"] in listed.out) == (True, False)
        as_json = await verb(bridge.environ, "returns", "list", "--state", "created", "--json")
        assert [one["return_id"] for one in as_json.json["items"]] == [made["return_id"]]
        unknown = await verb(bridge.environ, "returns", "show", "nothing")
        assert (unknown.code, "was asked for here" in unknown.err) == (1, True)
        file.write_text(json.dumps(asked_for(TICKETS) | {"colour": "red"}))
        refused = await verb(bridge.environ, "returns", "create", "--file", str(file))
        assert (refused.code, "colour" in refused.err) == (2, True)
