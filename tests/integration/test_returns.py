"""Returns at each of three providers, over HTTP and by the command line, beside a running bridge."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.model import micros
from tests.support.bridge import BridgeProcess, until
from tests.support.carrier import SlowCarrier
from tests.support.http import NO_TLS
from tests.support.returns import credentials
from tests.support.verbs import verb
from tests.unit.shipping.checkouts import ORDER, QUOTE, SHIRT
from tests.unit.shipping.returning import CODES, MADE, PLATFORM, PROVIDERS, SCENARIO, TICKETS, wanted


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings for one of the databases; those of the process for SQLite."""
    if request.param == "sqlite":
        return {}
    return {"BRIDGE_DATABASE_URL": request.getfixturevalue("migrated_postgres_url")}


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
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS, headers=bridge.headers) as http:
        found = await http.get(f"{bridge.url}/v1/events", params={"subject": f"return/{return_id}"})
    return [one["type"] for one in found.json()["items"]]


async def test_a_return_is_made_at_every_provider_and_told(tmp_path: Path, database: dict[str, str]) -> None:
    async with beside_providers(tmp_path, **database) as bridge:
        for provider in PROVIDERS:
            async with httpx.AsyncClient(
                base_url=bridge.url, trust_env=False, verify=NO_TLS, headers=bridge.headers
            ) as http:
                key = {"idempotency-key": f"for-{provider}"}
                made = await http.post("/v1/returns", json=asked_for(provider), headers=key, timeout=20)
                assert (made.status_code, made.json()["state"]) == (201, "created"), made.text
                shown = await http.get(f"/v1/returns/{made.json()['return_id']}")
            assert {**shown.json(), **made.json(), "timeline": []} == shown.json()
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


async def test_from_a_checkout_to_the_money(tmp_path: Path) -> None:
    async with (
        beside_providers(tmp_path) as bridge,
        httpx.AsyncClient(
            base_url=bridge.url, trust_env=False, verify=NO_TLS, headers=bridge.headers, timeout=20
        ) as http,
    ):
        services = (await http.get("/v1/returns/services", params={"country_code": "PL"})).json()["items"]
        quotes = (await http.post("/v1/returns/quotes", json=QUOTE)).json()["items"]
        assert {one["service_id"] for one in quotes} == {one["service_id"] for one in services}
        told = await http.post("/v1/return-orders", json=ORDER, headers={"idempotency-key": "told"})
        assert told.status_code == 201, told.text
        asked = asked_for(PLATFORM) | {"items": [SHIRT]}
        made = (await http.post("/v1/returns", json=asked, headers={"idempotency-key": "made"})).json()
        path = f"/v1/returns/{made['return_id']}"
        assert (await http.get(f"{path}/billing")).json()["tracking_number"] == made["tracking_number"]
        paid = {"at": (datetime.now(UTC) + timedelta(minutes=1)).isoformat()}
        refunded = await http.post(f"{path}/refunded", json=paid, headers={"idempotency-key": "paid"})
        assert refunded.status_code == 201, refunded.text
        kept = await http.delete(f"/v1/return-orders/{ORDER['reference']}")
        assert kept.json()["type"] == "/problems/not-changeable"
    assert "jan@example.com" not in bridge.log


async def test_while_the_first_provider_is_away_the_next_one_makes_it(tmp_path: Path) -> None:
    rule = tmp_path / "bridge.toml"
    rule.write_text(f'[[returns.routes]]\nproviders = ["{TICKETS}", "{PLATFORM}"]\n')
    away = {"BRIDGE_INPOST_RETURNS__TOKEN_URL": "http://127.0.0.1:9/token"}
    due = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    asked = {**asked_for(PLATFORM), "provider": None, "parcel_size": "A", "expires_at": due}
    async with (
        SlowCarrier(takes_s=0.0, **SCENARIO).open() as carrier,
        BridgeProcess(tmp_path, **credentials(carrier.url) | away, BRIDGE_CONFIG=str(rule)) as bridge,
        httpx.AsyncClient(
            base_url=bridge.url, trust_env=False, verify=NO_TLS, headers=bridge.headers, timeout=20
        ) as http,
    ):

        async def made() -> Any:
            answer = await http.post("/v1/returns", json=asked, headers={"idempotency-key": "one"})
            assert answer.status_code in (200, 201), answer.text
            return answer.json()

        found = await until(made, seconds=40)
        assert (found["provider"], found["state"], found["expires_at"]) == (PLATFORM, "created", None)
        assert await told(bridge, found["return_id"]) == [f"bridge.{kind}.v1" for kind in MADE[PLATFORM]]


@pytest.mark.parametrize(
    ("provider", "secret"),
    [(TICKETS, "BRIDGE_INPOST_RETURNS__CLIENT_SECRET"), (CODES, "BRIDGE_SZYBKIE_ZWROTY__PASSWORD")],
)
async def test_a_refused_login_stops_its_provider_and_the_right_one_goes_on_once_a_person_says_so(
    provider: str, secret: str, tmp_path: Path
) -> None:
    async with SlowCarrier(takes_s=0.0, **SCENARIO).open() as carrier:
        right = credentials(carrier.url)
        async with (
            BridgeProcess(tmp_path, **right | {secret: "not-the-secret"}) as bridge,
            httpx.AsyncClient(
                base_url=bridge.url, trust_env=False, verify=NO_TLS, headers=bridge.headers, timeout=20
            ) as http,
        ):
            key, asked = {"idempotency-key": "one"}, asked_for(provider)
            refused = await http.post("/v1/returns", json=asked, headers=key)
            assert (refused.status_code, refused.json()["type"]) == (503, "/problems/nothing-sent"), refused.text
            await until(partial(_is_paused, http, provider))
            assert await bridge.terminate() == 0
            bridge.environ[secret] = right[secret]
            await bridge.start()
            assert await _is_paused(http, provider), "a right login may be as wrong as the one before"
            resumed = await verb(bridge.environ, "connections", "resume", f"{provider}/main")
            assert resumed.code == 0, resumed.err
            made = await http.post("/v1/returns", json=asked, headers=key)
            assert (made.status_code, made.json()["state"]) == (201, "created"), made.text
            found = await http.get("/v1/events", params={"subject": f"connection/{provider}/main"})
            assert [(one["type"], one["data"]["reason"]) for one in found.json()["items"]] == [
                ("bridge.connection.paused.v1", "login_refused"),
                ("bridge.connection.resumed.v1", "login_refused"),
            ]
            assert "not-the-secret" not in bridge.log


async def _is_paused(http: httpx.AsyncClient, provider: str) -> bool:
    [one] = [it for it in (await http.get("/v1/connections")).json()["items"] if it["name"] == f"{provider}/main"]
    return one["paused"] is not None and one["paused"]["reason"] == "login_refused"


async def doubt(bridge: BridgeProcess, provider: str, id_: str) -> None:
    """Have a return of which nobody knows whether it was made, as a lost answer leaves it after an hour."""
    at = f"{micros(datetime.now(UTC))}"
    with sqlite3.connect(bridge.database_url.removeprefix("sqlite:///")) as connection:
        connection.execute(
            "INSERT INTO returns (id, connection, command, state, begun_at)"
            f" VALUES ('{id_}', '{provider}/main', '{id_}', 'unknown', {at})"
        )
        connection.execute(
            "INSERT INTO doubtful_returns (id, connection, since, until, look_at)"
            f" VALUES ('{id_}', '{provider}/main', {at}, {at}, {at})"
        )
    connection.close()


async def test_what_nobody_knows_of_is_looked_for_and_settled_by_hand(tmp_path: Path) -> None:
    async with beside_providers(tmp_path) as bridge:
        for provider, id_ in zip(PROVIDERS, ("a" * 32, "b" * 32, "c" * 32), strict=True):
            await doubt(bridge, provider, id_)

        async def story(id_: str) -> str:
            return (await verb(bridge.environ, "why", f"return/{id_}")).out

        for id_ in ("a" * 32, "b" * 32, "c" * 32):
            await until(partial(_has, story, id_, "looked for once in doubt: nothing shows it"), seconds=40)
        made = await verb(bridge.environ, "returns", "settle", "a" * 32, "--made", "t-1", "--code", "1234567890")
        assert (made.code, made.out) == (0, f"Return {'a' * 32} is created.\n"), made.err
        none = await verb(bridge.environ, "returns", "settle", "b" * 32, "--not-made", "--json")
        assert (none.code, none.json["result"]["reason"]) == (0, "not_made"), none.err
        again = await verb(bridge.environ, "returns", "settle", "b" * 32, "--not-made")
        assert (again.code, "no return of this id is in doubt" in again.err) == (1, True)
        for wrong in (("--made", "t-1", "--not-made"), (), ("--number", "62"), ("--made", "no id")):
            assert (await verb(bridge.environ, "returns", "settle", "c" * 32, *wrong)).code == 2
        assert await told(bridge, "a" * 32) == ["bridge.return.created.v1"]
        assert await told(bridge, "b" * 32) == ["bridge.return.creation_failed.v1"]


async def _has(story: Callable[[str], Awaitable[str]], id_: str, text: str) -> bool:
    return text in await story(id_)


async def test_a_return_is_called_off_and_its_label_written_by_hand(tmp_path: Path) -> None:
    async with beside_providers(tmp_path) as bridge:
        file, label = tmp_path / "return.json", tmp_path / "labels" / "label.pdf"
        file.write_text(json.dumps(asked_for(PLATFORM)))
        made = (await verb(bridge.environ, "returns", "create", "--file", str(file), "--json")).json["result"]
        written = await verb(bridge.environ, "returns", "label", made["return_id"], "--to", str(label))
        assert (written.code, label.read_bytes()[:4], label.stat().st_mode & 0o777) == (0, b"%PDF", 0o600), written.err
        called_off = await verb(bridge.environ, "returns", "cancel", made["return_id"])
        assert (called_off.code, "was asked to call it off" in called_off.out) == (0, True), called_off.err
        file.write_text(json.dumps(asked_for(TICKETS)))
        ticket = (await verb(bridge.environ, "returns", "create", "--file", str(file), "--json")).json["result"]
        unknown = await verb(bridge.environ, "returns", "cancel", ticket["return_id"])
        assert (unknown.code, "expires" in unknown.err) == (1, True)
        for wrong in (("cancel", "no-id"), ("label", "no-id", "--to", str(label))):
            assert (await verb(bridge.environ, "returns", *wrong)).code == 2
        missing = await verb(bridge.environ, "returns", "label", ticket["return_id"], "--to", str(label))
        assert (missing.code, "there is no label" in missing.err) == (1, True)


async def test_codes_are_made_activated_and_made_useless_by_hand(tmp_path: Path) -> None:
    async with beside_providers(tmp_path) as bridge:
        made = (await verb(bridge.environ, "returns", "codes", "create", "--count", "2", "--json")).json["result"]
        first, second = (one["code"] for one in made["items"])
        due = ("--expires", (datetime.now(UTC) + timedelta(days=30)).isoformat())
        who = ("--phone", "500100200", "--email", "jan@example.com")
        use = ("--reference", "ORDER123", "--parcel-size", "A", *who, *due)
        active = await verb(bridge.environ, "returns", "codes", "activate", first, *use)
        assert (active.code, "is made of the code" in active.out) == (0, True), active.err
        again = await verb(bridge.environ, "returns", "codes", "activate", first, *use)
        assert (again.code, "it is active already" in again.err) == (1, True)
        useless = await verb(bridge.environ, "returns", "codes", "invalidate", second)
        assert (useless.code, second in useless.out) == (0, False), useless.err
        listed = await verb(bridge.environ, "returns", "codes", "list")
        assert (first in listed.out, "active" in listed.out, "invalidated" in listed.out) == (False, True, True)
        shown = await verb(bridge.environ, "returns", "codes", "list", "--state", "active", "--with-codes", "--json")
        assert [one["code"] for one in shown.json["items"]] == [first]
        nobodys = await verb(bridge.environ, "returns", "codes", "invalidate", "1414000001")
        assert (nobodys.code, "no such code" in nobodys.err) == (1, True)
        assert (await verb(bridge.environ, "returns", "codes", "create", "--count", "1001")).code == 2
        assert not any(code in bridge.log for code in (first, second))
        assert (await verb(bridge.environ, "audit")).code == 0
