"""Where any parcel is: in our words beside the carrier's, and asked for no more often than once in ten seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

import httpx
import pytest

from bridge.app.serving import application
from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable, NoPermit
from bridge.limits.connection import Purpose
from bridge.shipping.tracking_api import TrackingApi
from bridge.shipping.trails import Trails
from bridge.tracking.dictionary import Dictionary
from bridge.tracking.trail import Step, Tracking
from bridge.web.access import Access
from tests.unit.ingress.stage import client_of

NUMBER = "620000000000000000000017"
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FOUND = Tracking(
    number=NUMBER,
    status="out_for_delivery",
    service="inpost_locker_standard",
    steps=(Step("out_for_delivery", AT), Step("brand_new_word", AT), Step("confirmed", AT)),
    target_point="KRA010",
)


@dataclass
class Carrier:
    """Answers the same to everybody, and counts."""

    answer: Tracking | CarrierError = FOUND
    asked: list[str] = field(default_factory=list)

    async def track(self, number: str, purpose: Purpose = Purpose.tracking) -> Tracking:
        assert purpose is Purpose.tracking, "behind everything else"
        self.asked.append(number)
        await asyncio.sleep(0)
        if isinstance(self.answer, CarrierError):
            raise self.answer
        return replace(self.answer, number=number)

    async def statuses(self, language: Literal["en_GB", "pl_PL"] = "en_GB") -> Dictionary:
        raise NotImplementedError


@dataclass
class Desk:
    """The route, with a clock by hand."""

    carriers: Sequence[Carrier]
    now: float = 0.0

    def __post_init__(self) -> None:
        self.trails = Trails(list(self.carriers), lambda: self.now)

    async def ask(self, number: str = NUMBER, token: str = "reader") -> httpx.Response:
        clients = [client_of("reader", ["read"]), client_of("shipper", ["shipments:write"])]
        transport = httpx.ASGITransport(application(TrackingApi(self.trails, Access(clients)).routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as client:
            return await client.get(f"/v1/tracking/{number}", headers={"authorization": f"Bearer {token}"})


async def test_a_trail_is_told_in_our_words_beside_the_carriers() -> None:
    answer = await Desk([Carrier()]).ask()
    body: dict[str, Any] = answer.json()
    steps = body.pop("steps")
    assert (answer.status_code, body) == (
        200,
        {
            "tracking_number": NUMBER,
            "tracking_status": "out_for_delivery",
            "carrier_status": "out_for_delivery",
            "reason": None,
            "terminal": False,
            "attention": False,
            "service": "inpost_locker_standard",
            "target_point": "KRA010",
            "created_at": None,
            "updated_at": None,
            "unread_steps": 0,
        },
    )
    assert [one["tracking_status"] for one in steps] == ["out_for_delivery", "unknown", "label_created"]
    assert steps[1] == {
        "at": "2026-11-20T12:00:00Z",
        "tracking_status": "unknown",
        "carrier_status": "brand_new_word",
        "origin_status": None,
        "agency": None,
    }


async def test_a_word_that_says_nothing_leaves_the_last_known_status() -> None:
    found = replace(FOUND, status="brand_new_word")
    body = (await Desk([Carrier(found)]).ask()).json()
    assert (body["tracking_status"], body["carrier_status"]) == ("out_for_delivery", "brand_new_word")


@pytest.mark.parametrize("answer", [FOUND, CarrierRefused("resource_not_found", status=404)])
async def test_a_number_is_asked_for_once_in_ten_seconds_whatever_came_of_it(answer: Tracking | CarrierError) -> None:
    desk = Desk([carrier := Carrier(answer)])
    await asyncio.gather(*(desk.ask() for _ in range(5)))
    desk.now = 9.9
    await desk.ask()
    assert carrier.asked == [NUMBER]
    desk.now = 10.0
    await desk.ask()
    assert carrier.asked == [NUMBER] * 2


async def test_no_answer_is_kept_for_a_moment_only() -> None:
    desk = Desk([carrier := Carrier(CarrierUnavailable("no_answer"))])
    assert [(await desk.ask()).status_code for _ in range(2)] == [503, 503]
    desk.now, carrier.answer = 2.0, FOUND
    assert ((await desk.ask()).status_code, len(carrier.asked)) == (200, 2)


async def test_so_many_numbers_are_kept_and_no_more() -> None:
    desk = Desk([carrier := Carrier()])
    for number in range(1001):
        await desk.trails.find(str(number))
    await desk.trails.find("1000")
    await desk.trails.find("0")
    assert len(carrier.asked) == 1002


async def test_where_one_organization_has_no_turn_another_asks() -> None:
    desk = Desk([busy := Carrier(NoPermit("no_turn")), free := Carrier()])
    assert (await desk.ask()).status_code == 200
    assert (len(busy.asked), len(free.asked)) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (CarrierRefused("resource_not_found", status=404), 404, "not-found"),
        (CarrierRefused("invalid_parameter", status=400), 422, "carrier-refused"),
        (CarrierUnavailable("no_answer", retry_after=17), 503, "carrier-unavailable"),
        (NoPermit("paused"), 503, "carrier-unavailable"),
    ],
)
async def test_what_is_not_to_be_had_is_a_problem(answer: CarrierError, status: int, kind: str) -> None:
    found = await Desk([Carrier(answer)]).ask()
    assert (found.status_code, found.json()["type"]) == (status, f"/problems/{kind}")
    assert (status != 503) or int(found.headers["retry-after"]) >= 5


async def test_without_any_token_nobody_can_be_asked() -> None:
    assert (await Desk([]).ask()).status_code == 503


@pytest.mark.parametrize("number", ["a-b", "1" * 41, "%00", "a%2Fb"])
async def test_what_no_parcel_is_called_is_not_found_without_asking(number: str) -> None:
    desk = Desk([carrier := Carrier()])
    assert ((await desk.ask(number)).status_code, carrier.asked) == (404, [])


async def test_a_token_needs_the_scope_to_read() -> None:
    assert (await Desk([Carrier()]).ask(token="shipper")).status_code == 403
