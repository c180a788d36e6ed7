"""Orders to a courier: what is read of them, and what is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pytest_httpx import HTTPXMock

from bridge.dispatch.order import Collected, DispatchDraft, DispatchOrder
from bridge.dispatch.price import Price, PricePart
from bridge.dispatch.printout import Printout
from bridge.events.catalogue import Money
from bridge.model import CommentId, DispatchOrderId
from tests.unit.carriers.shipx.families import ShipxShipping

from .orders import ADDRESS, COURIER
from .stage import OTHER, PAGE, SHIPMENT, refused, sample, unavailable

ORDER = DispatchOrderId(71)
SENT = DispatchOrder(
    id=ORDER,
    status="sent",
    shipments=(Collected(SHIPMENT, "620000000000000000000019"),),
    comments=(CommentId(24),),
    created_at=datetime(2026, 3, 18, 11, 40, 7, 843000, UTC),
    updated_at=datetime(2026, 3, 18, 11, 40, 8, 340000, UTC),
)


async def test_an_order_was_made(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=201, json=sample("dispatch_order"))
    assert await shipping.dispatcher.create(COURIER) == SENT


async def test_an_order_is_read_without_what_people_wrote(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("dispatch_order"))
    found = await shipping.dispatcher.read(ORDER)
    assert found == SENT
    assert not [word for word in ("Jana", "Malborska", "30-624") if word in repr(found)]


async def test_an_answer_about_another_order_is_none(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("dispatch_order"))
    assert (await unavailable(shipping.dispatcher.read(DispatchOrderId(70)))).reason == "another_order"


@pytest.mark.parametrize("field", ["status", "shipments", "comments", "created_at", "updated_at"])
async def test_nothing_hides_the_id_of_an_order(field: str, shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=201, json={"id": 71, field: {"anything": ["else"]}})
    assert await shipping.dispatcher.create(COURIER) == DispatchOrder(ORDER, None, (), is_whole=False)


async def test_a_courier_may_come_to_a_point_that_is_known(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=201, json=sample("dispatch_order"))
    await shipping.dispatcher.create(DispatchDraft((SHIPMENT,), dispatch_point_id=7))
    [request] = httpx_mock.get_requests()
    assert json.loads(request.content) == {"shipments": [SHIPMENT], "dispatch_point_id": 7}


@pytest.mark.parametrize("address", [None, ADDRESS])
def test_a_courier_comes_to_one_place(address: object) -> None:
    with pytest.raises(ValueError, match="an address or a dispatch point"):
        DispatchDraft((SHIPMENT,), address=ADDRESS if address else None, dispatch_point_id=7 if address else None)


def test_an_order_to_be_made_shows_nobody() -> None:
    assert not [word for word in ("Magazyn", "500000000", "Malborska", "rampa", "8-16") if word in repr(COURIER)]


async def test_a_page_of_orders(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("dispatch_orders_list"))
    page = await shipping.dispatcher.list_orders(1, SHIPMENT)
    assert [(one.id, one.status) for one in page.orders] == [(72, "new"), (71, "canceled")]
    assert (page.count, page.unread, page.is_last) == (2, 0, True)


@pytest.mark.parametrize(
    ("number", "count", "items", "is_last"),
    [(1, 101, 1, False), (2, 101, 1, True), (1, 100, 1, True), (7, 1000, 0, True)],
)
async def test_a_page_says_whether_another_follows(
    number: int, count: int, items: int, is_last: bool, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    listed = sample("dispatch_orders_list")
    httpx_mock.add_response(json=listed | {"count": count, "items": listed["items"][:items]})
    assert (await shipping.dispatcher.list_orders(number)).is_last is is_last


async def test_an_order_that_cannot_be_read_takes_no_other_along(
    shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    listed = sample("dispatch_orders_list")
    httpx_mock.add_response(json=listed | {"items": [{"id": 0}, *listed["items"]]})
    page = await shipping.dispatcher.list_orders()
    assert (len(page.orders), page.unread) == (2, 1)


async def test_a_list_that_was_not_filtered_says_nothing(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    listed = sample("dispatch_orders_list")
    httpx_mock.add_response(json=listed | {"href": listed["href"].replace("shipment_id=3900000018", "x=1")})
    assert (await unavailable(shipping.dispatcher.list_orders(1, SHIPMENT))).reason == "filter_dropped"


async def test_a_price_in_parts_and_as_a_whole(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("dispatch_price"))
    assert await shipping.dispatcher.calculate([SHIPMENT, OTHER]) == Price(
        total=Money(amount=Decimal("9.50"), currency="PLN"),
        priced=2,
        refused=1,
        parts=(
            PricePart((SHIPMENT,), Money(amount=Decimal("4.75"), currency="PLN")),
            PricePart((OTHER,), None),
        ),
    )


@pytest.mark.parametrize("total", [None, {"amount": None, "currency": "PLN"}, {"amount": "x", "currency": "PLN"}])
async def test_a_price_that_is_not_named_is_unknown(
    total: object, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(json=sample("dispatch_price") | {"total_price": total, "price_list": None})
    assert await shipping.dispatcher.calculate([SHIPMENT]) == Price(None, 2, 1)


async def test_a_comment_is_known_by_its_id(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=201, json=sample("dispatch_comment"))
    assert await shipping.dispatcher.add_comment(ORDER, "rampa nr 3") == 25


@pytest.mark.parametrize(("content", "is_archive"), [(b"%PDF-1.4\n%%EOF", False), (b"PK\x03\x04\x14\x00", True)])
async def test_a_printout_is_a_file_or_an_archive(
    content: bytes, is_archive: bool, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=content, is_reusable=True)
    expected = Printout(content, is_archive)
    assert await shipping.dispatcher.printout(ORDER) == expected
    assert await shipping.dispatcher.printouts([SHIPMENT]) == expected
    assert "PDF" not in repr(expected)


async def test_a_page_is_no_printout(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(html=PAGE)
    assert (await unavailable(shipping.dispatcher.printout(ORDER))).reason == "not_a_label"


async def test_without_a_contract_no_courier_comes(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=400, json=sample("error_trucker"))
    error = await refused(shipping.dispatcher.create(COURIER))
    assert (error.key, error.fields) == ("missing_trucker_id", ())
