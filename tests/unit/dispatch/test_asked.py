"""What may be asked for about couriers, and what is said about each field that is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.dispatch.asked import CalculateDispatchOrder, CreateDispatchOrder
from bridge.shipments.party import Address
from bridge.web.bodies import field_errors

ADDRESS: dict[str, Any] = {"street": "Lwowska", "building_number": "10", "city": "Kraków", "post_code": "30-300"}
ASKED: dict[str, Any] = {"shipments": [3900000017], "address": ADDRESS}


def wrong(
    asked: dict[str, Any], model: type[CreateDispatchOrder | CalculateDispatchOrder] = CreateDispatchOrder
) -> Any:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(json.dumps(asked))
    return {(one.field, one.code) for one in field_errors(caught.value)}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"shipments": []}, {("shipments", "too_short")}),
        ({"shipments": [1] * 2}, {("shipments.0", "not_unique"), ("shipments.1", "not_unique")}),
        ({"shipments": [1, True]}, {("shipments.1", "int_type")}),
        ({"shipments": [1, "3900000017"]}, {("shipments.1", "int_type")}),
        ({"shipments": [1, 0]}, {("shipments.1", "greater_than_equal")}),
        ({"shipments": list(range(1, 1002))}, {("shipments", "too_long")}),
        ({"address": None}, {("address", "missing")}),
        ({"dispatch_point_id": 7}, {("dispatch_point_id", "unexpected")}),
        ({"address": ADDRESS | {"street": None}}, {("address.street", "missing")}),
        ({"address": ADDRESS | {"post_code": "30300"}}, {("address.post_code", "string_pattern_mismatch")}),
        ({"phone": "12"}, {("phone", "string_pattern_mismatch")}),
        ({"email": "nobody"}, {("email", "string_pattern_mismatch")}),
        ({"comment": "two\nlines"}, {("comment", "string_pattern_mismatch")}),
        ({"name": "x" * 256}, {("name", "string_too_long")}),
        ({"when": "now"}, {("when", "extra_forbidden")}),
    ],
)
def test_what_is_wrong_is_told_by_field(changes: dict[str, Any], errors: set[tuple[str, str]]) -> None:
    assert wrong(ASKED | changes) == errors


def test_an_address_may_be_in_lines_as_older_programs_write_it() -> None:
    lines = {"line1": "Lwowska 10", "city": "Kraków", "post_code": "30-300"}
    asked = CreateDispatchOrder.model_validate_json(json.dumps(ASKED | {"address": lines}))
    assert asked.draft.address == Address("Kraków", "30-300", "PL", line1="Lwowska 10")


def test_a_point_stands_for_an_address() -> None:
    asked = CreateDispatchOrder.model_validate_json('{"shipments": [1], "dispatch_point_id": 7}')
    assert (asked.draft.dispatch_point_id, asked.draft.address) == (7, None)


def test_what_is_about_people_shows_itself_nowhere() -> None:
    asked = CreateDispatchOrder.model_validate_json(json.dumps(ASKED | {"name": "Jan Nowak", "phone": "500100200"}))
    assert not {"Jan", "500100200", "Lwowska"} & set(repr(asked).split("'"))
    assert "Jan" not in repr(asked.draft)


def test_a_price_is_asked_for_once_for_each_shipment() -> None:
    assert wrong({"shipments": [1, 1]}, CalculateDispatchOrder) == {
        ("shipments.0", "not_unique"),
        ("shipments.1", "not_unique"),
    }
