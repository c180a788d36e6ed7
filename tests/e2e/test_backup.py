"""docs/backup.md: a copy taken while the bridge buys, and a bridge that goes on from it behind the carrier's back."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import pytest

from bridge.nodes.postgres import PostgresNode
from tests.support.bridge import BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, SlowCarrier
from tests.support.http import NO_TLS
from tests.support.pages import blocks
from tests.support.verbs import verb

PAGE: Final = blocks(Path(__file__).parents[2] / "docs" / "backup.md")
SETTINGS: Final[dict[str, str | None]] = {
    "BRIDGE_MIGRATE": "true",
    "BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN,
    "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "6000",
    "BRIDGE_RECONCILE__OPEN_S": "1",
    "BRIDGE_PURCHASING__SETTLE_S": "1",
}
SURE: Final = ("bridge.shipment.confirmed", "bridge.shipment.tracking_number_assigned")
GIVEN: Final = """
INSERT INTO commands (operation, id, body_sha256, given_by, submitted_at, deadline, progress) VALUES
  ('shipment.create', 'order-7', '', 'api', 1, 1, '{"done": 0, "is_sent": true}'),
  ('shipment.create', 'order-8', '', 'api', 1, 1, '{"done": 0, "is_sent": false}'),
  ('shipment.create', 'order-9', '', 'api', 1, 1, NULL),
  ('return_order.add_items', 'items-1', '', 'api', 1, 1, NULL),
  ('shipment.hold', 'hold-1', '', 'api', 1, 1, NULL)"""
"""Commands that were waiting: one that may be at the carrier, three that cannot be, and one that makes nothing."""


class Kept:
    """A database where the page has it, in a folder of its own, with the page's commands."""

    def __init__(self, kind: str, folder: Path, url: str, restored_url: str, environ: Mapping[str, str]) -> None:
        self._kind = kind
        self._folder = folder
        self._environ = {**os.environ, **environ}
        self.url = url
        self.restored_url = restored_url

    def run(self, name: str) -> None:
        """Run a block of the page as it stands there."""
        command = ["sh", "-euc", PAGE[f"{self._kind} {name}"]]
        done = subprocess.run(command, cwd=self._folder, env=self._environ, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def do(self, url: str, sql: str) -> list[tuple[Any, ...]]:
        """Run statements; gives the rows of the last one."""
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)) as file, file:
                return [file.execute(one).fetchall() for one in sql.split(";") if one.strip()][-1]
        with psycopg.connect(url) as server, server.cursor() as cursor:
            cursor.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def states(self, url: str) -> dict[int, str]:
        """Say how each purchase stands."""
        return dict(self.do(url, "SELECT shipment, state FROM purchases"))


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "sqlite":
        (tmp_path / "var").mkdir()
        url = f"sqlite:///{tmp_path}/var/bridge.db"
        yield Kept("sqlite", tmp_path, url, url, {})
        return
    node: PostgresNode = request.getfixturevalue("postgres")
    environ = {"PGHOST": "127.0.0.1", "PGPORT": str(node.port), "PGUSER": "postgres"}
    environ["PATH"] = f"{node.program('pg_dump').parent}:{os.environ['PATH']}"
    with psycopg.connect(node.create_database("bridge"), autocommit=True) as administrator:
        administrator.execute("CREATE ROLE bridge LOGIN")
        administrator.execute("ALTER DATABASE bridge OWNER TO bridge")
    url, restored = (_as_bridge(node.database_url(one)) for one in ("bridge", "restored"))
    yield Kept("postgres", tmp_path, url, restored, environ)


def _as_bridge(url: str) -> str:
    """Let the bridge be who it is after docs/install.md, while the page's commands are the administrator's."""
    return url.replace("postgres@", "bridge@")


async def events(bridge: BridgeProcess) -> dict[tuple[str, str], str]:
    """Give the id of every event by what it tells of whom; of a status also which."""
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
        answer = await http.get(f"{bridge.url}/v1/events", params={"limit": 1000}, headers=bridge.headers)
    return {
        (one["subject"], f"{one['type']} {one['data'].get('carrier_status')}"): one["id"]
        for one in answer.json()["items"]
    }


async def test_what_was_bought_after_the_backup_is_not_bought_again(tmp_path: Path, kept: Kept) -> None:
    async with SlowCarrier(takes_s=0.01, purchases={"again": "charge"}).open() as carrier:
        settings = {**SETTINGS, "BRIDGE_SHIPX__BASE_URL": carrier.url}
        async with BridgeProcess(tmp_path, **settings, BRIDGE_DATABASE_URL=kept.url) as bridge:
            carrier.announce_to(bridge.webhook_url)
            bought = [await carrier.create()]
            await until(lambda: kept.states(kept.url).get(bought[0]) == "succeeded")

            # The backup finds one purchase on its way, and another that is wanted.
            carrier.hold("/buy")
            bought.append(await carrier.create())
            await until(lambda: kept.states(kept.url).get(bought[1]) == "intended")
            carrier.hold("")
            bought.append(await carrier.create())
            await until(lambda: kept.states(kept.url).get(bought[2]) == "wanted")
            await asyncio.to_thread(kept.run, "copy")
            carrier.let_go()

            # They are bought after that, and so is one that nobody had heard of.
            bought.append(await carrier.create())
            await until(lambda: list(kept.states(kept.url).values()) == ["succeeded"] * 4, 40)
            before = await events(bridge)
            bridge.kill()

        kept.run("restore")
        url = kept.restored_url
        assert {one: kept.states(url).get(one) for one in bought} == dict(
            zip(bought, ["succeeded", "intended", "wanted", None], strict=True)
        )
        kept.do(url, GIVEN)
        assert sorted(row[1] for row in kept.do(url, PAGE["pending"])) == ["items-1", "order-8", "order-9"]
        kept.do(url, PAGE["take back"])
        assert kept.do(url, PAGE["pending"]) == []

        async with BridgeProcess(tmp_path, **settings, BRIDGE_DATABASE_URL=url) as bridge:
            await until(lambda: list(kept.states(url).values()) == ["succeeded"] * 4, 40)
            for looked in await asyncio.gather(*(verb(bridge.environ, name) for name in ("audit", "doctor"))):
                assert looked.code == 0, looked.out
            after = await events(bridge)
        assert carrier.charges() == sorted(bought)
        # What is told again has the id that it had; a purchase that was forgotten is told as somebody else's.
        told = {key: id_ for key, id_ in after.items() if key[1].startswith(SURE)}
        assert {key: before[key] for key in told} == told
        assert {subject for subject, _ in told} == {f"shipment/{one}" for one in bought}
        purchases = [(f"shipment/{one}", "bridge.shipment.purchase_succeeded.v1 None") for one in bought]
        assert [after[one] == before[one] for one in purchases] == [True, True, False, False]
