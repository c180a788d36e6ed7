"""Which labels there are of what, before the carrier is asked."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.app.bus import ON_THE_BUS
from bridge.commands import reading
from bridge.shipments.asked_label import FetchLabel
from bridge.shipments.label import LabelFormat, LabelKind, LabelWish
from bridge.shipments.label_rules import broken, broken_way_back

PDF, ZPL, EPL = LabelFormat.pdf, LabelFormat.zpl, LabelFormat.epl
LOCKER, COURIER = "inpost_locker_standard", "inpost_courier_standard"
WISHES = [
    # remark, format, type, service, whether there is such a label
    ("a locker's as it comes", PDF, None, LOCKER, True),
    ("a locker's in A4", PDF, LabelKind.normal, LOCKER, True),
    ("a courier's in A4", PDF, LabelKind.normal, COURIER, False),
    ("a courier's in A6", PDF, LabelKind.a6, COURIER, True),
    ("a courier's as it comes", EPL, None, COURIER, True),
    ("A4 of what nobody knows", PDF, LabelKind.normal, None, True),
    ("300 dpi of a locker", ZPL, LabelKind.dpi300, LOCKER, True),
    ("300 dpi of a courier", ZPL, LabelKind.dpi300, COURIER, False),
    ("300 dpi of Allegro's courier", ZPL, LabelKind.dpi300, "inpost_courier_allegro", True),
    ("300 dpi between people", ZPL, LabelKind.dpi300, "inpost_courier_c2c", True),
    ("300 dpi of what nobody knows", ZPL, LabelKind.dpi300, None, True),
    ("300 dpi in PDF", PDF, LabelKind.dpi300, LOCKER, False),
    ("300 dpi in EPL", EPL, LabelKind.dpi300, None, False),
]
WAYS_BACK = [(COURIER, True), ("inpost_courier_c2c", True), ("inpost_courier_allegro", False), (LOCKER, False)]


@pytest.mark.parametrize(("form", "kind", "service", "exists"), [one[1:] for one in WISHES], ids=[w[0] for w in WISHES])
def test_a_wish_for_what_there_is_not_names_the_type(
    form: LabelFormat, kind: LabelKind | None, service: str | None, exists: bool
) -> None:
    found = broken(form, kind, [] if service is None else [LOCKER, service])
    assert [one.where for one in found] == ([] if exists else [("type",)])


@pytest.mark.parametrize(("service", "exists"), WAYS_BACK)
def test_only_couriers_have_labels_for_the_way_back(service: str, exists: bool) -> None:
    found = broken_way_back([COURIER, service])
    assert [one.where for one in found] == ([] if exists else [("shipment_id",)])


def test_a_command_for_what_there_is_not_is_refused_by_its_field() -> None:
    with pytest.raises(ValidationError) as refused:
        FetchLabel.model_validate({"shipment_id": 1, "type": "dpi300"})
    assert [one["loc"] for one in refused.value.errors()] == [("type",)]


def test_normal_is_what_is_sent_without_a_type() -> None:
    assert LabelWish.of(PDF, LabelKind.normal) == LabelWish.of(PDF, None) == LabelWish()
    assert LabelWish.of(PDF, LabelKind.a6) == LabelWish(PDF, LabelKind.a6)


def test_over_the_bus_the_same_rules_hold() -> None:
    asked = reading.read("label.fetch", b'{"command_id": "one", "shipment_id": 5, "format": "zpl"}', ON_THE_BUS, bool)
    assert asked == reading.Asked("one", FetchLabel(shipment_id=5, format=ZPL))
    wrong = reading.read("label.fetch", b'{"command_id": "one", "shipment_id": 5, "type": "dpi300"}', ON_THE_BUS, bool)
    assert isinstance(wrong, reading.NotUnderstood)
    assert [error.field for error in wrong.errors] == ["type"]
    unasked = reading.read("label.keep", b'{"command_id": "one", "shipment_id": 5}', ON_THE_BUS, bool)
    assert isinstance(unasked, reading.NotUnderstood), "nobody but a confirmation has labels kept for days"
