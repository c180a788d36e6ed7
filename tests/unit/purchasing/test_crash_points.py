"""Wherever a process dies or stands still: one charge at most, nothing left open, and every fact told once.

Each behaviour of the carrier is first played through undisturbed, which shows the places where a process can be struck:
before and after every commit that changes something, before and after every call. Then it is played again for each of
these places: the process dies there and another takes over; or it stands still for half a minute while another works.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import structlog

from bridge.model import ShipmentId
from tests.unit.purchasing.invariants import check
from tests.unit.purchasing.stage import Inner, Points, Stage, Trouble
from tests.unit.purchasing.troubles import answered, delayed, lost
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time

FROZEN_S = 30.0
PLAYED: Counter[str] = Counter()


async def nothing(_: Stage, __: ShipmentId) -> None:
    """Let nothing happen beforehand."""


@dataclass(frozen=True)
class Behaviour:
    """How the carrier behaves, and how a purchase ends when nobody is struck."""

    remark: str
    ends: str
    reason: str | None = None
    carrier: dict[str, Any] = field(default_factory=dict)
    draft: dict[str, Any] = field(default_factory=dict)
    reads: tuple[Trouble, ...] = ()
    buys: tuple[Trouble, ...] = ()
    before: Callable[[Stage, ShipmentId], Awaitable[None]] = nothing


async def five_minutes_pass(_: Stage, __: ShipmentId) -> None:
    await pass_time(301)


async def somebody_buys(stage: Stage, shipment: ShipmentId) -> None:
    await stage.buy(shipment, "inpost_courier_standard")
    await pass_time(1)


async def somebody_is_buying(stage: Stage, shipment: ShipmentId) -> None:
    await stage.buy(shipment, "inpost_courier_standard")


class SomebodyIsFaster:
    """Buys another offer between our read and our buy."""

    async def __call__(self, request: httpx.Request, inner: Inner) -> httpx.Response:
        path = request.url.path.removesuffix("/buy")
        read = httpx.Request("GET", f"http://carrier{path}", headers=request.headers)
        offers = (await _json(await inner(read)))["offers"]
        courier = next(one["id"] for one in offers if one["service"]["id"] == "inpost_courier_standard")
        theirs = httpx.Request("POST", request.url, headers=_credentials(request), json={"offer_id": courier})
        assert (await inner(theirs)).status_code == 200
        return await inner(request)


def _credentials(request: httpx.Request) -> dict[str, str]:
    return {"Authorization": request.headers["Authorization"]}


async def _json(answer: httpx.Response) -> Any:
    await answer.aread()
    return answer.json()


BEHAVIOURS = {
    "plain": Behaviour("the effect shows after 0.6 s", "succeeded"),
    "at once": Behaviour("the effect shows with the answer", "succeeded", carrier={"purchase": 0.0}),
    "late": Behaviour("the effect shows after 5 s", "succeeded", carrier={"purchase": 5.0}),
    "very late": Behaviour("the effect shows after 15 s", "succeeded", carrier={"purchase": 15.0}),
    "no funds": Behaviour("the payment fails", "failed", "insufficient_funds", carrier={"funds": "1.00"}),
    "no funds, late": Behaviour(
        "it fails after 15 s", "failed", "insufficient_funds", carrier={"funds": "1.00", "purchase": 15.0}
    ),
    "postpaid": Behaviour("no price is known", "succeeded", carrier={"account": "postpaid"}),
    "502 after the effect": Behaviour("the edge loses the answer", "succeeded", buys=(answered(502, effect=True),)),
    "502, late effect": Behaviour(
        "and nothing shows for 15 s", "succeeded", carrier={"purchase": 15.0}, buys=(answered(502, effect=True),)
    ),
    "502 before the effect": Behaviour("the edge keeps the call", "failed", "other", buys=(answered(502),)),
    "503": Behaviour("not now", "failed", "other", buys=(answered(503),)),
    "429": Behaviour("too many calls", "failed", "other", buys=(answered(429, retry_after="1"),)),
    "200 with a page": Behaviour("a 200 that never reached the carrier", "failed", "other", buys=(answered(200),)),
    "403 with a page": Behaviour("the edge's own 403 is no refusal", "failed", "other", buys=(answered(403),)),
    "page after the effect": Behaviour("bought, and a page comes", "succeeded", buys=(answered(403, effect=True),)),
    "redirect": Behaviour("never followed", "failed", "other", buys=(answered(307, location="http://elsewhere"),)),
    "no connection": Behaviour("refused", "failed", "other", buys=(lost(httpx.ConnectError),)),
    "no answer": Behaviour("a timeout before the effect", "failed", "other", buys=(lost(httpx.ReadTimeout, after=10),)),
    "answer timed out": Behaviour(
        "a timeout after the effect", "succeeded", buys=(lost(httpx.ReadTimeout, effect=True, after=10),)
    ),
    "cut off": Behaviour(
        "the connection breaks after the effect", "succeeded", buys=(lost(httpx.RemoteProtocolError, effect=True),)
    ),
    "slow to arrive": Behaviour("8 s on the way to the carrier", "succeeded", buys=(delayed(before=8),)),
    "slow to connect, late effect": Behaviour(
        "it leaves as the call's time ends; the effect shows as the settling does",
        "succeeded",
        carrier={"purchase": 19.0},
        buys=(delayed(before=9.5),),
    ),
    "slow to connect, effect and answer lost": Behaviour(
        "the same, and no answer comes",
        "succeeded",
        carrier={"purchase": 19.0},
        buys=(delayed(before=9.5, after=300),),
    ),
    "too slow to connect": Behaviour(
        "it would leave after the call's time, and so never does",
        "failed",
        "other",
        carrier={"purchase": 15.0},
        buys=(delayed(before=30),),
    ),
    "slow to answer": Behaviour("longer than the lease", "succeeded", buys=(delayed(after=9),)),
    "slower to answer": Behaviour("longer than a call may take", "succeeded", buys=(delayed(after=12),)),
    "slow to read": Behaviour("longer than the lease", "succeeded", reads=(delayed(before=5, after=4),)),
    "slower to read": Behaviour("longer than a call may take", "succeeded", reads=(delayed(before=6, after=6),)),
    "reads fail": Behaviour("three times", "succeeded", reads=(answered(503), lost(httpx.ReadTimeout), answered(200))),
    "reads limited": Behaviour("with a Retry-After", "succeeded", reads=(answered(429, retry_after="7"),)),
    "doubt, reads fail": Behaviour(
        "no answer to the buy, nor to the first reads after it",
        "succeeded",
        reads=(delayed(), *[answered(502)] * 4),
        buys=(answered(502, effect=True),),
    ),
    "doubt for long": Behaviour(
        "the carrier stays away for minutes; it was bought",
        "succeeded",
        reads=(delayed(), *[lost(httpx.ConnectError)] * 7),
        buys=(answered(502, effect=True),),
    ),
    "not bought, doubt for long": Behaviour(
        "the carrier stays away for minutes; it was not bought",
        "failed",
        "other",
        reads=(delayed(), *[lost(httpx.ConnectError)] * 7),
        buys=(lost(httpx.ConnectTimeout, after=10),),
    ),
    "expired": Behaviour("the window is over", "expired", before=five_minutes_pass),
    "bought already": Behaviour("by somebody else", "adopted", "adopted", before=somebody_buys),
    "being bought": Behaviour(
        "somebody's purchase does not show yet; the carrier refuses ours",
        "succeeded",
        "adopted",
        carrier={"again": "refuse", "purchase": 5.0},
        before=somebody_is_buying,
    ),
    "somebody faster": Behaviour(
        "buys another offer after our read", "succeeded", "adopted", {"again": "refuse"}, buys=(SomebodyIsFaster(),)
    ),
    "simplified": Behaviour(
        "the carrier buys it by itself",
        "not_ours",
        "carrier_owned_purchase",
        carrier={"purchase": 30.0},
        draft={"service": "inpost_courier_standard"},
    ),
}


async def play(
    behaviour: Behaviour, points: Points, *, beside: bool = False, second: Points | None = None
) -> str | None:
    """Play a behaviour to its end and check what may never differ. Gives how it ended, and why."""
    async with Stage(**behaviour.carrier).open() as stage:
        shipment = await stage.create(**behaviour.draft)
        await behaviour.before(stage, shipment)
        stage.troubles |= {"GET": list(behaviour.reads), "POST": list(behaviour.buys)}
        stage.want(shipment)
        struck = stage.start(points)
        if beside:
            stage.start()
        if second is not None:
            while not struck.crashed:
                await pass_time(0.25)
            stage.start(second)
        state = await stage.settled(shipment)
        told = stage.told(shipment)
        await pass_time(40)
        assert stage.told(shipment) == told
        check(stage, [shipment], bought_by_carrier=[shipment] if state == "not_ours" else [])
        return stage.reason(shipment)


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    """Keep thousands of log lines out of the report."""
    with structlog.testing.capture_logs():
        yield


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_it_ends_as_it_should_when_nobody_is_struck(name: str) -> None:
    behaviour = BEHAVIOURS[name]
    assert in_virtual_time(play(behaviour, Points())) == behaviour.reason
    PLAYED["undisturbed"] += 1


def places(behaviour: Behaviour, freeze: float = 0) -> int:
    points = Points(freeze=freeze)
    in_virtual_time(play(behaviour, points))
    return len(points.names)


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_process_dies_at_any_place(name: str) -> None:
    for at in range(1, places(BEHAVIOURS[name]) + 1):
        in_virtual_time(play(BEHAVIOURS[name], Points(at)))
        PLAYED["died"] += 1


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_process_stands_still_at_any_place_while_another_works(name: str) -> None:
    for at in range(1, places(BEHAVIOURS[name], FROZEN_S) + 1):
        in_virtual_time(play(BEHAVIOURS[name], Points(at, FROZEN_S), beside=True))
        PLAYED["stood still"] += 1


@pytest.mark.parametrize("name", ["plain", "no funds", "answer timed out"])
def test_a_process_dies_at_any_place_and_so_does_the_next(name: str) -> None:
    for at in range(1, places(BEHAVIOURS[name]) + 1):
        for then in range(1, 6):
            in_virtual_time(play(BEHAVIOURS[name], Points(at), second=Points(then)))
            PLAYED["died twice"] += 1


def test_how_many_cases_that_were(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{PLAYED.total()} purchases: {dict(PLAYED)}")
