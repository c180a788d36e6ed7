"""Codes made in advance, and calling returns off, over HTTP: one key, one effect; a code for those who may see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.unit.shipping.returning import CODES, PLATFORM, SENDER, TICKETS, wanted
from tests.unit.shipping.test_returns_api import RETURNS, Counter, counter, due

MADE = f"{RETURNS}/codes"


def use(at: Counter, **changes: Any) -> dict[str, Any]:
    """Write what a code is to be used for."""
    sender = {"phone": SENDER["phone"], "email": SENDER["email"]}
    asked = {"reference": "ORDER123", "sender": sender, "parcel_size": "A", "expires_at": ""}
    return {**due(at.carrier, asked), **changes}


async def stocked(at: Counter, count: int = 1, **given: Any) -> list[dict[str, Any]]:
    """Have codes made, and give them."""
    answer = await at.ask("POST", MADE, {"count": count}, key="stock", **given)
    assert answer.status_code == 201, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_codes_are_made_once_under_one_key(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        first = await at.ask("POST", MADE, {"count": 3}, key="k-1")
        again = await at.ask("POST", MADE, {"count": 3}, key="k-1")
        assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
        assert (first.json()["asked"], first.json()["made"], first.json()["reason"]) == (3, 3, None)
        assert {one["state"] for one in first.json()["items"]} == {"inactive"}
        assert (await at.ask("POST", MADE, {"count": 4}, key="k-1")).status_code == 409
        assert (await at.ask("POST", MADE, {"count": 3})).status_code == 400


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "count"),
        ({"count": 0}, "count"),
        ({"count": 1001}, "count"),
        ({"count": True}, "count"),
        ({"count": 1, "connection": "other"}, "connection"),
        ({"count": 1, "provider": CODES}, "provider"),
    ],
)
async def test_what_is_wrong_is_told_by_its_field(tmp_path: Path, asked: dict[str, Any], field: str) -> None:
    async with counter(tmp_path) as at:
        answer = await at.ask("POST", MADE, asked, key="k-1")
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field])
        assert len(await stocked(at)) == 1


async def test_where_nobody_makes_codes_that_is_said(tmp_path: Path) -> None:
    async with counter(tmp_path, TICKETS) as at:
        answer = await at.ask("POST", MADE, {"count": 1}, key="k-1")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "missing")
        assert "szybkie_zwroty" in answer.json()["detail"]


async def test_codes_are_listed_and_shown_to_those_who_may_see_them(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        made = await stocked(at, 3)
        first = (await at.ask("GET", MADE, limit=2)).json()
        second = (await at.ask("GET", MADE, limit=2, after=first["next"])).json()
        found = [*first["items"], *second["items"]]
        assert (sorted(one["code"] for one in found), second["next"]) == (sorted(one["code"] for one in made), None)
        shown = (await at.ask("GET", MADE, token="reader")).json()["items"]
        assert {one["code"] for one in shown} == {None}
        assert (await at.ask("GET", MADE, state="active")).json()["items"] == []
        assert (await at.ask("GET", MADE, token="writer")).status_code == 403
        for query in ({"state": "no"}, {"after": "no"}, {"limit": 0}):
            assert (await at.ask("GET", MADE, **query)).status_code == 400


@pytest.mark.parametrize("name", ["code", "id"])
async def test_a_code_becomes_a_return_by_what_it_reads_or_by_its_id(tmp_path: Path, name: str) -> None:
    async with counter(tmp_path) as at:
        [spare] = await stocked(at)
        path, asked = f"{MADE}/{spare[name]}/activate", use(at)
        with capture_logs() as logs:
            first = await at.ask("POST", path, asked, key="k-1")
            again = await at.ask("POST", path, asked, key="k-1")
        assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json()), first.text
        assert (first.json()["code"], first.json()["state"]) == (spare["code"], "created")
        shown = (await at.ask("GET", f"{RETURNS}/{first.json()['return_id']}")).json()
        assert shown == shown | first.json() | {"timeline": []}
        assert [one["state"] for one in (await at.ask("GET", MADE)).json()["items"]] == ["active"]
        other = await at.ask("POST", path, asked, key="k-2")
        assert (other.status_code, other.json()["type"]) == (409, "/problems/not-inactive")
        assert "http.request" in {one["event"] for one in logs}
        assert spare["code"] not in str(logs)
        drawn = await at.ask("GET", f"{RETURNS}/{first.json()['return_id']}/qr")
        assert drawn.status_code == 200


async def test_what_the_provider_would_not_take_is_told_by_field_and_its_key_stays_free(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        [spare] = await stocked(at)
        path = f"{MADE}/{spare['id']}/activate"
        wrong = use(at, parcel_size="XL", sender={"email": "no"})
        answer = await at.ask("POST", path, wrong, key="k-1")
        assert answer.status_code == 422
        assert {one["field"] for one in answer.json()["errors"]} == {"parcel_size", "sender.phone", "sender.email"}
        for missing in ("reference", "sender"):
            less = {key: value for key, value in use(at).items() if key != missing}
            assert (await at.ask("POST", path, less, key="k-1")).status_code == 422
        assert (await at.ask("POST", path, use(at) | {"provider": CODES}, key="k-1")).status_code == 422
        assert (await at.ask("POST", path, use(at), key="k-1")).status_code == 201


async def test_a_code_is_made_useless_once_and_for_all(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        [spare] = await stocked(at)
        path = f"{MADE}/{spare['code']}"
        answer = await at.ask("POST", f"{path}/invalidate", key="k-1")
        assert (answer.status_code, answer.json()["result"]["state"]) == (200, "invalidated")
        assert (await at.ask("POST", f"{path}/invalidate", key="k-2")).status_code == 200
        assert (await at.ask("POST", f"{path}/activate", use(at), key="k-1")).status_code == 409
        assert (await at.ask("POST", f"{path}/activate", use(at))).status_code == 400, "it makes a return"
        assert (await at.ask("POST", f"{path}/invalidate")).status_code == 200, "it makes nothing"
        assert (await at.ask("POST", f"{path}/invalidate", {"why": "x"}, key="k-3")).status_code == 422


async def test_what_is_active_is_not_made_useless(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        [spare] = await stocked(at)
        await at.ask("POST", f"{MADE}/{spare['id']}/activate", use(at), key="k-1")
        answer = await at.ask("POST", f"{MADE}/{spare['id']}/invalidate", key="k-1")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-inactive")


async def test_a_token_uses_the_codes_of_its_organizations_alone(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        [ours] = await stocked(at, token="ours")
        assert ours["organization_id"] == 4821
        for path in (f"{MADE}/{ours['id']}/activate", f"{MADE}/{ours['code']}/activate", f"{MADE}/1/activate"):
            assert (await at.ask("POST", path, use(at), token="others", key="k-1")).status_code == 404
        assert (await at.ask("POST", f"{MADE}/{ours['id']}/invalidate", token="others", key="k-1")).status_code == 404
        assert (await at.ask("GET", MADE, token="others")).json()["items"] == []
        assert (await at.ask("GET", MADE, token="others", organization_id=4821)).status_code == 403
        made = await at.ask("POST", f"{MADE}/{ours['id']}/activate", use(at), token="ours", key="k-1")
        assert (made.status_code, made.json()["organization_id"]) == (201, 4821)
        assert (
            await at.ask("POST", MADE, {"count": 1, "organization_id": 1}, token="ours", key="k")
        ).status_code == 403


# -- calling off -------------------------------------------------------------------------------------------------------


async def test_a_return_is_called_off_as_far_as_its_provider_knows_that(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        made = await at.made(PLATFORM)
        assert made["cancellable_until"] is not None
        path = f"{RETURNS}/{made['return_id']}/cancel"
        answer = await at.ask("POST", path, key="k-1")
        assert answer.status_code == 200, answer.text
        assert answer.json()["result"] == {
            "return_id": made["return_id"],
            "provider": PLATFORM,
            "state": "created",
            "cancellation": "requested",
        }
        assert (await at.ask("POST", path, key="k-1")).json() == answer.json()
        assert (await at.ask("GET", f"{RETURNS}/{made['return_id']}")).json()["state"] == "created"
        keyless = await at.ask("POST", path)
        assert (keyless.status_code, keyless.json()["result"]) == (200, answer.json()["result"])
        assert (await at.ask("POST", path, {"why": "x"}, key="k-2")).status_code == 422
        assert (await at.ask("POST", path, key="k-2", token="reader")).status_code == 403


@pytest.mark.parametrize("provider", [TICKETS, CODES])
async def test_what_the_provider_does_not_know_is_said(tmp_path: Path, provider: str) -> None:
    async with counter(tmp_path) as at:
        made = await at.made(provider)
        answer = await at.ask("POST", f"{RETURNS}/{made['return_id']}/cancel")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-supported")
        assert "expires" in answer.json()["detail"]


async def test_a_token_calls_off_the_returns_of_its_organizations_alone(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        ours = (await at.ask("POST", RETURNS, wanted(PLATFORM), token="ours", key="k-1")).json()
        for path in (f"{RETURNS}/{ours['return_id']}/cancel", f"{RETURNS}/nothing/cancel"):
            assert (await at.ask("POST", path, token="others", key="k-1")).status_code == 404
        assert (await at.ask("POST", f"{RETURNS}/{ours['return_id']}/cancel", token="ours", key="k")).status_code == 200
