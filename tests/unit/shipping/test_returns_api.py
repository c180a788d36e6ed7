"""Returns over HTTP: one key, one return; its code and its label for those alone who may see them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from bridge.app.answering import Api, internal_routes
from bridge.app.returning import Returns, return_operations, returns_apis
from bridge.app.serving import application
from bridge.commands.api import CommandsApi
from bridge.commands.execute import Executor
from bridge.commands.giving import Giving
from bridge.events.cloudevents import Envelope
from bridge.events.history import Span
from bridge.events.returned import ReturnState
from bridge.events.statuses import ReturnStatus
from bridge.inspection.return_api import ReturnStoriesApi
from bridge.lifecycle import Stop
from bridge.model import moment
from bridge.shipping.returns.codes.stock import Stock
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.doubting.doubts import Doubts
from bridge.shipping.returns.keeping import Keeping
from bridge.simulator import Scenario
from bridge.store import open_returns
from bridge.store.commands import SqlCommands
from bridge.store.database import Transaction
from bridge.store.facts import Recorder
from bridge.store.returns import Kept, Secrets
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from bridge.web.access import EVERY_SCOPE, Access
from tests.support.migrated import migrated
from tests.support.permits import FreePermits
from tests.unit.ingress.stage import client_of
from tests.unit.shipping.returning import CODES, PLATFORM, PROVIDERS, SCENARIO, TICKETS, makers_over, wanted
from tests.unit.simulator.stage import SCENARIO as CARRIER
from tests.unit.simulator.stage import Stage as Carrier

RETURNS = "/v1/returns"
CLIENTS = [
    client_of("all", EVERY_SCOPE),
    client_of("reader", ["read"]),
    client_of("writer", ["returns:write"]),
    client_of("ours", EVERY_SCOPE, [4821]),
    client_of("others", EVERY_SCOPE, [9999]),
]
LABELS = {"accounts": [{"client_id": "shop", "client_secret": "secret", "labels": True}]}
ON_ITS_WAY: Final[dict[str, Any]] = {"secondary_barcode": None, "first_mile_address": None, "timeline": []}
"""What is shown besides of one that its provider has shown no step of."""


class Counter:
    """The routes, over a database of their own and the stand-in providers."""

    def __init__(self, carrier: Carrier, app: Any, database: SqliteDatabase, keeping: Keeping) -> None:
        self.carrier = carrier
        self.database = database
        self._app = app
        self._database = database
        self._keeping = keeping

    async def ask(
        self, method: str, path: str, asked: object = None, *, token: str = "all", key: str | None = None, **query: Any
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} | ({} if key is None else {"idempotency-key": key})
        content = None if asked is None else json.dumps(asked).encode()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://bridge") as http:
            return await http.request(method, path, headers=headers, content=content, params=query)

    async def made(self, provider: str, key: str = "k-1", **changes: Any) -> dict[str, Any]:
        """Have a return made, and give what was answered."""
        answer = await self.ask("POST", RETURNS, due(self.carrier, wanted(provider, **changes)), key=key)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def doubted(self, **changes: Any) -> str:
        """Have a return of which nobody knows whether it was made; gives its id."""
        asked = Secrets("ORDER123")
        one = Kept(uuid4().hex, f"{TICKETS}/main", None, "k-lost", "pending", self.carrier.clock.now(), asked)
        one = replace(one, **changes)

        def write(transaction: Transaction) -> None:
            self._keeping.begin(transaction, one)
            self._keeping.lost(transaction, one)

        await self._database.write(write)
        return one.id

    async def lock_away(self) -> None:
        """Let no key open any more what is sealed."""
        await self._database.write(lambda it: it.run("UPDATE sealed SET key_id = 'gone'"))


def due(carrier: Carrier, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Let it expire a month after the carrier's present."""
    month = carrier.clock.now().timestamp() + 30 * 86_400
    due = carrier.clock.now().fromtimestamp(month, carrier.clock.now().tzinfo).isoformat()
    return {**asked, **({"expires_at": due} if "expires_at" in asked else {})}


@asynccontextmanager
async def counter(folder: Path, only: str | None = None, **scenario: Any) -> AsyncIterator[Counter]:
    database, stop = SqliteDatabase(migrated(folder / "bridge.db")), Stop()
    await database.open()
    written = Scenario.model_validate({**CARRIER, **SCENARIO, **scenario})
    async with Carrier(written) as carrier, httpx.AsyncClient(transport=httpx.ASGITransport(carrier.app)) as http:
        vault, clock = Vault.with_keys([b"k" * 32]), carrier.clock.now
        keeping = Keeping(database, vault, Recorder(Envelope("test")), clock, lambda: None)
        makers = makers_over(http, FreePermits(), clock, keeping)
        desk = Desk({name: one for name, one in makers.items() if only in (None, name.partition("/")[0])}, ())
        commands = SqlCommands(database, vault, "counter")
        returns = Returns(desk, keeping, Doubts(database, vault, keeping, clock), Stock(database, vault, desk.makers))
        executor = Executor(commands, return_operations(returns, clock), stop)
        giving, access = Giving(commands, executor.bell.ring, wait_s=1), Access(CLIENTS)
        apis: list[Api] = [
            *returns_apis(returns, giving, access),
            ReturnStoriesApi(database, access, clock),
            CommandsApi(commands, giving, access),
        ]
        running = asyncio.create_task(executor.run())
        try:
            yield Counter(carrier, application(internal_routes(apis)), database, keeping)
        finally:
            stop.announce()
            await running
    await database.close()


async def test_a_return_is_shown_with_its_way_so_far(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        made = await at.made(TICKETS)
        spans = (Span("NEW", 1_800_000_000, 1_800_000_000, 1), Span("USED", 1_800_003_600, 1_800_003_700, 1))
        state = ReturnState(spans, (ReturnStatus.created, ReturnStatus.dropped_off))
        named = [made["return_id"]]

        def see(transaction: Transaction) -> None:
            connection, now = f"{TICKETS}/main", moment(transaction.now)
            open_returns.enter(transaction, connection, now, timedelta(0), 1, has_labels=False)
            [one] = open_returns.find(transaction, connection, "id", named)
            open_returns.save(transaction, replace(one, seen=state))

        await at.database.write(see)
        shown = (await at.ask("GET", f"{RETURNS}/{made['return_id']}", token="reader")).json()
        assert shown["return_status"] == "dropped_off"
        assert shown["timeline"] == [
            {"carrier_status": "NEW", "return_status": "created", "since": "2027-01-15T08:00:00Z"},
            {"carrier_status": "USED", "return_status": "dropped_off", "since": "2027-01-15T09:00:00Z"},
        ]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_return_is_made_once_under_one_key(tmp_path: Path, provider: str) -> None:
    async with counter(tmp_path) as at:
        asked = due(at.carrier, wanted(provider))
        first = await at.ask("POST", RETURNS, asked, key="k-1")
        again = await at.ask("POST", RETURNS, asked, key="k-1")
        assert (first.status_code, again.status_code) == (201, 200), first.text
        assert first.json() == again.json()
        assert first.json().keys() == {
            *("return_id", "provider", "connection", "organization_id", "state", "reference", "provider_reference"),
            *("code", "tracking_number", "expires_at", "label", "drop_off", "return_status", "reason", "created_at"),
            "cancellable_until",
        }
        assert (await at.ask("POST", RETURNS, asked | {"reference": "OTHER"}, key="k-1")).status_code == 409
        assert (await at.ask("POST", RETURNS, asked)).status_code == 400


async def test_a_return_is_shown_with_its_code_to_those_alone_who_may_see_it(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        made = await at.made(TICKETS)
        path = f"{RETURNS}/{made['return_id']}"
        assert (await at.ask("GET", path)).json() == made | ON_ITS_WAY
        assert made["code"]
        assert (await at.ask("GET", path, token="reader")).json() == made | ON_ITS_WAY | {"code": None}
        assert (await at.ask("GET", RETURNS, token="reader")).json()["items"] == [made | {"code": None}]
        assert (await at.ask("GET", path, token="writer")).status_code == 403
        assert (await at.ask("GET", f"{path}/label", token="reader")).status_code == 403
        assert (await at.ask("GET", f"{RETURNS}/nothing")).status_code == 404


async def test_what_it_is_handed_over_with_is_shown_to_those_alone_who_may_see_the_code(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        made = await at.made(PLATFORM)
        path = f"{RETURNS}/{made['return_id']}"
        shown = (await at.ask("GET", path)).json()
        assert shown["secondary_barcode"] == f"sec_{made['tracking_number']}"
        assert shown["first_mile_address"] == {
            "country_code": "DE",
            "state": "Neuss",
            "post_code": "41460",
            "city": "Neuss",
            "lines": ["Hub street 1"],
        }
        assert (await at.ask("GET", path, token="reader")).json() == made | ON_ITS_WAY | {"code": None}


async def test_a_token_sees_the_returns_of_its_organizations_alone(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        asked = wanted(TICKETS)
        ours = (await at.ask("POST", RETURNS, asked, token="ours", key="k-1")).json()
        assert ours["organization_id"] == 4821
        nobodys = await at.made(TICKETS, "k-2")
        for path in (f"{RETURNS}/{ours['return_id']}", f"{RETURNS}/{nobodys['return_id']}"):
            assert (await at.ask("GET", path, token="others")).status_code == 404
        assert (await at.ask("GET", RETURNS, token="others")).json()["items"] == []
        assert (await at.ask("GET", RETURNS, token="ours")).json()["items"] == [ours]
        assert (await at.ask("POST", RETURNS, asked | {"organization_id": 1}, token="ours", key="k")).status_code == 403


async def test_returns_are_listed_page_after_page(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        for number in range(3):
            await at.made(CODES, f"k-{number}")
        first = (await at.ask("GET", RETURNS, limit=2)).json()
        second = (await at.ask("GET", RETURNS, limit=2, after=first["next"])).json()
        found = [one["return_id"] for one in (*first["items"], *second["items"])]
        assert (len(set(found)), second["next"]) == (3, None)
        assert (await at.ask("GET", RETURNS, state="unknown")).json()["items"] == []
        assert len((await at.ask("GET", RETURNS, provider=CODES)).json()["items"]) == 3
        for query in ({"state": "no"}, {"provider": "no"}, {"after": "no"}, {"after": "1.-"}, {"limit": 0}):
            assert (await at.ask("GET", RETURNS, **query)).status_code == 400


@pytest.mark.parametrize("provider", [TICKETS, PLATFORM])
async def test_the_label_is_the_providers(tmp_path: Path, provider: str) -> None:
    async with counter(tmp_path, inpost_returns=LABELS) as at:
        made = await at.made(provider)
        assert made["label"]["ready"]
        answer = await at.ask("GET", made["label"]["url"])
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")


@pytest.mark.parametrize("provider", [TICKETS, CODES])
async def test_where_there_is_no_label_that_is_said(tmp_path: Path, provider: str) -> None:
    async with counter(tmp_path) as at:
        made = await at.made(provider)
        assert not made["label"]["ready"]
        assert (await at.ask("GET", made["label"]["url"])).status_code == 404


async def test_a_code_is_drawn_for_those_who_may_see_it(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{(await at.made(TICKETS))['return_id']}/qr"
        answer = await at.ask("GET", path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert (answer.headers["cache-control"], answer.content[:8]) == ("no-store", b"\x89PNG\r\n\x1a\n")
        assert (await at.ask("GET", path, token="reader")).status_code == 403
        without = f"{RETURNS}/{(await at.made(PLATFORM, 'k-2'))['return_id']}/qr"
        assert (await at.ask("GET", without)).status_code == 404


async def test_a_return_that_nobody_takes_is_refused_by_field_and_its_key_stays_free(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        wrong = wanted(CODES, parcel_size=None, expires_at="2020-01-01T00:00:00Z", provider_options={"a": 1})
        answer = await at.ask("POST", RETURNS, wrong, key="k-1")
        assert answer.status_code == 422
        assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [
            ("parcel_size", "missing"),
            ("expires_at", "too_early"),
            ("provider_options", "unexpected"),
        ]
        await at.made(CODES)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"provider": None}, "provider"),
        ({"provider": "dhl"}, "provider"),
        ({"connection": "other"}, "connection"),
        ({"sender": None}, "sender"),
        ({"reference": None}, "reference"),
        ({"colour": "red"}, "colour"),
        ({"sender": {"shoe_size": 44}}, "sender.shoe_size"),
        ({"expires_at": 1}, "expires_at"),
        ({"items": [{"sku": "A", "name": "b", "quantity": 0}]}, "items.0.quantity"),
        ({"collection": {"date": 1_790_000_000}}, "collection.date"),
        ({"collection": {"date": "2026-12-07", "time_from": "09:00Z", "time_to": "17:00"}}, "collection.time_from"),
        ({"collection": {"date": "2026-12-07", "time_from": "09:00", "time_to": 61_200}}, "collection.time_to"),
        ({"collection": {"date": "2026-12-07", "time_from": "09:00:30"}}, "collection.time_from"),
    ],
)
async def test_what_is_wrong_is_told_by_its_field(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    async with counter(tmp_path) as at:
        answer = await at.ask("POST", RETURNS, {**wanted(TICKETS), **changes}, key="k-1")
        assert answer.status_code == 422
        assert field in [one["field"] for one in answer.json()["errors"]]
        assert (await at.ask("GET", RETURNS)).json()["items"] == []


async def test_it_can_be_sent_until_what_was_asked_for_where_the_answer_says_nothing_else(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        asked = due(at.carrier, wanted(TICKETS, expires_at=""))
        answer = await at.ask("POST", RETURNS, asked, key="k-1")
        assert datetime.fromisoformat(answer.json()["expires_at"]) == datetime.fromisoformat(asked["expires_at"])


async def test_a_courier_is_asked_for_by_the_clock_of_whoever_hands_it_over(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        when = {"date": "2026-12-07", "time_from": "09:00", "time_to": "17:30"}
        asked = wanted(PLATFORM, service_id=203, collection=when)
        answer = await at.ask("POST", RETURNS, asked, key="k-1")
        assert answer.status_code == 201, answer.text
        late = asked | {"collection": when | {"time_to": "09:00"}}
        refused = await at.ask("POST", RETURNS, late, key="k-2")
        assert [(one["field"], one["code"]) for one in refused.json()["errors"]] == [("collection.time_to", "invalid")]


async def test_the_only_provider_makes_what_names_none(tmp_path: Path) -> None:
    async with counter(tmp_path, TICKETS) as at:
        asked = {key: value for key, value in wanted(TICKETS).items() if key != "provider"}
        answer = await at.ask("POST", RETURNS, asked, key="k-1")
        assert (answer.status_code, answer.json()["provider"]) == (201, TICKETS)


async def test_what_was_made_is_answered_again_though_its_time_has_come_too_near(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        asked = due(at.carrier, wanted(TICKETS, expires_at=""))
        first = await at.ask("POST", RETURNS, asked, key="k-1")
        await at.carrier.simulator.advance(29 * 86_400)
        again = await at.ask("POST", RETURNS, asked, key="k-1")
        assert (again.status_code, again.json()) == (200, first.json())
        assert (await at.ask("POST", RETURNS, asked, key="k-2")).status_code == 422


async def test_what_no_key_opens_any_more_is_not_made_again_under_its_key(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        asked = wanted(TICKETS)
        assert (await at.ask("POST", RETURNS, asked, key="k-1")).status_code == 201
        await at.lock_away()
        again = await at.ask("POST", RETURNS, asked, key="k-1")
        assert (again.status_code, again.json()["outcome"]) == (202, "accepted")
        assert (await at.ask("POST", RETURNS, asked | {"reference": "OTHER"}, key="k-1")).status_code == 409
        assert [one["reference"] for one in (await at.ask("GET", RETURNS)).json()["items"]] == [""]


async def test_what_was_called_off_before_it_was_sent_is_never_made_under_its_key(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        away = {"kind": "unavailable", "method": "POST", "path": "*openid-connect/token", "times": 1000}
        await at.carrier.client.post("/_control/faults", json=away)
        asked = wanted(TICKETS)
        first = await at.ask("POST", RETURNS, asked, key="k-1")
        assert (first.status_code, first.json()["outcome"]) == (202, "accepted")
        [pending] = (await at.ask("GET", RETURNS)).json()["items"]
        off = await at.ask("POST", f"{RETURNS}/{pending['return_id']}/cancel")
        assert (off.status_code, off.json()["result"]["cancellation"]) == (200, "withdrawn"), off.text
        await at.carrier.client.delete("/_control/faults")
        again = [await at.ask("POST", RETURNS, asked, key="k-1") for _ in range(2)]
        assert [(one.status_code, one.json()["type"]) for one in again] == [(409, "/problems/called-off")] * 2
        assert (await at.ask("POST", RETURNS, asked | {"reference": "OTHER"}, key="k-1")).json()["type"] == (
            "/problems/key-used"
        )
        [kept] = (await at.ask("GET", RETURNS)).json()["items"]
        assert (kept["return_id"], kept["state"]) == (pending["return_id"], "cancelled")
        assert (await at.carrier.control("inpost-returns/tickets"))["items"] == []
        assert (await at.ask("POST", RETURNS, asked, key="k-2")).status_code == 201


async def test_what_became_of_a_return_in_doubt_is_said_by_hand(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{await at.doubted()}"
        assert (await at.ask("GET", path)).json()["state"] == "unknown"
        found = {"made": True, "provider_reference": "d462ec8a", "code": "1234567890"}
        answer = await at.ask("POST", f"{path}/settle", found, key="s-1")
        assert (answer.status_code, answer.json()["outcome"]) == (200, "done"), answer.text
        settled = (await at.ask("GET", path)).json()
        assert settled == answer.json()["result"] | ON_ITS_WAY
        assert (settled["state"], settled["provider_reference"], settled["code"]) == (
            "created",
            *list(found.values())[1:],
        )
        assert (await at.ask("POST", f"{path}/settle", found, key="s-1")).json() == answer.json()
        again = await at.ask("POST", f"{path}/settle", {"made": False}, key="s-2")
        assert (again.status_code, again.json()["type"]) == (409, "/problems/not-in-doubt")


async def test_what_was_not_made_has_failed_and_keeps_that(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{await at.doubted()}"
        assert (await at.ask("POST", f"{path}/settle", {"made": False})).status_code == 200, "no key is needed"
        shown = (await at.ask("GET", path)).json()
        assert (shown["state"], shown["reason"]) == ("failed", "not_made")


@pytest.mark.parametrize("reference", ["T:1", "a_b", ".."])
async def test_what_a_person_said_is_its_ticket_and_is_none_has_no_label(tmp_path: Path, reference: str) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{await at.doubted()}"
        found = {"made": True, "provider_reference": reference}
        assert (await at.ask("POST", f"{path}/settle", found, key="s-1")).status_code == 200
        assert (await at.ask("GET", f"{path}/label")).status_code == 404


async def test_only_who_may_make_and_see_a_return_settles_it(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{await at.doubted()}/settle"
        assert (await at.ask("POST", path, {"made": False}, key="s-1", token="reader")).status_code == 403
        assert (await at.ask("POST", path, {"made": False}, key="s-1", token="ours")).status_code == 404
        assert (await at.ask("POST", f"{RETURNS}/nothing/settle", {"made": False}, key="s-1")).status_code == 404


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"made": True},
        {"made": "yes"},
        {"made": True, "tracking_number": "62001"},
        {"made": False, "code": "1234567890"},
        {"made": True, "provider_reference": "no id"},
        {"made": True, "code": "12 34"},
    ],
)
async def test_what_says_not_clearly_what_became_of_it_is_refused(tmp_path: Path, found: dict[str, Any]) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{await at.doubted()}"
        answer = await at.ask("POST", f"{path}/settle", found, key="s-1")
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/unprocessable"), answer.text
        assert (await at.ask("GET", path)).json()["state"] == "unknown"


async def test_what_happened_to_a_return_is_told_to_whoever_sees_it_without_what_is_sealed(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        made = await at.made(TICKETS, organization_id=4821)
        path = f"{RETURNS}/{made['return_id']}/why"
        answer = await at.ask("GET", path, token="reader")
        told = answer.json()
        assert told.keys() == {"return_id", "timeline", "deleted_events", "outlook"}
        assert [one.get("what", one["kind"]) for one in told["timeline"]] == ["asked", "sent", "event"]
        assert not [word for word in (made["code"], "ORDER123", "jan@example.com") if word in answer.text]
        assert (await at.ask("GET", path, token="others")).status_code == 404
        assert (await at.ask("GET", f"{RETURNS}/nothing/why")).status_code == 404
