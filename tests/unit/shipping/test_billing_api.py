"""What a return costs, and that its customer was paid back; and a whole journey in either format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.carriers.intelligentreturns.formats import Name
from tests.unit.shipping.checkouts import ORDER, ORDERS, POINTS, QUOTE, QUOTES, RETURNS, SHIRT, Counter, counter
from tests.unit.shipping.returning import CODES, PLATFORM, TICKETS

FORMATS: tuple[Name, ...] = ("json", "xml")


async def _move(at: Counter, status: str) -> None:
    """Let a scan of the only return become known, a minute ago."""
    [there] = (await at.control("GET", "/_control/intelligentreturns/returns")).json()["items"]
    path = f"/_control/intelligentreturns/returns/{there['id']}/statuses"
    await at.control("POST", path, {"status": status})
    await at.carrier.advance(60)


async def _statuses(at: Counter) -> list[str]:
    [there] = (await at.control("GET", "/_control/intelligentreturns/returns")).json()["items"]
    found: list[str] = there["statuses"]
    return found


def _sum(euros: str, pounds: str) -> list[dict[str, str]]:
    return [{"amount": euros, "currency": "EUR"}, {"amount": pounds, "currency": "GBP"}]


@pytest.mark.parametrize("form", FORMATS)
async def test_from_an_order_to_the_money(tmp_path: Path, form: Name) -> None:
    """Told, priced, made, billed, paid back."""
    async with counter(tmp_path, form=form) as at:
        await at.told(ORDERS, ORDER, "k-1")
        quotes = (await at.ask("POST", QUOTES, QUOTE | {"reference": "ORDER123"})).json()["items"]
        cheapest = min(
            (one for one in quotes if one["price"]["total"]), key=lambda one: one["price"]["total"]["amount"]
        )
        assert cheapest["service_id"] == 243
        [point, *_] = (await at.ask("GET", POINTS, country_code="PL", service_id=243)).json()["items"]
        made = await at.returned(items=[SHIRT], service_id=243, drop_off_point_id=point["drop_off_point_id"])
        await _move(at, "20")
        bill = (await at.ask("GET", f"{RETURNS}/{made['return_id']}/billing")).json()
        assert bill == {
            "return_id": made["return_id"],
            "provider": PLATFORM,
            "tracking_number": made["tracking_number"],
            "customer": {
                "transactions": [{"price": {"amount": "1.55", "currency": "EUR"}, "comment": "paid by the customer"}],
                "totals": _sum("1.55", "1.32"),
            },
            "contract": {
                "transactions": [{"price": {"amount": "3.10", "currency": "EUR"}, "comment": "billed at scan 20"}],
                "totals": _sum("3.10", "2.64"),
            },
            "invoice": _sum("1.55", "1.32"),
        }
        refunded = await at.told(f"{RETURNS}/{made['return_id']}/refunded", {}, "k-2")
        assert refunded.keys() == {"return_id", "provider", "refunded_at"}
        assert await _statuses(at) == ["10", "20", "70"]


async def test_a_bill_comes_without_comments_to_a_token_that_may_not_see_people(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{(await at.returned())['return_id']}/billing"
        bill = (await at.ask("GET", path, token="reader")).json()
        assert [one["comment"] for one in bill["customer"]["transactions"]] == [None]
        assert bill["contract"] == {"transactions": [], "totals": _sum("0.00", "0.00")}


async def test_a_refund_is_told_once_and_to_tell_what_is_known_does_no_harm(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{(await at.returned())['return_id']}/refunded"
        when = (at.carrier.clock.now()).isoformat()
        first = await at.told(path, {"at": when}, "k-1")
        again = await at.ask("POST", path, {"at": when}, key="k-1")
        assert (again.status_code, again.json()) == (200, first)
        assert (await at.ask("POST", path, {}, key="k-1")).status_code == 409
        assert (await at.ask("POST", path, {}, key="k-2")).status_code == 201
        assert (await at.ask("POST", path, {})).status_code == 201, "nothing is made, so no key is needed"
        assert await _statuses(at) == ["10", "70"]
        assert (await at.deeds())["return_status_added"] == 1


@pytest.mark.parametrize("asked", [{"at": 1}, {"at": "2026-03-01"}, {"when": None}])
async def test_a_bad_field_of_a_refund_is_named(tmp_path: Path, asked: Any) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{(await at.returned())['return_id']}/refunded"
        answer = await at.ask("POST", path, asked, key="k-1")
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, list(asked))


async def test_a_refund_before_the_last_scan_is_refused_by_its_field(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{(await at.returned())['return_id']}/refunded"
        answer = await at.ask("POST", path, {"at": "2020-01-01T00:00:00Z"}, key="k-1")
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/carrier-refused")
        assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [("at", "too_early")]


@pytest.mark.parametrize("provider", [TICKETS, CODES])
async def test_another_provider_knows_no_money(tmp_path: Path, provider: str) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{(await at.returned(provider))['return_id']}"
        for answer in (
            await at.ask("GET", f"{path}/billing"),
            await at.ask("POST", f"{path}/refunded", {}, key="k-1"),
        ):
            assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-supported")
            assert provider in answer.json()["detail"]


async def test_what_was_not_made_has_no_bill(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        await at.refuse("returns/create", "zip_incorrect")
        await at.ask("POST", RETURNS, {**QUOTE, "provider": PLATFORM, "reference": "A", "service_id": 243}, key="k")
        [failed] = (await at.ask("GET", RETURNS)).json()["items"]
        path = f"{RETURNS}/{failed['return_id']}"
        assert failed["state"] == "failed"
        assert (await at.ask("GET", f"{path}/billing")).status_code == 409
        assert (await at.ask("POST", f"{path}/refunded", {}, key="k-1")).status_code == 409


async def test_a_return_that_the_provider_does_not_know_has_no_bill(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        path = f"{RETURNS}/{(await at.returned())['return_id']}/billing"
        await at.refuse("returns/billing", "return_nx")
        assert (await at.ask("GET", path)).status_code == 404
        await at.refuse("returns/billing", "access_denied")
        assert (await at.ask("GET", path)).status_code == 503


async def test_only_who_sees_a_return_sees_its_money(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        asked = {**QUOTE, "provider": PLATFORM, "reference": "A", "service_id": 243}
        made = (await at.ask("POST", RETURNS, asked, key="k", token="ours")).json()
        await at.carrier.advance(60)
        path = f"{RETURNS}/{made['return_id']}"
        for token, bill, refund in (
            ("nobody", 401, 401),
            ("others", 404, 404),
            ("reader", 200, 403),
            ("writer", 403, 201),
            ("ours", 200, 201),
        ):
            assert (await at.ask("GET", f"{path}/billing", token=token)).status_code == bill
            answer = await at.ask("POST", f"{path}/refunded", {}, key=f"k-{token}", token=token)
            assert answer.status_code == refund
        assert (await at.ask("GET", f"{RETURNS}/nothing/billing")).status_code == 404
        assert (await at.ask("POST", f"{RETURNS}/nothing/refunded", {}, key="k")).status_code == 404
