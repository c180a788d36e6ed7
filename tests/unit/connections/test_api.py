"""Connections for operators: one list, a pause that everybody sees at once, and its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.limits.connection import Exchange, Limits, Outcome, Purpose, Verdict
from bridge.store.connections import shipx
from bridge.web.access import EVERY_SCOPE
from tests.unit.ingress.stage import OPERATOR, ORGANIZATION, OTHER, Stage, client_of

LIST = "/v1/connections"
CLIENTS = [
    client_of("reader", ["read"]),
    client_of("admin-of-4822", ["read", "admin"], [OTHER]),
    client_of("no-reader", EVERY_SCOPE - {"read"}),
    client_of("no-admin", EVERY_SCOPE - {"admin"}),
]
READY = {
    "name": "shipx/4821",
    "state": "ready",
    "paused": None,
    "breaker": {"state": "closed", "failures": 0, "open_until": None},
    "degraded_since": None,
    "not_before": None,
    "in_flight": 0,
}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with Stage(tmp_path, clients=CLIENTS) as found:
        await found.connections.prepare([shipx(ORGANIZATION), shipx(OTHER)])  # type: ignore[arg-type] # numbers of tests
        yield found


async def listed(stage: Stage, token: str = OPERATOR) -> list[dict[str, Any]]:
    response = await stage.ask("GET", LIST, token=token)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["items"]
    return found


async def test_every_connection_is_listed_with_what_stands_against_it(stage: Stage) -> None:
    response = await stage.ask("GET", LIST, token=OPERATOR)
    assert response.json() == {"items": [READY, READY | {"name": "shipx/4822"}], "next": None}


async def test_a_client_of_one_organization_sees_and_changes_its_own(stage: Stage) -> None:
    assert [one["name"] for one in await listed(stage, "admin-of-4822")] == ["shipx/4822"]
    foreign = await stage.ask("POST", f"{LIST}/shipx/4821/pause", token="admin-of-4822")
    own = await stage.ask("POST", f"{LIST}/shipx/4822/pause", token="admin-of-4822")
    assert (foreign.status_code, own.status_code) == (404, 200)
    assert [one["state"] for one in await listed(stage)] == ["ready", "paused"]


@pytest.mark.parametrize("path", ["shipx/4821", "shipx%2F4821", "shipx%2f4821"])
async def test_a_connection_is_paused_and_resumed_by_its_name(path: str, stage: Stage) -> None:
    paused = (await stage.ask("POST", f"{LIST}/{path}/pause", token=OPERATOR)).json()
    assert (paused["name"], paused["state"]) == ("shipx/4821", "paused")
    assert (paused["paused"]["reason"], paused["paused"]["by"]) == ("operator", "operator")
    again = (await stage.ask("POST", f"{LIST}/{path}/pause", token=OPERATOR)).json()
    assert again == paused == (await listed(stage))[0]
    rung = stage.accepted
    resumed = (await stage.ask("POST", f"{LIST}/{path}/resume", token=OPERATOR)).json()
    assert resumed == READY == (await listed(stage))[0]
    assert stage.accepted == rung + 1, "whoever buys is woken"


@pytest.mark.parametrize(
    "path",
    ["shipx/4823", "shipx", "shipx/", "shipx/4821/", "/shipx/4821", "shipx/4821%00", "inpost_returns/x", "..", "²"],
)
@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_there_is_nothing_by_another_name(path: str, verb: str, stage: Stage) -> None:
    response = await stage.ask("POST", f"{LIST}/{path}/{verb}", token=OPERATOR)
    assert response.status_code == 404, response.text
    assert [one["state"] for one in await listed(stage)] == ["ready", "ready"]


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("GET", LIST, None, 401),
        ("GET", LIST, "no-reader", 403),
        ("GET", LIST, "reader", 200),
        ("POST", f"{LIST}/shipx/4821/pause", None, 401),
        ("POST", f"{LIST}/shipx/4821/pause", "no-admin", 403),
        ("POST", f"{LIST}/shipx/4821/resume", "reader", 403),
        ("POST", f"{LIST}/shipx/1/pause", "no-admin", 403),
        ("GET", f"{LIST}/shipx/4821/pause", OPERATOR, 405),
    ],
)
async def test_who_may_do_what(method: str, path: str, token: str | None, status: int, stage: Stage) -> None:
    assert (await stage.ask(method, path, token=token)).status_code == status


async def test_what_calls_show_is_seen_in_the_list(stage: Stage) -> None:
    limits, name = Limits(600, 2), "shipx/4821"
    await stage.connections.exchange(name, limits, Exchange("x", wanted=[Purpose.read] * 2), 0.5)
    returned = [(1, Outcome(Verdict.limited, retry_after=60))]
    await stage.connections.exchange(name, limits, Exchange("x", returned), 0.5)
    [found, _] = await listed(stage)
    assert (found["state"], found["in_flight"]) == ("asked_to_wait", 1)
    assert found["degraded_since"] < found["not_before"]
