"""The list of tickets: filters, pages, zones, and how tickets move through it."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.simulator import load_scenario

from ..shapes import differences
from ..stage import Stage, as_object
from .conftest import Opened
from .counter import Counter, sample


async def test_a_list_has_the_shape_of_the_sample(opened: Opened) -> None:
    counter = await opened(status_case="lower")
    await counter.move((await counter.made())["id"], "DELIVERED")
    found = as_object(await counter.ask("DELIVERED", {"Accept-Time-Zone": "Europe/Warsaw"}))
    assert not list(differences(sample("tickets"), found))
    row = found["returns"][0]
    assert (row["status"], row["createdAt"]) == ("delivered", "2026-03-18T12:31:58.279+01:00")


async def test_moments_that_have_not_come_are_null_or_missing(opened: Opened) -> None:
    for unset, expected in (("null", {"sentAt", "deliveredAt"}), ("missing", set())):
        counter = await opened(unset=unset)
        await counter.made()
        row = as_object(await counter.ask())["returns"][0]
        assert {name for name in ("sentAt", "deliveredAt") if name in row} == expected


async def test_a_status_shows_its_own(counter: Counter) -> None:
    first, second = (await counter.made())["id"], (await counter.made())["id"]
    await counter.move(second, "USED")
    assert (await counter.listed("NEW"), await counter.listed("USED")) == ([first], [second])


async def test_an_account_sees_its_own(counter: Counter) -> None:
    await counter.made()
    await counter.entered("other")
    assert await counter.listed() == []


async def test_what_nobody_sends_expires(counter: Counter) -> None:
    ticket, sent = (await counter.made())["id"], (await counter.made())["id"]
    await counter.move(sent, "USED")
    window = {"dateFrom": "2026-03-18T00:00:00", "dateTo": "2026-03-19T00:00:00"}
    await counter.stage.advance(7 * 86_400)
    await counter.entered()
    assert await counter.listed("EXPIRED", **window) == [ticket]
    assert await counter.listed("USED", **window) == [sent]


async def test_the_window_is_one_of_creation_in_the_zone_of_the_header(counter: Counter) -> None:
    ticket = (await counter.made())["id"]
    window = {"dateFrom": "2026-03-18T12:00:00", "dateTo": "2026-03-18T13:00:00"}
    assert await counter.listed(**window) == []
    assert await counter.listed(**window, headers={"Accept-Time-Zone": "Europe/Warsaw"}) == [ticket]


async def test_pages_begin_at_zero(counter: Counter) -> None:
    ids = []
    for _ in range(3):
        ids.append((await counter.made())["id"])
        await counter.stage.advance(1)
    assert await counter.listed(size=2) == ids[:2]
    assert await counter.listed(size=2, page=1) == ids[2:]
    assert await counter.listed(sort="createdAt,desc") == ids[::-1]
    answer = as_object(await counter.ask(size=2, page=1))
    assert (answer["count"], answer["page"], answer["perPage"]) == (3, 1, 2)


async def test_the_count_may_be_that_of_the_page(opened: Opened) -> None:
    counter = await opened(count="page")
    await counter.made()
    assert as_object(await counter.ask(page=1))["count"] == 0


async def test_a_new_ticket_may_be_missing_for_a_while(opened: Opened) -> None:
    counter = await opened(list_lag=5)
    ticket = (await counter.made())["id"]
    assert await counter.listed() == []
    await counter.stage.advance(5)
    assert await counter.listed() == [ticket]


@pytest.mark.parametrize(
    "params",
    [
        {"status": "new"},
        {"status": ""},
        {"dateFrom": ""},
        {"dateTo": "2026-03-18"},
        {"dateTo": "2026-02-30T00:00:00"},
        {"size": 1001},
        {"size": 0},
        {"page": "-1"},
        {"page": "x"},
        {"sort": "code,asc"},
        {"sort": "createdAt,up"},
        {"headers": {"Accept-Time-Zone": "Europe/Nowhere"}},
        {"headers": {"Accept-Time-Zone": "../etc"}},
    ],
)
async def test_what_is_not_valid_is_refused(counter: Counter, params: dict[str, Any]) -> None:
    assert (await counter.ask(**params)).status_code == 400


@pytest.mark.parametrize(("dates", "plain", "zoned"), [("any", 200, 200), ("plain", 200, 400), ("zoned", 400, 200)])
async def test_moments_have_the_form_that_the_scenario_wants(
    opened: Opened, dates: str, plain: int, zoned: int
) -> None:
    counter = await opened(dates=dates)
    for form, status in (("2026-03-18T12:00:00", plain), ("2026-03-18T12:00:00.000Z", zoned)):
        assert (await counter.ask(dateFrom=form, dateTo=form)).status_code == status


async def test_tickets_go_the_ways_of_the_scenario(opened: Opened) -> None:
    steps = [{"status": "ACCEPTED", "after": 1}, {"status": "USED", "after": 1}, {"status": "DELIVERED", "after": 1}]
    counter = await opened(courses=[{"name": "home", "steps": steps}])
    going, cancelled = (await counter.made())["id"], (await counter.made())["id"]
    await counter.stage.advance(1)
    assert await counter.listed("ACCEPTED") == [going, cancelled]
    await counter.move(cancelled, "CANCELED")
    await counter.stage.advance(2)
    row = as_object(await counter.ask("DELIVERED"))["returns"][0]
    assert (row["id"], row["sentAt"], row["deliveredAt"]) == (
        going,
        "2026-03-18T11:32:00.279Z",
        "2026-03-18T11:32:01.279Z",
    )
    assert await counter.listed("CANCELED") == [cancelled]


async def test_the_packaged_scenario_has_an_account() -> None:
    async with Stage(load_scenario()) as stage:
        counter = Counter(stage)
        answer = await counter.token(client_id="demo-returns", client_secret="demo-returns-secret")
        assert answer.status_code == 200


async def test_a_ticket_that_is_not_there_cannot_be_moved(counter: Counter) -> None:
    answer = await counter.stage.client.post("/_control/inpost-returns/tickets/x/statuses", json={"status": "USED"})
    assert answer.status_code == 404
