"""What a read of a shipment says, beside what is known of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.events.history import Span
from bridge.events.notification import Notification, OffersSeen, StatusSeen
from bridge.events.projection import project
from bridge.events.shipment import ShipmentState
from bridge.model import DeliveryId, Evidence, ShipmentId
from bridge.purchasing.shipment import Payment, PaymentState, Shipment
from bridge.reconciling.reading import Reading
from tests.unit.reconciling.shipments import NOW, ORGANIZATION, offer, shipment

SECOND = int(NOW.timestamp())
PAID = (Payment(1, PaymentState.success, None, None),)


def told(read: Shipment, known: ShipmentState | None = None) -> list[tuple[str, str]]:
    return [(fact.type, fact.key) for fact in Reading(ORGANIZATION, read).project(known).facts]


@pytest.mark.parametrize(
    ("read", "known", "expected", "remark"),
    [
        (shipment(status="created"), None, [], "nobody announces that"),
        (shipment(offers=[offer(8), offer(7)]), None, ["offers_prepared 7,8"], "its offers"),
        (shipment(), None, [], "an item of a list without its offers is no set of none"),
        (shipment(status="offer_selected"), None, [], "the statuses before a purchase may not be announced at all"),
        (
            shipment(status="offer_selected"),
            ShipmentState((Span("created", SECOND - 9, SECOND - 9, 1),)),
            ["status_changed offer_selected#1"],
            "here they were",
        ),
        (
            shipment(status="confirmed", tracking_number="62"),
            None,
            ["confirmed confirmed", "tracking_number_assigned 62", "status_changed confirmed#1"],
            "bought",
        ),
        (
            shipment(status="taken_by_courier", tracking_number="62"),
            None,
            ["confirmed confirmed", "tracking_number_assigned 62", "status_changed taken_by_courier#1"],
            "bought and gone, without a word",
        ),
        (
            shipment(status="delivered", tracking_number="62"),
            ShipmentState((), "62", None, confirmed=True),
            ["status_changed delivered#1"],
            "the rest is known",
        ),
        (shipment(status="canceled"), None, ["status_changed canceled#1"], "not bought, and never will be"),
        (
            replace(shipment(status="canceled"), payments=PAID),
            None,
            ["confirmed confirmed", "status_changed canceled#1"],
            "a purchase was under way when it was cancelled",
        ),
        (shipment(status="brand_new"), None, ["status_changed brand_new#1"], "a word that nobody knows"),
    ],
)
def test_what_a_read_tells(read: Shipment, known: ShipmentState | None, expected: list[str], remark: str) -> None:
    assert [f"{kind.removeprefix('shipment.')} {key}" for kind, key in told(read, known)] == expected, remark


def test_a_read_makes_the_same_state_and_facts_as_the_webhooks() -> None:
    about = (ORGANIZATION, ShipmentId(1), NOW, Evidence.webhook)
    read = shipment(offers=[offer()])
    webhook = project(Notification(*about, OffersSeen((offer(),)), DeliveryId("01ff")), None)
    polled = Reading(ORGANIZATION, read).project(None)
    assert polled.state == webhook.state
    assert [(one.type, one.key, one.facet) for one in polled.facts] == [
        (one.type, one.key, one.facet) for one in webhook.facts
    ]
    assert polled.work is not None
    assert webhook.work is not None
    assert polled.work.deadline == webhook.work.deadline
    after = project(Notification(*about, StatusSeen("confirmed", "62"), DeliveryId("01fe")), webhook.state)
    again = Reading(ORGANIZATION, shipment(status="confirmed", tracking_number="62")).project(polled.state)
    assert again.state == after.state
    assert [(one.type, one.key) for one in again.facts] == [(one.type, one.key) for one in after.facts]


def test_facts_of_a_read_say_that_the_carrier_stands_behind_them() -> None:
    projection = Reading(ORGANIZATION, shipment(status="confirmed")).project(None)
    assert {getattr(fact.data, "evidence", None) for fact in projection.facts} == {Evidence.carrier}
    assert {fact.causation for fact in projection.facts} == {None}


def test_what_a_command_had_us_read_follows_from_it() -> None:
    projection = Reading(ORGANIZATION, shipment(offers=[offer()]), "command-1").project(None)
    assert {fact.causation for fact in projection.facts} == {"command-1"}
    assert projection.work is not None
    assert projection.work.cause == "command-1"


@pytest.mark.parametrize(
    ("ago", "is_wanted", "remark"),
    [
        (timedelta(minutes=-5), True, "the window is open"),
        (timedelta(minutes=50), True, "it can be opened anew"),
        (timedelta(minutes=61), False, "nobody may want it any more"),
    ],
)
def test_a_window_that_was_over_long_ago_is_not_opened_again(ago: timedelta, is_wanted: bool, remark: str) -> None:
    read = shipment(offers=[offer(expires_at=NOW - ago)], changed_at=NOW - ago - timedelta(minutes=5))
    projection = Reading(ORGANIZATION, read).project(None)
    assert [fact.type for fact in projection.facts] == ["shipment.offers_prepared"]
    assert (projection.work is not None) == is_wanted, remark


def test_each_set_of_offers_is_another_cause() -> None:
    first = Reading(ORGANIZATION, shipment(offers=[offer()])).project(None).work
    later = shipment(offers=[offer(9)], changed_at=NOW + timedelta(minutes=6))
    second = Reading(ORGANIZATION, later).project(None).work
    assert first is not None
    assert second is not None
    assert first.cause != second.cause
