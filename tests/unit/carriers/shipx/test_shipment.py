"""A shipment as ShipX answers it becomes ours by allow-list: what is not named here is never read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.carriers.shipx.shipment import faults, read
from bridge.errors import Unreadable
from bridge.events.catalogue import Money, Offer
from bridge.model import OfferId, ShipmentId
from bridge.purchasing.shipment import Payment, PaymentState, Shipment, Traits
from bridge.shipments.likeness import Person

SAMPLES = Path(__file__).parents[3] / "samples" / "shipx"
NOW = datetime(2026, 3, 18, 11, 33, tzinfo=UTC)
EXPIRES = datetime(2026, 3, 18, 11, 36, 58, 279_000, tzinfo=UTC)
PAID = datetime(2026, 3, 18, 11, 32, 11, 870_000, tzinfo=UTC)
COURIER = Offer(
    offer_id=1700000003,
    status="available",
    service_id="inpost_courier_standard",
    carrier_id="inpost_courier",
    rate=Money(amount=Decimal("13.50"), currency="PLN"),
    expires_at=EXPIRES,
    additional_services=(),
    unavailability_reasons=(),
)
LOCKER = Offer(
    offer_id=1700000004,
    status="unavailable",
    service_id="inpost_locker_allegro",
    carrier_id="inpost_locker",
    rate=None,
    expires_at=None,
    additional_services=(),
    unavailability_reasons=("allegro_email_invalid",),
)
PREPARED = Shipment(
    id=ShipmentId(3900000018),
    status="offers_prepared",
    at=NOW,
    changed_at=datetime(2026, 3, 18, 11, 31, 58, 279_000, tzinfo=UTC),
    tracking_number=None,
    return_tracking_number=None,
    service=None,
    selected=None,
    offers=(COURIER, LOCKER),
    payments=(),
    traits=Traits(
        reference="Order No. 12345",
        receiver="locker",
        weight_kg=Decimal(25),
        created_at=datetime(2026, 3, 18, 11, 31, 58, 79_000, tzinfo=UTC),
        target_point="KRA010",
        templates=("small",),
        people=frozenset(
            {
                Person("anna@example.com", "888000000", "30-624").digest,
                Person("sklep@example.com", "500100200", "30-300").digest,
            }
        ),
    ),
)
OLD = Traits(
    mpk="Nazwa miejsca powstania kosztów.",
    external_customer_id="8877xxx",
    reference="Order No. 12345",
    cod=Money(amount=Decimal("12.50"), currency="PLN"),
    insurance=Money(amount=Decimal("25.00"), currency="PLN"),
    receiver="locker",
    weight_kg=Decimal(25),
    created_at=datetime(2015, 9, 6, 17, 21, tzinfo=UTC),
    target_point="KRA010",
    templates=("small",),
    people=frozenset({Person("", "888000000").digest, Person("", "888000000", "30-624").digest}),
)
SELECTED = COURIER.model_copy(update={"status": "selected"})
BOUGHT = COURIER.model_copy(update={"status": "bought", "expires_at": None})


def sample(name: str, **changes: Any) -> bytes:
    value = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return json.dumps(value | changes).encode()


@pytest.mark.parametrize(
    ("name", "shipment"),
    [
        ("shipment_offers_prepared", PREPARED),
        (
            "shipment_payment_failed",
            replace(
                PREPARED,
                status="offer_selected",
                changed_at=PAID,
                service="inpost_courier_standard",
                selected=SELECTED,
                offers=(SELECTED,),
                payments=(Payment(500000001, PaymentState.failure, OfferId(1700000003), "debt_collection"),),
            ),
        ),
        (
            "shipment_confirmed",
            replace(
                PREPARED,
                status="confirmed",
                changed_at=PAID,
                tracking_number="620000000000000000000019",
                service="inpost_courier_standard",
                selected=BOUGHT,
                offers=(BOUGHT,),
                payments=(Payment(500000002, PaymentState.success, OfferId(1700000003), None),),
            ),
        ),
        (
            "shipment_created_old_page",
            replace(PREPARED, id=ShipmentId(1234567890), status="created", changed_at=NOW, offers=(), traits=OLD),
        ),
    ],
)
def test_a_sample_is_read_as_a_whole(name: str, shipment: Shipment) -> None:
    assert read(sample(name), NOW) == shipment


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("success", PaymentState.success),
        ("failure", PaymentState.failure),
        ("initiated", PaymentState.running),
        ("Success", PaymentState.running),
        ("never_documented", PaymentState.running),
    ],
)
def test_a_payment_with_a_word_nobody_documented_proves_nothing(word: str, state: PaymentState) -> None:
    body = sample("shipment_confirmed", transactions=[{"id": 7, "status": word, "offer_id": 3, "details": {}}])
    assert read(body, NOW).payments == (Payment(7, state, OfferId(3), None),)


@pytest.mark.parametrize(
    ("rate", "currency", "money"),
    [
        pytest.param(13.5, "PLN", Money(amount=Decimal("13.50"), currency="PLN"), id="a prepaid price"),
        pytest.param(0, "PLN", Money(amount=Decimal("0.00"), currency="PLN"), id="free is a price"),
        pytest.param("12.3456", "PLN", Money(amount=Decimal("12.3456"), currency="PLN"), id="nothing is rounded away"),
        pytest.param(None, "PLN", None, id="postpaid: unknown, not 0"),
        pytest.param(13.5, None, None, id="a number without a currency is no price"),
    ],
)
def test_a_price_is_exact_or_unknown(rate: object, currency: str | None, money: Money | None) -> None:
    offer = {"id": 1, "status": "available", "service": {"id": "x"}, "rate": rate, "currency": currency}
    assert read(sample("shipment_offers_prepared", offers=[offer]), NOW).offers[0].rate == money


@pytest.mark.parametrize("name", ["shipment_confirmed", "shipment_offers_prepared", "shipment_payment_failed"])
def test_nothing_of_people_and_no_code_that_opens_a_locker_is_read(name: str) -> None:
    secret = {"customer_delivering_code": "SECRET", "open_code": "SECRET"}
    receiver = {"phone": "SECRET", "address": {"street": "SECRET"}}
    people = {"sender": {"email": "SECRET"}, "receiver": receiver, "comments": "SECRET", "mpk": "SECRET"}
    failed = {"error": "company_data_missing", "message": "SECRET", "details": {"email": "SECRET"}}
    payments = [{"id": 1, "status": "failure", "offer_id": 1, "details": failed}]
    body = sample(name, custom_attributes=secret, transactions=payments, **people)
    assert "SECRET" not in repr(read(body, NOW))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"id": None}, id="no id"),
        pytest.param({"id": 0}, id="no number that can be an id"),
        pytest.param({"id": 10**18}, id="an id that is too long"),
        pytest.param({"status": "a status"}, id="a status in no safe form"),
        pytest.param({"status": "x" * 65}, id="a status that is too long"),
        pytest.param({"tracking_number": "62 <b>"}, id="a number in no safe form"),
        pytest.param({"updated_at": "2026-03-18T12:00:00"}, id="a time without an offset"),
        pytest.param({"updated_at": "9999-12-31T23:59:59-10:00"}, id="a time past the calendar"),
        pytest.param({"updated_at": "0001-01-01T00:00:00+10:00"}, id="a time before it"),
        pytest.param({"offers": [{"id": 1, "status": "available"}]}, id="an offer without a service"),
        pytest.param(
            {"offers": [{"id": 1, "status": "available", "service": {"id": "x"}, "rate": -1}]}, id="a negative price"
        ),
        pytest.param({"transactions": [{"id": 1}]}, id="a payment that says nothing"),
    ],
)
def test_what_is_not_in_its_safe_form_is_no_shipment(changes: dict[str, object]) -> None:
    with pytest.raises(Unreadable) as caught:
        read(sample("shipment_offers_prepared", **changes), NOW)
    assert caught.value.reason == "not_a_shipment"


@pytest.mark.parametrize(
    "key", ["offers", "transactions", "selected_offer", "service", "updated_at", "tracking_number"]
)
def test_a_null_where_something_may_be_is_nothing(key: str) -> None:
    found = read(sample("shipment_offers_prepared", **{key: None}), NOW)
    assert found.status == "offers_prepared"


def weighing(*weights: object) -> list[dict[str, object]]:
    return [{"id": str(n), "weight": weight} for n, weight in enumerate(weights)]


@pytest.mark.parametrize(
    ("changes", "trait", "value"),
    [
        pytest.param({"mpk": {"id": 7, "name": "Sklep"}}, "mpk", "Sklep", id="a cost centre"),
        pytest.param({"mpk": "Sklep"}, "mpk", "Sklep", id="by its name alone"),
        pytest.param({"mpk": {"id": 7}}, "mpk", None, id="one without a name"),
        pytest.param({"mpk": [1]}, "mpk", None, id="no cost centre at all"),
        pytest.param({"external_customer_id": 8877}, "external_customer_id", "8877", id="a number for a customer"),
        pytest.param({"external_customer_id": True}, "external_customer_id", None, id="no customer"),
        pytest.param({"reference": ""}, "reference", None, id="an empty reference is none"),
        pytest.param({"reference": 17}, "reference", None, id="a number is none either"),
        pytest.param({"reference": "x" * 256}, "reference", None, id="one that is too long"),
        pytest.param(
            {"cod": {"amount": "12.5", "currency": "PLN"}},
            "cod",
            Money(amount=Decimal("12.50"), currency="PLN"),
            id="cod",
        ),
        pytest.param({"cod": {"amount": 0, "currency": "PLN"}}, "cod", None, id="nothing to collect"),
        pytest.param({"cod": {"amount": 5, "currency": None}}, "cod", None, id="money of no currency"),
        pytest.param({"cod": {"amount": "much", "currency": "PLN"}}, "cod", None, id="no number"),
        pytest.param({"cod": 5}, "cod", None, id="a bare number"),
        pytest.param(
            {"cod": None, "cod_amount": {"amount": 5, "currency": "PLN"}},
            "cod",
            Money(amount=Decimal("5.00"), currency="PLN"),
            id="as older pages call it",
        ),
        pytest.param(
            {"insurance": {"amount": 1000, "currency": "PLN"}},
            "insurance",
            Money(amount=Decimal("1000.00"), currency="PLN"),
            id="insured",
        ),
        pytest.param({"custom_attributes": None}, "receiver", "address", id="to an address"),
        pytest.param({"custom_attributes": {"target_point": ""}}, "receiver", "address", id="to no point"),
        pytest.param({"custom_attributes": "KRA010"}, "receiver", "address", id="to what is no attribute"),
        pytest.param({"receiver": None}, "receiver", "locker", id="to a point, whoever gets it"),
        pytest.param({"custom_attributes": {}, "receiver": {"address": {}}}, "receiver", None, id="to no address"),
        pytest.param({"custom_attributes": {}, "receiver": "Anna"}, "receiver", None, id="to nobody knows where"),
        pytest.param(
            {"parcels": weighing({"amount": 2.5, "unit": "kg"}, {"amount": "500", "unit": "g"})},
            "weight_kg",
            Decimal("3.0"),
            id="the sum of its parcels, in either unit",
        ),
        pytest.param(
            {"parcels": weighing({"amount": 2.5, "unit": "kg"}, None)}, "weight_kg", None, id="one weight is unknown"
        ),
        pytest.param({"parcels": weighing({"amount": 2, "unit": "lb"})}, "weight_kg", None, id="in no unit we know"),
        pytest.param({"parcels": weighing({"amount": 2})}, "weight_kg", None, id="in none"),
        pytest.param(
            {"parcels": weighing({"amount": 0, "unit": "kg"})}, "weight_kg", None, id="nothing weighs nothing"
        ),
        pytest.param({"parcels": weighing({"amount": -1, "unit": "kg"})}, "weight_kg", None, id="nor less"),
        pytest.param({"parcels": []}, "weight_kg", None, id="no parcels"),
        pytest.param({"parcels": {"weight": 5}}, "weight_kg", None, id="not a list of them"),
        pytest.param({"parcels": [5]}, "weight_kg", None, id="a list of something else"),
        pytest.param({"created_at": "yesterday"}, "created_at", None, id="no time"),
        pytest.param({"created_at": "2026-03-18T12:00:00"}, "created_at", None, id="a time without an offset"),
    ],
)
def test_an_odd_trait_is_unknown_and_hides_nothing(changes: dict[str, object], trait: str, value: object) -> None:
    found = read(sample("shipment_offers_prepared", **changes), NOW)
    assert getattr(found.traits, trait) == value
    assert replace(found, traits=PREPARED.traits) == PREPARED


def test_what_keeps_a_body_from_being_read_is_named_by_field_and_not_repeated() -> None:
    body = sample("shipment_offers_prepared", status="SECRET SECRET", offers=[{"id": 1, "status": "available"}])
    assert [(field, code) for field, code, _ in faults(body)] == [
        ("status", "string_pattern_mismatch"),
        ("offers.0.service", "missing"),
    ]
    assert "SECRET" not in repr(faults(body))
    assert faults(sample("shipment_offers_prepared")) == ()
