"""What `bridge shipments create` is told becomes the request that programs send, or a word about what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from bridge.cli.draft import Draft, draft
from bridge.shipments.asked import CreateMany, CreateOne, CreateShipments

NOTHING = Draft([], None, None, None, None, None)
PERSON = ["first_name=Jan", "phone=500100200", "email=jan@example.com", "street=Długa", "building_number=1"]
PLACE = ["city=Kraków", "post_code=30-624"]


def test_options_are_one_shipment() -> None:
    given = Draft([*PERSON, *PLACE], "small", "KRA010", None, "ORDER-1", 4821)
    found = draft(CreateShipments, None, given)
    assert isinstance(found, CreateOne)
    assert (found.organization_id, found.reference, found.mode) == (4821, "ORDER-1", "offer")
    assert found.receiver is not None
    assert found.receiver.address is not None
    assert (found.receiver.phone, found.receiver.address.city) == ("500100200", "Kraków")
    assert (found.parcels[0].template, found.custom_attributes.target_point) == ("small", "KRA010")


def test_a_service_is_bought_by_the_carrier_itself() -> None:
    given = Draft([*PERSON, *PLACE], "small", "KRA010", "inpost_locker_standard", None, None)
    found = draft(CreateShipments, None, given)
    assert isinstance(found, CreateOne)
    assert (found.mode, found.service) == ("simplified", "inpost_locker_standard")


def test_a_file_is_what_programs_send(tmp_path: Path) -> None:
    path = tmp_path / "many.json"
    path.write_text(json.dumps({"shipments": [{"parcels": []}]}))
    found = draft(CreateShipments, path, Draft([], None, None, None, None, 4821))
    assert isinstance(found, CreateMany)
    assert found.organization_id == 4821


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        ("{", NOTHING, "is no JSON"),
        ("{}", NOTHING, "parcels"),
        ("{}", Draft([], "small", None, None, None, None), "goes with no other option"),
        (None, NOTHING, "parcels"),
        (None, Draft(["phone"], None, None, None, None, None), "FIELD=VALUE"),
        (None, Draft(["shoe_size=43"], None, None, None, None, None), "FIELD=VALUE"),
        (None, Draft(["phone=x"], "small", None, None, None, None), "receiver.phone"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str | None, given: Draft, told: str) -> None:
    path = None
    if text is not None:
        path = tmp_path / "draft.json"
        path.write_text(text)
    with pytest.raises(typer.BadParameter, match=told):
        draft(CreateShipments, path, given)
