"""Which news of a webhook waits for a read follows from what it says, what was known, and the setting."""

from __future__ import annotations

import pytest

from bridge.events.notification import Content, NothingKnown, OffersSeen, StatusSeen
from bridge.events.projection import Projection, project
from bridge.events.readback import NOT_SHOWN, WAITS, ReadBack, held_back, waits
from bridge.events.shipment import ShipmentState
from tests.unit.events.test_projection import offer, said, told

KNOWN = told(said(StatusSeen("offers_prepared", None))).state
BOUGHT = told(said(StatusSeen("confirmed", "62"))).state
OFFERS = OffersSeen((offer(7),))


def status(word: str) -> StatusSeen:
    return StatusSeen(word, "62")


CASES: list[tuple[Content, ShipmentState | None, tuple[bool, bool, bool], str]] = [
    # what a webhook says, what was known, whether it waits under `purchases`, `terminal` and `always`, remark
    (OFFERS, None, (False, True, True), "never heard of it"),
    (OFFERS, KNOWN, (False, False, True), "offers of a known shipment spend nothing by themselves"),
    (status("created"), None, (False, True, True), "any status of a shipment nobody has heard of"),
    (status("confirmed"), KNOWN, (False, True, True), "others may ship on that"),
    (status("taken_by_courier"), BOUGHT, (False, False, True), "under way"),
    (status("delivered"), BOUGHT, (False, True, True), "the end"),
    (status("canceled"), KNOWN, (False, True, True), "another end"),
    (status("confirmed"), BOUGHT, (False, False, False), "nothing new in it"),
    (NothingKnown("news"), None, (False, False, False), "an event nobody documented has no effect anyway"),
]


@pytest.mark.parametrize(("content", "known", "expected", "remark"), CASES, ids=[row[3] for row in CASES])
def test_what_waits(
    content: Content, known: ShipmentState | None, expected: tuple[bool, bool, bool], remark: str
) -> None:
    settings: tuple[ReadBack, ...] = ("purchases", "terminal", "always")
    found = project(said(content, 60), known)
    assert tuple(waits(found, known, setting, is_read=False) for setting in settings) == expected, remark


AFTER_A_READ: list[tuple[Content, ShipmentState | None, tuple[bool, bool], str]] = [
    # what a webhook says, what was known, whether it still waits under `terminal` and `always`, remark
    (
        StatusSeen("created", None),
        None,
        (False, False),
        "the shipment exists; reads do not tell of statuses before a purchase",
    ),
    (status("taken_by_courier"), KNOWN, (False, True), "only a read that shows it proves it"),
    (status("delivered"), BOUGHT, (True, True), "a read that showed the shipment did not show that"),
    (OFFERS, KNOWN, (False, True), "other offers than the carrier's"),
]


READ = [row[3] for row in AFTER_A_READ]


@pytest.mark.parametrize(("content", "known", "expected", "remark"), AFTER_A_READ, ids=READ)
def test_what_still_waits_once_the_carrier_has_shown_the_shipment(
    content: Content, known: ShipmentState | None, expected: tuple[bool, bool], remark: str
) -> None:
    settings: tuple[ReadBack, ...] = ("terminal", "always")
    found = project(said(content, 60), known)
    assert tuple(waits(found, known, setting, is_read=True) for setting in settings) == expected, remark


FOUND = project(said(status("delivered"), 60), BOUGHT)


@pytest.mark.parametrize(
    ("waiting", "is_told", "is_late", "expected"),
    [
        pytest.param(True, False, False, Projection(WAITS), id="it waits, and has no effect meanwhile"),
        pytest.param(True, True, True, Projection("nothing_new"), id="a read has told it"),
        pytest.param(True, False, True, Projection(NOT_SHOWN), id="reads had time enough and did not show it"),
        pytest.param(False, False, True, FOUND, id="after the read it need not wait any more"),
        pytest.param(False, True, True, Projection("nothing_new"), id="the read told that, too"),
    ],
)
def test_what_becomes_of_it(waiting: bool, is_told: bool, is_late: bool, expected: Projection) -> None:
    assert held_back(FOUND, waits=waiting, is_told=is_told, is_late=is_late) == expected
