"""What may be asked for: each rule by the field it is about, and the same meaning in the same bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.shipments.asked import CreateMany, CreateOne, CreateShipments, ShipmentAsked
from bridge.shipments.drafting import draft
from bridge.web.bodies import field_errors

LOCKER: dict[str, Any] = {"phone": "500100200", "email": "jan@example.com"}
ADDRESS: dict[str, Any] = {"street": "Lwowska", "building_number": "10", "city": "Kraków", "post_code": "30-300"}
COURIER: dict[str, Any] = {"first_name": "Jan", "last_name": "Nowak", "address": ADDRESS}
PARCEL: dict[str, Any] = {"template": "small"}
GOOD: dict[str, Any] = {"receiver": LOCKER, "parcels": [PARCEL]}
POINT: dict[str, Any] = {"custom_attributes": {"target_point": "KRA010"}}
TO_LOCKER = GOOD | POINT | {"mode": "simplified", "service": "inpost_locker_standard"}
BY_COURIER = {"receiver": COURIER, "parcels": [PARCEL], "mode": "simplified", "service": "inpost_courier_standard"}
TWO = [PARCEL | {"id": "a"}, PARCEL | {"id": "b"}]


def read(asked: object) -> CreateShipments:
    return CreateShipments.model_validate_json(json.dumps(asked))


def wrong(asked: object) -> list[tuple[str, str]]:
    """Give what is wrong with it: fields and codes."""
    with pytest.raises(ValidationError) as caught:
        read(asked)
    return [(one.field, one.code) for one in field_errors(caught.value)]


DROPOFF, TARGET = "custom_attributes.dropoff_point", "custom_attributes.target_point"
SENDING = "custom_attributes.sending_method"


def sent(method: str) -> dict[str, Any]:
    return {"custom_attributes": {"target_point": "KRA010", "dropoff_point": "KRA010", "sending_method": method}}


def missing(*fields: str) -> list[tuple[str, str]]:
    return [(field, "missing") for field in fields]


ACCEPTED: list[tuple[dict[str, Any], str]] = [
    (GOOD, "to anybody's locker, in offer mode"),
    ({"receiver": COURIER, "parcels": [PARCEL]}, "to an address, in offer mode"),
    ({"receiver": {"company_name": "Firma", "address": ADDRESS}, "parcels": [PARCEL]}, "to a company"),
    (TO_LOCKER, "to a locker, bought by the carrier"),
    (BY_COURIER, "by courier"),
    (BY_COURIER | {"parcels": TWO}, "two parcels by courier"),
    ({"receiver": COURIER, "parcels": TWO}, "two parcels, in offer mode"),
    ({"is_return": True, "parcels": [PARCEL]}, "a return needs no receiver"),
    (GOOD | {"reference": "", "mpk": "", "comments": "", "is_return": ""}, "what may be empty"),
    (BY_COURIER | {"additional_services": ["sms", "saturday"]}, "a service with extras"),
    (BY_COURIER | {"cod": {"amount": "10"}, "insurance": {"amount": "10"}}, "money on delivery, insured"),
    (TO_LOCKER | {"cod": {"amount": "10"}}, "money on delivery at a locker"),
    (TO_LOCKER | {"only_choice_of_offer": True}, "chosen, and not paid for"),
    (GOOD | {"receiver": LOCKER | {"phone": "+48 500-100-200"}}, "a phone as people write it"),
    (TO_LOCKER | {"service": "inpost_locker_economy"}, "a service that nobody documented"),
    (TO_LOCKER | sent("dispatch_order"), "to a locker, fetched by a courier"),
    (TO_LOCKER | sent("parcel_locker"), "from locker to locker"),
    (TO_LOCKER | {"service": "inpost_locker_pass_thru"} | sent("parcel_locker"), "from a locker to itself"),
    (TO_LOCKER | {"service": "inpost_locker_pass_thru"} | sent("any_point"), "nobody says that this one cannot"),
    (BY_COURIER | sent("pop"), "by courier, from a parcel point"),
    (BY_COURIER | {"service": "inpost_courier_c2c"} | sent("parcel_locker"), "by courier, from a locker: this one can"),
    (BY_COURIER | {"service": "inpost_courier_palette"} | sent("parcel_locker"), "which no table has"),
    (GOOD | sent("parcel_locker"), "in offer mode: the offers tell"),
    (
        GOOD | {"parcels": [{"dimensions": dict.fromkeys(("length", "width", "height"), 80), "weight": {"amount": 2}}]},
        "measured",
    ),
]


@pytest.mark.parametrize(("asked", "remark"), ACCEPTED, ids=[row[-1] for row in ACCEPTED])
def test_what_keeps_the_rules_is_taken(asked: dict[str, Any], remark: str) -> None:
    found = read(asked)
    assert isinstance(found, CreateOne), remark
    assert CreateShipments.read(found.canonical) == found


REFUSED: list[tuple[dict[str, Any], list[tuple[str, str]], str]] = [
    ({"parcels": [PARCEL]}, missing("receiver"), "nobody to get it"),
    (GOOD | {"receiver": {"phone": "500100200"}}, missing("receiver.email"), "no e-mail, and nothing else either"),
    (GOOD | {"receiver": COURIER | {"last_name": None}}, missing("receiver.last_name"), "half a name"),
    (
        GOOD | {"receiver": COURIER | {"address": ADDRESS | {"street": None}}},
        missing("receiver.address.street"),
        "no street",
    ),
    (TO_LOCKER | {"receiver": COURIER}, missing("receiver.phone", "receiver.email"), "a locker calls"),
    (
        BY_COURIER | {"receiver": LOCKER},
        missing("receiver.first_name", "receiver.last_name", "receiver.address"),
        "a courier rings",
    ),
    (TO_LOCKER | {"custom_attributes": {}}, missing(TARGET), "which locker"),
    (TO_LOCKER | {"service": "inpost_locker_pass_thru"}, missing(DROPOFF), "from which"),
    (GOOD | {"custom_attributes": {"sending_method": "parcel_locker"}}, missing(DROPOFF), "given up where"),
    (BY_COURIER | sent("parcel_locker"), [(SENDING, "invalid")], "no courier fetches it from a locker"),
    (
        BY_COURIER | {"service": "inpost_courier_express_1200"} | sent("parcel_locker"),
        [(SENDING, "invalid")],
        "nor one in a hurry",
    ),
    (
        TO_LOCKER | {"service": "inpost_locker_pass_thru"} | sent("dispatch_order"),
        [(SENDING, "invalid")],
        "it never leaves its locker",
    ),
    (
        TO_LOCKER | {"service": "inpost_locker_pass_thru"} | sent("pop"),
        [(SENDING, "invalid")],
        "nor comes from elsewhere",
    ),
    (TO_LOCKER | {"parcels": TWO}, [("parcels", "too_many")], "two parcels to a locker"),
    (
        {"receiver": COURIER, "parcels": [PARCEL, PARCEL]},
        [("parcels.0.id", "not_unique"), ("parcels.1.id", "not_unique")],
        "which is which",
    ),
    (GOOD | {"parcels": [{"weight": {"amount": 1}}]}, missing("parcels.0.dimensions"), "how large"),
    (GOOD | {"parcels": []}, [("parcels", "too_short")], "nothing to send"),
    (GOOD | {"mode": "simplified"}, missing("service"), "bought by the carrier, but what"),
    (
        GOOD | {"service": "inpost_locker_standard"},
        [("service", "unexpected"), (TARGET, "missing")],
        "a service among offers",
    ),
    (GOOD | {"additional_services": ["sms"]}, [("additional_services", "unexpected")], "extras of what"),
    (TO_LOCKER | {"additional_services": ["saturday"]}, [("additional_services", "invalid")], "lockers take no extras"),
    (GOOD | {"only_choice_of_offer": True}, [("only_choice_of_offer", "unexpected")], "choose which"),
    (BY_COURIER | {"cod": {"amount": "10"}}, missing("insurance"), "money on delivery is insured"),
    (
        BY_COURIER | {"cod": {"amount": "10"}, "insurance": {"amount": "9.99"}},
        [("insurance.amount", "too_small")],
        "insured for less",
    ),
    (GOOD | {"reference": "AB"}, [("reference", "string_too_short")], "too short to print"),
    (GOOD | {"comments": "x" * 101}, [("comments", "string_too_long")], "too long to print"),
    (GOOD | {"mpk": "x" * 256}, [("mpk", "string_too_long")], "a long cost centre"),
    (GOOD | {"cod": {"amount": "0.99"}}, [("cod.amount", "greater_than_equal")], "less than a zloty"),
    (GOOD | {"cod": {"amount": "1.001"}}, [("cod.amount", "decimal_max_places")], "a tenth of a grosz"),
    (GOOD | {"receiver": LOCKER | {"phone": "12345"}}, [("receiver.phone", "string_pattern_mismatch")], "no phone"),
    (GOOD | {"receiver": LOCKER | {"fax": "1"}}, [("receiver.fax", "extra_forbidden")], "a key nobody knows"),
    ({"shipments": []}, [("shipments", "too_short")], "none of many"),
]


@pytest.mark.parametrize(("asked", "errors", "remark"), REFUSED, ids=[row[-1] for row in REFUSED])
def test_what_breaks_a_rule_is_told_by_field(asked: object, errors: list[tuple[str, str]], remark: str) -> None:
    assert wrong(asked) == errors, remark


def test_of_many_each_stands_for_itself() -> None:
    asked = read({"organization_id": 1, "shipments": [GOOD, {"parcels": []}, GOOD | {"organization_id": 2}]})
    assert isinstance(asked, CreateMany)
    right, no_parcel, of_another = asked.wanted
    assert isinstance(right, ShipmentAsked)
    assert not isinstance(no_parcel, ShipmentAsked)
    assert not isinstance(of_another, ShipmentAsked)
    assert [one.field for one in (*no_parcel, *of_another)] == ["parcels", "organization_id"]


def test_the_same_in_other_words_has_the_same_bytes() -> None:
    one = read(GOOD | {"cod": {"amount": "12.50"}})
    other = read({"cod": {"currency": "PLN", "amount": 12.5}, "reference": "", **GOOD})
    assert one.canonical == other.canonical


def test_nobody_shows_in_what_is_printed() -> None:
    assert "jan@" not in repr(read(GOOD))
    assert "jan@" not in repr(draft(read(GOOD)))  # type: ignore[arg-type]
    assert "500100200" not in repr(read({"shipments": [GOOD]}))
