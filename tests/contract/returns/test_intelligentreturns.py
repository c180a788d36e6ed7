"""Intelligentreturns against its stand-in: a journey through all its methods in each format, and its paging."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.carriers.intelligentreturns.words import ERRORS
from bridge.errors import CarrierRefused
from bridge.events.catalogue import Money
from bridge.returns.draft import Item, Reason
from bridge.returns.order import OrderDraft, OrderItems
from bridge.returns.query import PointQuery, ReturnQuery, Whereabouts
from tests.contract.returns.intelligentreturns import IntelligentReturnsStage, IntelligentReturnsXmlStage, settings
from tests.contract.returns.stage import HOME, SENDER

SHIRT = Item(
    sku="SKU-1",
    name='Shirt "M" & <L>, żółta',
    quantity=2,
    price=Money(amount=Decimal("100.00"), currency="EUR"),
    weight_kg=Decimal("0.3"),
    hs_code="620520",
    country_of_origin="CN",
    reasons=(Reason("refund", "Too small", "sleeves"),),
)
SOCKS = replace(SHIRT, sku="SKU-2", name="Socks", quantity=1, reasons=())
HERE, CENTRE = Whereabouts(HOME), Whereabouts(latitude=Decimal("52.2297"), longitude=Decimal("21.0122"))
FORMATS = {"json": IntelligentReturnsStage, "xml": IntelligentReturnsXmlStage}


@pytest.fixture(params=FORMATS.values(), ids=list(FORMATS))
def spoken(request: pytest.FixtureRequest) -> type[IntelligentReturnsStage]:
    """Each format in turn."""
    found: type[IntelligentReturnsStage] = request.param
    return found


@pytest.fixture
async def stages() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def opened(
    stages: AsyncExitStack, spoken: type[IntelligentReturnsStage], **terms: Any
) -> IntelligentReturnsStage:
    told = {"intelligentreturns": {**settings()["intelligentreturns"], **terms}}
    return await stages.enter_async_context(spoken(told))


async def scan(stage: IntelligentReturnsStage, place: int, status: str) -> None:
    """Let a return have an event, and a second go by."""
    returns = (await stage.carrier.control("intelligentreturns/returns"))["items"]
    path = f"/_control/intelligentreturns/returns/{returns[place]['id']}/statuses"
    assert (await stage.carrier.client.post(path, json={"status": status})).status_code == 200
    await stage.carrier.advance(1)


@pytest.mark.parametrize("bare", [False, True], ids=["escaped", "bare"])
async def test_a_journey_through_all_methods(
    bare: bool, spoken: type[IntelligentReturnsStage], stages: AsyncExitStack
) -> None:
    stage = await opened(stages, spoken, xml_text="bare" if bare else "escaped")
    platform, begun = stage.client, stage.now()
    draft = replace(stage.draft, reference="A & B", items=(replace(SHIRT, quantity=1),))

    # what a checkout shows
    assert await stage.account.available() == begun.replace(microsecond=0)
    assert 243 in [one.id for one in await platform.services(HERE)]
    quotes = {one.service_id: one.first_mile for one in await platform.quotes(replace(draft, service_id=None))}
    assert quotes[243] is not None
    points = await platform.points(PointQuery(CENTRE, service_ids=(243,), radius_km=10, most=1))
    assert [(one.id, one.service_id) for one in points] == [("WAW020", 243)]
    assert (await platform.point("WAW020", 243)) == replace(
        points[0], service_id=None, service=None, carrier_id=None, carrier=None
    )

    # an order, sent ahead
    order = OrderDraft("A & B", begun - timedelta(days=2), "EUR", (SHIRT,), SENDER)
    number = await platform.create_order(order)
    assert await platform.add_items(OrderItems("A & B", (SOCKS,))) == number
    found_order = await platform.find_order("A & B")
    assert found_order is not None
    assert [(one.sku, one.name, one.quantity) for one in found_order.items] == [
        ("SKU-1", SHIRT.name, 2),
        ("SKU-2", "Socks", 1),
    ]

    # a return of a part of it, and its way
    made = await platform.create(draft, "EXT1")
    assert made.tracking_number is not None
    assert made.label is not None
    found = await platform.find("EXT1")
    assert found is not None
    assert (found.reference, found.tracking_number, found.label) == ("A & B", made.tracking_number, made.label)
    assert [(one.sku, [why.reason for why in one.reasons]) for one in found.items] == [("SKU-1", ["Too small"])]
    await scan(stage, 0, "20")
    await scan(stage, 0, "60")
    progress = await platform.track(made.tracking_number)
    assert [one.status for one in progress.scans] == ["10", "20", "60"]
    for told in (platform.learned, platform.happened):
        parcels = [one async for one in told(begun - timedelta(seconds=1), stage.now())]
        assert [(one.tracking_number, len(one.scans)) for one in parcels] == [(made.tracking_number, 3)]
    await platform.refunded(made.tracking_number, stage.now())
    await platform.refunded(made.tracking_number, stage.now())
    [bill] = await platform.bills(external_id="EXT1")
    assert (bill.reference, bill.status) == ("A & B", "60")
    assert bill.contract.total["EUR"] == sum(one.amount for one in bill.contract.entries) != 0

    # another one, called off
    await platform.create(replace(draft, items=(SOCKS,)), "EXT2")
    await platform.cancel("EXT2")
    await stage.carrier.advance(2)
    called_off = await platform.find("EXT2")
    assert called_off is not None
    assert called_off.tracking_number is not None
    assert (await platform.track(called_off.tracking_number)).scans[-1].status == "310"
    assert {one.external_id async for one in platform.search(ReturnQuery(reference="A & B"))} == {"EXT1", "EXT2"}

    # an order of which something came back stays; another one goes
    with pytest.raises(CarrierRefused, match="cannot_delete_order"):
        await platform.delete_order("A & B")
    await platform.create_order(replace(order, reference="C"))
    await platform.delete_order("C")
    assert await platform.find_order("C") is None

    called = {one.url.path.removeprefix("/intelligentreturns/") for one in stage.wire.requests}
    assert called == {f"{method}/{stage.FORMAT}" for method in ERRORS}
    assert len(called) == 18


async def test_where_there_is_nothing_nothing_is_found(
    spoken: type[IntelligentReturnsStage], stages: AsyncExitStack
) -> None:
    stage = await opened(stages, spoken)
    platform, elsewhere = stage.client, Whereabouts(replace(HOME, country_code="JP"))
    assert await platform.find("EXT1") is None
    assert await platform.find_order("A") is None
    assert [one async for one in platform.search(ReturnQuery(reference="A"))] == []
    assert await platform.bills(reference="A") == ()
    assert (await platform.track("unknown")).scans == ()
    assert [one async for one in platform.learned(stage.in_days(-1), stage.now())] == []
    assert [one async for one in platform.happened(stage.in_days(-1), stage.now())] == []
    assert await platform.services(elsewhere) == ()
    assert await platform.points(PointQuery(elsewhere)) == ()
    assert await platform.point("nowhere", 243) is None


@pytest.mark.parametrize("at_once", [1, 2, 3, 1000])
async def test_a_search_gives_every_return_once_however_many_come_at_once(
    at_once: int, spoken: type[IntelligentReturnsStage], stages: AsyncExitStack
) -> None:
    stage = await opened(stages, spoken, most_items=at_once)
    for number in range(5):
        await stage.make(str(number))
    found = [one.external_id async for one in stage.client.search(ReturnQuery())]
    assert found == [f"EXT{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("at_once", [1, 2, 3, 1000])
async def test_events_come_each_once_however_many_come_at_once(
    at_once: int, spoken: type[IntelligentReturnsStage], stages: AsyncExitStack
) -> None:
    stage = await opened(stages, spoken)
    begun = stage.now()
    for number in range(3):
        await stage.make(str(number))
    for number in range(3):
        await scan(stage, number, "20")
    parcels = [one async for one in stage.account.events(begun, stage.now(), at_once=at_once)]
    scans = [(one.external_id, each.status) for one in parcels for each in one.scans]
    assert sorted(scans) == [(f"EXT{number}", status) for number in range(3) for status in ("10", "20")]
