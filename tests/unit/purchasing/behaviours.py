"""How a carrier may behave while one shipment is bought or many, and how that ends when no process is struck."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from bridge.limits.connection import Limits
from bridge.model import DeliveryId, PurchaseWork, ShipmentId
from bridge.store.wanting import want
from tests.unit.purchasing.stage import ORGANIZATION, Inner, Stage, Trouble
from tests.unit.purchasing.troubles import answered, delayed, lost, refused
from tests.unit.purchasing.virtual_time import pass_time

Shipments = list[ShipmentId]


async def nothing(_: Stage, __: Shipments) -> None:
    """Let nothing happen beforehand."""


@dataclass(frozen=True)
class Behaviour:
    """How the carrier behaves, and how purchases end when nobody is struck.

    `failed` is how many intents end unbought then, `others` how those end that end otherwise, with their number.
    """

    remark: str
    ends: str
    reason: str | None = None
    carrier: dict[str, Any] = field(default_factory=dict)
    draft: dict[str, Any] = field(default_factory=dict)
    reads: tuple[Trouble, ...] = ()
    buys: tuple[Trouble, ...] = ()
    edits: tuple[Trouble, ...] = ()
    lists: tuple[Trouble, ...] = ()
    bulk: tuple[Trouble, ...] = ()
    before: Callable[[Stage, Shipments], Awaitable[None]] = nothing
    regenerations: int = 3
    failed: int = 0
    shipments: int = 1
    others: Mapping[tuple[str, str | None], int] = field(default_factory=dict)


async def a_second_passes(_: Stage, __: Shipments) -> None:
    await pass_time(1)


async def nearly_five_minutes_pass(_: Stage, __: Shipments) -> None:
    await pass_time(296)


async def five_minutes_pass(_: Stage, __: Shipments) -> None:
    await pass_time(301)


async def somebody_buys(stage: Stage, shipments: Shipments) -> None:
    await stage.buy(shipments[-1], "inpost_courier_standard")
    await pass_time(1)


async def somebody_is_buying(stage: Stage, shipments: Shipments) -> None:
    await stage.buy(shipments[-1], "inpost_courier_standard")


async def gone_when_asked_for(stage: Stage, shipments: Shipments) -> None:
    """Let the best offer go as soon as it is asked for."""

    async def go(request: httpx.Request, inner: Inner) -> httpx.Response:
        found = stage.simulator.world.shipments.get(shipments[0])
        assert found is not None
        stage.simulator.world.change("offers", found)
        for offer in found.offers:
            if offer.service.label.id == "inpost_locker_standard":
                offer.status, offer.expires_at = "unavailable", None
        return await inner(request)

    stage.troubles["POST"] = [go]


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


def hidden(seconds: float, *effects: str) -> dict[str, Any]:
    """Let reads show these effects so much later."""
    return {"hidden": {"share": 1, "of": list(effects), "seconds": [seconds, seconds]}}


BEHAVIOURS = {
    "plain": Behaviour("the effect shows after 0.6 s", "succeeded"),
    "at once": Behaviour("the effect shows with the answer", "succeeded", carrier={"purchase": 0.0}),
    "late": Behaviour("the effect shows after 5 s", "succeeded", carrier={"purchase": 5.0}),
    "very late": Behaviour("the effect shows after 15 s", "succeeded", carrier={"purchase": 15.0}),
    "no funds": Behaviour("the payment fails", "failed", "insufficient_funds", failed=1, carrier={"funds": "1.00"}),
    "no funds, late": Behaviour(
        "it fails after 15 s", "failed", "insufficient_funds", failed=1, carrier={"funds": "1.00", "purchase": 15.0}
    ),
    "postpaid": Behaviour("no price is known", "succeeded", carrier={"account": "postpaid"}),
    "502 after the effect": Behaviour("the edge loses the answer", "succeeded", buys=(answered(502, effect=True),)),
    "502, late effect": Behaviour(
        "and nothing shows for 15 s", "succeeded", carrier={"purchase": 15.0}, buys=(answered(502, effect=True),)
    ),
    "502 before the effect": Behaviour("the edge keeps the call", "succeeded", failed=1, buys=(answered(502),)),
    "503": Behaviour("not now", "succeeded", failed=1, buys=(answered(503),)),
    "429": Behaviour("too many calls", "succeeded", buys=(answered(429, retry_after="1"),)),
    "200 with a page": Behaviour("a 200 that never reached the carrier", "succeeded", failed=1, buys=(answered(200),)),
    "403 with a page": Behaviour("the edge's own 403 is no refusal", "succeeded", failed=1, buys=(answered(403),)),
    "page after the effect": Behaviour("bought, and a page comes", "succeeded", buys=(answered(403, effect=True),)),
    "redirect": Behaviour("never followed", "succeeded", failed=1, buys=(answered(307, location="http://elsewhere"),)),
    "no connection": Behaviour("refused", "succeeded", failed=1, buys=(lost(httpx.ConnectError),)),
    "no answer": Behaviour(
        "a timeout before the effect", "succeeded", failed=1, buys=(lost(httpx.ReadTimeout, after=10),)
    ),
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
        "succeeded",
        failed=1,
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
        "succeeded",
        failed=1,
        reads=(delayed(), *[lost(httpx.ConnectError)] * 7),
        buys=(lost(httpx.ConnectTimeout, after=10),),
    ),
    "bought already": Behaviour("by somebody else", "succeeded", "adopted", before=somebody_buys),
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
        carrier={"purchase": 5.0},
        draft={"service": "inpost_courier_standard"},
    ),
    "no calls any more": Behaviour(
        "429 to every call until the window is over",
        "expired",
        failed=1,
        buys=(answered(429, retry_after="120"),) * 3,
        carrier={"delays": {"offers_valid": 200.0}},
        regenerations=0,
    ),
    **{
        f"lost, shows {seconds:g} s late": Behaviour(
            "the answer is lost, and reads lag behind",
            "succeeded",
            carrier={"purchase": 0.0, "faults": hidden(seconds, "purchase")},
            buys=(answered(502, effect=True),),
        )
        for seconds in (0.5, 3.0, 9.0, 15.0)
    },
    "unavailable": Behaviour(
        "the offer is gone when it is asked for; another is bought", "succeeded", failed=1, before=gone_when_asked_for
    ),
    "unavailable, and reads lag": Behaviour(
        "the same, shown 9 s late",
        "succeeded",
        failed=1,
        carrier={"faults": hidden(9.0, "offers")},
        before=gone_when_asked_for,
    ),
    "expired": Behaviour("offers are made anew", "succeeded", before=five_minutes_pass),
    "expired, edit shows late": Behaviour(
        "the new offers show after 10 s",
        "succeeded",
        carrier={"faults": hidden(10.0, "edit")},
        before=five_minutes_pass,
    ),
    "expired, edit's answer lost": Behaviour(
        "it was made", "succeeded", edits=(answered(502, effect=True),), before=five_minutes_pass
    ),
    "expired, edit lost": Behaviour(
        "it is made once more", "succeeded", edits=(answered(502),), before=five_minutes_pass
    ),
    "expired, edit refused": Behaviour(
        "whatever is tried", "expired", edits=(refused("invalid_action"),) * 20, before=five_minutes_pass
    ),
    "expired, edit without effect": Behaviour(
        "a page comes, thrice", "expired", edits=(answered(200),) * 20, before=five_minutes_pass
    ),
    "expired, again and again": Behaviour(
        "new offers are over before they are seen",
        "expired",
        carrier={"delays": {"offers_valid": 0.5}},
        before=a_second_passes,
    ),
    "expires on the way": Behaviour(
        "with the window; offers are made anew",
        "succeeded",
        failed=1,
        buys=(delayed(before=8),),
        before=nearly_five_minutes_pass,
    ),
}

ALIKE = {
    "503": "502 before the effect",
    "200 with a page": "502 before the effect",
    "403 with a page": "502 before the effect",
    "redirect": "502 before the effect",
    "no connection": "502 before the effect",
    "page after the effect": "502 after the effect",
    "cut off": "502 after the effect",
    "lost, shows 9 s late": "lost, shows 15 s late",
}
"""What is the same to whoever buys, and what stands for it where a process is struck, with every place that it has."""


# -- many at once ------------------------------------------------------------------------------------------------------

MANY = 7


def of_many(
    remark: str, ends: str = "succeeded", *, carrier: Mapping[str, Any] | None = None, **more: Any
) -> Behaviour:
    """Make one at a rate so low that a list is read and a bulk call buys."""
    scarce = {"limits": Limits(20, 1), **(carrier or {})}
    return Behaviour(remark, ends, carrier=scarce, shipments=MANY, **more)


async def one_is_edited_when_asked_for(stage: Stage, _: Shipments) -> None:
    """Let the merchant edit one as all are bought: the refusal names it."""

    async def edit(request: httpx.Request, inner: Inner) -> httpx.Response:
        answer = await stage.merchant.put(f"/v1/shipments/{_items(request)[-1]['shipment_id']}", json={})
        assert answer.status_code == 200, answer.text
        return await inner(request)

    stage.troubles["BULK"] = [edit]


async def one_is_bought_when_asked_for(stage: Stage, _: Shipments) -> None:
    """Let somebody buy one as all are bought: the refusal names none."""

    async def buy(request: httpx.Request, inner: Inner) -> httpx.Response:
        answer = await stage.buy(_items(request)[-1]["shipment_id"], "inpost_courier_standard")
        assert answer.status_code == 200, answer.text
        return await inner(request)

    stage.troubles["BULK"] = [buy]


async def half_is_paid_and_then_one_fails(request: httpx.Request, inner: Inner) -> httpx.Response:
    """Pay for some of them, and answer that a payment failed."""
    items = _items(request)
    url = request.url.copy_with(path=request.url.path)
    some = httpx.Request("POST", url, headers=_credentials(request), json={"shipments": items[: len(items) // 2]})
    assert (await inner(some)).status_code < 300
    return await refused("transaction_failed")(request, inner)


def _items(request: httpx.Request) -> list[Any]:
    """Give what is to be bought together."""
    items: list[Any] = json.loads(request.content)["shipments"]
    return items


async def one_is_forged(stage: Stage, _: Shipments) -> None:
    now = stage.clock.now()
    with stage.disk.writing(stage.clock) as transaction:
        want(transaction, [PurchaseWork(ORGANIZATION, FORGED, now + timedelta(seconds=30), DeliveryId("forged"))], now)


FORGED = ShipmentId(42)

OF_MANY = {
    "plain": of_many("one list, one call"),
    "lost before the effect": of_many("the edge keeps the call", bulk=(answered(502),), failed=MANY - 1),
    "lost after the effect": of_many("the edge loses the answer", bulk=(answered(502, effect=True),)),
    "timed out after the effect": of_many("no answer", bulk=(lost(httpx.ReadTimeout, effect=True, after=10),)),
    "one is named": of_many("the others are asked for at once", failed=1, before=one_is_edited_when_asked_for),
    "none is named": of_many(
        "halves, until the one is found that somebody bought",
        carrier={"again": "refuse"},
        before=one_is_bought_when_asked_for,
        others={("succeeded", "adopted"): 1},
    ),
    "half is paid": of_many("and then a payment fails", bulk=(half_is_paid_and_then_one_fails,), failed=3),
    "funds for some": of_many(
        "the other payments fail", carrier={"funds": "53.50"}, failed=4, others={("failed", "insufficient_funds"): 4}
    ),
    "429": of_many("none is taken in", bulk=(answered(429, retry_after="7"),)),
    "a page": of_many("a 200 that never reached the carrier", bulk=(answered(200),), failed=MANY - 1),
    "lists fail": of_many("for a while", lists=(delayed(), answered(502), answered(200))),
    "late": of_many("the effect shows after 5 s", carrier={"purchase": 5.0}),
    "lost, shows 15 s late": of_many(
        "the answer is lost, and reads lag behind",
        carrier={"purchase": 0.0, "faults": hidden(15.0, "purchase")},
        bulk=(answered(502, effect=True),),
    ),
    "one is bought already": of_many("by somebody else", before=somebody_buys, others={("succeeded", "adopted"): 1}),
    "one is forged": of_many("nobody has it", before=one_is_forged),
    "expired": of_many("offers are made anew, one by one", before=five_minutes_pass),
}
