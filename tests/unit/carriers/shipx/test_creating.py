"""Shipments and batches that are made: what is sent, exactly, and what is read of the answer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpx import HTTPXMock

from bridge.carriers.shipx.drafts import attributes
from bridge.errors import FieldProblem
from bridge.model import BatchId, ShipmentId
from bridge.purchasing.shipment import Shipment
from bridge.shipments.created import Batch, Created
from bridge.shipments.draft import CustomAttributes, Draft, Parcel
from bridge.shipments.party import Party
from tests.unit.carriers.shipx.families import ShipxShipping

from .orders import SMALL, WHOLE
from .stage import OTHER, SHIPMENT, UNTOLD, refused, sample, unavailable

NUMBER = "620000000000000000000019"


def made(shipment: ShipmentId) -> Shipment:
    """What is known of a shipment that was made just now, by the carrier's clock."""
    return Shipment(
        id=shipment,
        status="created",
        at=UNTOLD,
        changed_at=UNTOLD,
        tracking_number=None,
        return_tracking_number=None,
        service=None,
        selected=None,
        offers=(),
        payments=(),
    )


async def test_money_is_sent_as_the_number_that_it_is(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=201, json=sample("shipment_created_old_page"))
    await shipping.creator.create(WHOLE)
    [request] = httpx_mock.get_requests()
    assert b'"cod":{"amount":12.50,"currency":"PLN"}' in request.content
    assert b'"weight":{"amount":2.25,"unit":"kg"}' in request.content


@pytest.mark.parametrize(
    ("draft", "sent"),
    [
        pytest.param(SMALL, {"parcels": [{"template": "small"}]}, id="nothing is null"),
        pytest.param(
            Draft(parcels=(), receiver=Party(), custom_attributes=CustomAttributes()),
            {"parcels": []},
            id="what is empty is not there",
        ),
        pytest.param(
            Draft(parcels=(Parcel(is_non_standard=False),), is_return=False, only_choice_of_offer=False),
            {"parcels": [{"is_non_standard": False}], "is_return": False, "only_choice_of_offer": False},
            id="no is an answer",
        ),
        pytest.param(
            Draft(parcels=(), reference="", comments="", mpk=""),
            {"parcels": [], "reference": "", "comments": "", "mpk": ""},
            id="what may be empty is sent so",
        ),
        pytest.param(
            Draft(parcels=(), receiver=Party(phone="600000000")),
            {"parcels": [], "receiver": {"phone": "600000000"}},
            id="a phone is called so",
        ),
        pytest.param(
            Draft(parcels=(), service="x"), {"parcels": [], "service": "x"}, id="no services beside the service"
        ),
    ],
)
def test_what_is_not_given_is_not_sent(draft: Draft, sent: dict[str, Any]) -> None:
    assert attributes(draft) == sent


def test_additional_services_need_a_service() -> None:
    with pytest.raises(ValueError, match="need a service"):
        Draft(parcels=(), additional_services=("sms",))


def test_a_draft_shows_nobody() -> None:
    shown = repr(WHOLE)
    assert not [
        word for word in ("Anna", "Wiśniewska", "600000000", "Malborska", "Zamówienie", "komentarz") if word in shown
    ]


async def test_a_shipment_was_made(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=201, json=sample("shipment_created_old_page"))
    assert await shipping.creator.create(SMALL) == made(ShipmentId(1234567890))


async def test_a_simplified_shipment_may_have_its_number_already(
    shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=201, json=sample("shipment_confirmed"))
    confirmed = replace(made(SHIPMENT), status="confirmed", tracking_number=NUMBER, service="inpost_courier_standard")
    assert await shipping.creator.create(WHOLE) == confirmed


@pytest.mark.parametrize("field", ["status", "tracking_number", "service"])
async def test_nothing_hides_the_id_of_what_was_made(
    field: str, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=201, json={"id": SHIPMENT, field: {"anything": ["else"]}})
    assert await shipping.creator.create(SMALL) == made(SHIPMENT)


async def test_a_batch_was_taken_in(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=201, json=sample("batch_created"))
    assert await shipping.creator.create_batch([SMALL]) == Batch(BatchId(35), "created", ())


async def test_a_batch_says_what_was_made_of_it(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("batch_done"))
    both = (Created(SHIPMENT, "confirmed", NUMBER), Created(OTHER, "created", None))
    assert await shipping.creator.read_batch(BatchId(35)) == Batch(BatchId(35), "done", both)


async def test_one_that_cannot_be_read_takes_no_other_along(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    items = [{"id": SHIPMENT}, {"id": "x"}, None]
    httpx_mock.add_response(json=sample("batch_done") | {"shipments": items})
    assert await shipping.creator.read_batch(BatchId(35)) == Batch(
        BatchId(35), "done", (Created(SHIPMENT, None, None),), unread=2
    )


async def test_an_answer_about_another_batch_is_none(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("batch_done"))
    assert (await unavailable(shipping.creator.read_batch(BatchId(36)))).reason == "another_batch"


async def test_a_refused_batch_names_its_drafts_by_their_places(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=400, json=sample("error_batch_details"))
    error = await refused(shipping.creator.create_batch([WHOLE, SMALL]))
    assert error.fields == (
        FieldProblem("receiver.email", "required", 0),
        FieldProblem("mpk", "does_not_exist", 1),
        FieldProblem("other", "other", 1),
    )
    assert error.items == frozenset()


@pytest.mark.parametrize("number", [0, 2501])
async def test_a_batch_has_its_size(number: int, shipping: ShipxShipping) -> None:
    with pytest.raises(AssertionError, match="one to 2,500"):
        await shipping.creator.create_batch([SMALL] * number)


async def test_a_batch_of_the_largest_size_is_sent_in_one_piece(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=201, json=sample("batch_created"))
    await shipping.creator.create_batch([SMALL] * 2500)
    [request] = httpx_mock.get_requests()
    assert [one["id"] for one in json.loads(request.content)["shipments"]] == list(range(1, 2501))
