"""A serving bridge deletes what is old, and answers an operator's questions from what is left, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bridge.store.database import ManagedDatabase
from bridge.store.postgres import PostgresDatabase
from bridge.store.sqlite import SqliteDatabase
from tests.journey import Json, webhook
from tests.journey import post as deliver
from tests.support.bridge import BridgeProcess, until
from tests.support.http import NO_TLS
from tests.support.verbs import verb

HOURS = 3 * 3600 * 1_000_000
AGED = (
    f"UPDATE deliveries SET received_at = received_at - {HOURS}",
    f"UPDATE events SET recorded_at = recorded_at - {HOURS}",
)


@pytest.fixture(params=["sqlite", "postgres"])
async def stored(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[BridgeProcess, ManagedDatabase]]:
    """A bridge that keeps everything for an hour, not started, and its database seen from beside it."""
    kept = {f"BRIDGE_RETENTION__{name}": "1h" for name in ("DELIVERIES", "EVENTS", "PARKED")}
    database: ManagedDatabase
    if request.param == "sqlite":
        bridge = BridgeProcess(tmp_path, **kept)
        database = SqliteDatabase(Path(bridge.environ["BRIDGE_DATABASE_URL"].removeprefix("sqlite:///")))
    else:
        url = request.getfixturevalue("migrated_postgres_url")
        bridge = BridgeProcess(tmp_path, BRIDGE_DATABASE_URL=url, **kept)
        database = PostgresDatabase(SecretStr(url))
    yield bridge, database
    bridge.close()
    await database.close()


async def ask(bridge: BridgeProcess, *arguments: str) -> tuple[int, Json]:
    """Run a verb with the bridge's settings, as an operator beside it does."""
    done = await verb(bridge.environ, *arguments, "--json")
    assert not done.err, done.err
    return done.code, done.json


async def feed(http: httpx.AsyncClient, bridge: BridgeProcess) -> Any:
    answer = await http.get(f"{bridge.url}/v1/events", headers=bridge.headers)
    return answer.json()


async def age(database: ManagedDatabase) -> None:
    """Make everything three hours older than it is."""
    await database.open()
    for sql in AGED:
        await database.write(lambda it, sql=sql: it.run(sql))  # type: ignore[misc]


async def test_what_is_old_goes_and_its_repeat_tells_nothing_anew(
    stored: tuple[BridgeProcess, ManagedDatabase],
) -> None:
    bridge, database = stored
    async with httpx.AsyncClient(timeout=10, trust_env=False, verify=NO_TLS) as http:
        await bridge.start()
        await deliver(http, bridge.webhook_url, webhook())
        await until(lambda: _told(http, bridge))
        subject = (await feed(http, bridge))["items"][0]["subject"]
        assert (await ask(bridge, "audit"))[1]["balanced"]
        bridge.kill()
        await age(database)
        await bridge.start()
        await until(lambda: _pruned(http, bridge))
        assert (await feed(http, bridge))["pruned"], "a reader from the beginning is told that something is gone"
        again = await deliver(http, bridge.webhook_url, webhook())
        assert again["outcome"] == "accepted"
        await until(lambda: _worked_off(bridge))
        assert (await feed(http, bridge))["items"] == []
        code, audit = await ask(bridge, "audit")
        assert (code, audit["balanced"]) == (0, True)
        figures = {one["key"]: one["figures"] for one in audit["identities"]}
        assert figures["b"]["facts"] == figures["b"]["pruned"] > 0
        code, told = await ask(bridge, "why", subject)
        assert code == 0
        assert len(told["deleted_events"]) == figures["b"]["pruned"]
        assert [(one["kind"], one["verdict"]) for one in told["timeline"]] == [("delivery", "nothing_new")]
        metrics = (await http.get(f"{bridge.url}/metrics")).text
        assert f'bridge_pruned_total{{table="events"}} {figures["b"]["pruned"]}.0' in metrics
        assert await bridge.terminate() == 0


async def _told(http: httpx.AsyncClient, bridge: BridgeProcess) -> bool:
    return bool((await feed(http, bridge))["items"])


async def _pruned(http: httpx.AsyncClient, bridge: BridgeProcess) -> bool:
    found = await feed(http, bridge)
    listed = await http.get(f"{bridge.url}/v1/deliveries", headers=bridge.headers)
    return not found["items"] and not listed.json()["items"]


async def _worked_off(bridge: BridgeProcess) -> bool:
    _, audit = await ask(bridge, "audit")
    return bool(audit["identities"][0]["figures"]["done"])


async def test_an_audit_of_broken_books_ends_with_1_and_names_the_identity(
    stored: tuple[BridgeProcess, ManagedDatabase],
) -> None:
    bridge, database = stored
    async with bridge, httpx.AsyncClient(timeout=10, trust_env=False, verify=NO_TLS) as http:
        await deliver(http, bridge.webhook_url, webhook(status="confirmed"))
        await until(lambda: _told(http, bridge))
        await database.open()
        await database.write(lambda it: it.run("UPDATE subjects SET sequence = sequence + 1"))
        code, audit = await ask(bridge, "audit", "--since", "24h")
        assert (code, audit["balanced"]) == (1, False)
        assert [one["key"] for one in audit["identities"] if not one["balanced"]] == ["c"]
        figures = audit["identities"][4]["figures"]
        assert {key: figures[key] for key in ("bought", "succeeded", "adopted")} == dict.fromkeys(
            ("bought", "succeeded", "adopted"), 0
        ), "a webhook alone says that it is bought"
        [difference] = audit["identities"][2]["differences"]
        assert difference["examples"][0]["subject"].startswith("shipment/")
