"""A notification becomes the facts that are new in it: the same answer for webhook, poll and replay."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.events import statuses
from bridge.events.catalogue import Money, Offer
from bridge.events.history import MOST_SPANS, Span
from bridge.events.notification import Content, NothingKnown, Notification, OffersSeen, StatusSeen
from bridge.events.projection import OFFER_LIFETIME, offers_key, project
from bridge.events.shipment import ShipmentState
from bridge.events.statuses import TrackingStatus
from bridge.model import DeliveryId, Evidence, Fact, OrganizationId, PurchaseWork, ShipmentId

AT = datetime(2026, 10, 10, 9, 30, tzinfo=UTC)
NUMBER = "520000012680041086770098"
SECOND_NUMBER = "520000012680041086770099"
WORDS = list(statuses.words("shipx"))
UNLISTED = "never_seen_before"

deterministic = settings(derandomize=True, database=None, deadline=None, max_examples=200)


def said(content: Content, at: int = 0, evidence: Evidence = Evidence.webhook) -> Notification:
    return Notification(
        OrganizationId(1234),
        ShipmentId(987654321),
        AT + timedelta(seconds=at),
        evidence,
        content,
        DeliveryId(f"delivery-{at}"),
    )


def status(word: str, at: int = 0, number: str | None = None, second: str | None = None) -> Notification:
    return said(StatusSeen(word, number, second), at)


def offer(number: int, **changes: Any) -> Offer:
    values = {
        "offer_id": number,
        "status": "available",
        "service_id": "inpost_locker_standard",
        "carrier_id": None,
        "rate": Money(amount=Decimal("12.50"), currency="PLN"),
        "expires_at": AT + timedelta(minutes=5),
        "additional_services": (),
        "unavailability_reasons": (),
    }
    return Offer.model_validate(values | changes)


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that followed from notifications, repeats of a fact left out as the store leaves them out."""

    state: ShipmentState
    facts: tuple[Fact, ...]

    def of(self, kind: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.type == f"shipment.{kind}"]


def told(*notifications: Notification, known: ShipmentState | None = None) -> Told:
    facts: dict[tuple[str, str], Fact] = {}
    for notification in notifications:
        found = project(notification, known)
        known = found.state or known
        for fact in found.facts:
            facts.setdefault((fact.type, fact.key), fact)
    return Told(known or ShipmentState(), tuple(facts.values()))


def data(fact: Fact) -> dict[str, Any]:
    found: dict[str, Any] = fact.data.model_dump()
    return found


# The numbers


def test_a_tracking_number_that_arrives_later_is_a_fact_of_its_own() -> None:
    found = told(status("confirmed", 0, None), status("confirmed", 5, NUMBER))
    assert [fact.type for fact in found.facts] == [
        "shipment.confirmed",
        "shipment.status_changed",
        "shipment.tracking_number_assigned",
    ]
    assert data(found.facts[0])["tracking_number"] is None
    assert data(found.facts[2])["tracking_number"] == NUMBER
    assert found.state.tracking_number == NUMBER


def test_a_tracking_number_that_goes_away_again_is_kept() -> None:
    found = told(status("confirmed", 0, NUMBER), status("taken_by_courier", 5, None))
    assert found.state.tracking_number == NUMBER
    assert data(found.of("status_changed")[-1])["tracking_number"] == NUMBER


def test_an_old_report_does_not_take_the_place_of_a_newer_number() -> None:
    found = told(status("confirmed", 5, SECOND_NUMBER), status("confirmed", 3, NUMBER))
    assert found.state.tracking_number == SECOND_NUMBER
    assert [data(fact)["current"] for fact in found.of("tracking_number_assigned")] == [True, False]


def test_a_return_starts_with_both_numbers() -> None:
    found = told(status("taken_by_courier", 0, NUMBER), status("returned_to_sender", 9, NUMBER, SECOND_NUMBER))
    (started,) = found.of("return_leg_started")
    assert data(started)["tracking_number"] == NUMBER
    assert data(started)["return_tracking_number"] == SECOND_NUMBER
    assert started.key == SECOND_NUMBER
    assert found.state.return_tracking_number == SECOND_NUMBER


# Confirmed


def test_a_purchase_that_is_reported_in_two_ways_is_confirmed_once() -> None:
    two_ways = (said(StatusSeen("confirmed", NUMBER), 0), said(StatusSeen("confirmed", None), 1, Evidence.carrier))
    for order in permutations(two_ways):
        found = told(*order)
        assert len(found.of("confirmed")) == 1
        assert len(found.of("status_changed")) == 1


def test_a_purchase_learned_late_is_confirmed_all_the_same_but_not_current() -> None:
    found = told(status("taken_by_courier", 9), status("confirmed", 0))
    assert [data(fact)["current"] for fact in found.of("confirmed")] == [False]
    assert found.state.tracking_status is TrackingStatus.picked_up


# Statuses


LIFE = [
    # word, previous word, previous status, status, occurrence, remark
    ("created", None, None, "pending", "created#1", "the beginning has no previous one"),
    ("offers_prepared", "created", "pending", "pending", "offers_prepared#1", "a raw change alone is a fact too"),
    ("confirmed", "offers_prepared", "pending", "label_created", "confirmed#1", "bought"),
    ("ready_to_pickup", "confirmed", "label_created", "available_for_pickup", "ready_to_pickup#1", "scans are skipped"),
    (
        "avizo_completed",
        "ready_to_pickup",
        "available_for_pickup",
        "unknown",
        "avizo_completed#1",
        "says nothing of it",
    ),
    (
        "ready_to_pickup",
        "avizo_completed",
        "available_for_pickup",
        "available_for_pickup",
        "ready_to_pickup#2",
        "again",
    ),
    ("delivered", "ready_to_pickup", "available_for_pickup", "delivered", "delivered#1", "the end"),
]


def test_a_life_in_order_is_told_step_by_step() -> None:
    found = told(*(status(row[0], at) for at, row in enumerate(LIFE))).of("status_changed")
    for fact, (word, previous_word, previous, expected, key, remark) in zip(found, LIFE, strict=True):
        said_so = data(fact)
        assert said_so["carrier_status"] == word, remark
        assert said_so["previous_carrier_status"] == previous_word, remark
        assert said_so["previous_tracking_status"] == previous, remark
        assert said_so["tracking_status"] == fact.facet == expected, remark
        assert fact.key == key, remark
        assert said_so["current"] is True, remark


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_table_is_told_as_its_row_says(word: str) -> None:
    row = statuses.lookup("shipx", word)
    (fact,) = told(status(word)).of("status_changed")
    said_so = data(fact)
    expected = TrackingStatus.unknown if row.keep_previous else row.tracking
    assert fact.facet == expected
    assert said_so["tracking_status"] == expected
    assert said_so["carrier_status"] == word
    assert (said_so["reason"], said_so["terminal"], said_so["attention"]) == (row.reason, row.terminal, row.attention)


SILENT = [
    # word, remark
    (UNLISTED, "nobody documented it"),
    ("other", "the carrier does not know it itself"),
    ("cod_completed", "listed, but says nothing of where the parcel is"),
    ("picked_up", "means two things"),
]


@pytest.mark.parametrize(("word", "remark"), SILENT, ids=[row[1] for row in SILENT])
def test_a_word_that_says_nothing_is_published_as_unknown_and_the_state_keeps(word: str, remark: str) -> None:
    found = told(status("out_for_delivery", 0), status(word, 5))
    fact = found.of("status_changed")[-1]
    assert fact.facet == "unknown", remark
    assert data(fact)["tracking_status"] == "unknown", remark
    assert data(fact)["carrier_status"] == word, remark
    assert data(fact)["last_known_status"] == "out_for_delivery", remark
    assert found.state.tracking_status is TrackingStatus.out_for_delivery, remark


def test_with_nothing_known_before_an_unlisted_word_has_no_last_known_status() -> None:
    found = told(status(UNLISTED))
    assert data(found.facts[0])["last_known_status"] is None
    assert found.state.tracking_status is TrackingStatus.unknown


def test_the_last_known_status_stands_only_beside_unknown() -> None:
    for word in WORDS:
        fact = told(status("created", 0), status(word, 5)).of("status_changed")[-1]
        assert (data(fact)["last_known_status"] is None) == (fact.facet != "unknown")


CURRENT = [
    # reports as they arrive, current of each status fact, remark
    ([("confirmed", 1), ("delivered", 2)], [True, True], "in order"),
    ([("delivered", 2), ("confirmed", 1)], [True, False], "an old one after a new one"),
    ([("taken_by_courier", 5), ("delivered", 5)], [True, True], "one second: further along is later"),
    ([("delivered", 5), ("taken_by_courier", 5)], [True, False], "one second, the other way round"),
    ([("avizo", 1), ("avizo", 9), ("delivered", 5)], [True, False, True], "parts a stay; its later side is the latest"),
    ([("avizo", 1), ("avizo", 9), ("avizo", 5)], [True], "a repeat is no fact"),
]


@pytest.mark.parametrize(("reports", "expected", "remark"), CURRENT, ids=[row[2] for row in CURRENT])
def test_current_says_what_was_the_latest_when_it_was_learned(
    reports: list[tuple[str, int]], expected: list[bool], remark: str
) -> None:
    found = told(*(status(word, at) for word, at in reports)).of("status_changed")
    assert [data(fact)["current"] for fact in found] == expected, remark


def test_a_fact_happened_when_the_carrier_says_whenever_it_was_learned() -> None:
    found = told(status("delivered", 60), status("confirmed", 3)).of("status_changed")
    assert [fact.occurred_at for fact in found] == [AT + timedelta(seconds=60), AT + timedelta(seconds=3)]


# A subject first met


FIRST = [
    # the first thing heard, whether that is mid-life, remark
    ("created", False, "born before our eyes"),
    ("offers_prepared", False, "still unbought"),
    ("confirmed", True, "somebody bought it before we listened"),
    ("out_for_delivery", True, "on its way"),
    ("delivered", True, "over"),
    (UNLISTED, True, "who knows"),
]


@pytest.mark.parametrize(("word", "expected", "remark"), FIRST, ids=[row[2] for row in FIRST])
def test_first_seen_marks_a_subject_first_met_in_the_middle_of_its_life(word: str, expected: bool, remark: str) -> None:
    first = project(status(word, 0, NUMBER), None)
    marks = {data(fact)["first_seen"] for fact in first.facts if fact.type != "shipment.tracking_number_assigned"}
    assert marks == {expected}, remark
    later = told(status("ready_to_pickup", 9, SECOND_NUMBER), known=first.state)
    assert {data(fact)["first_seen"] for fact in later.facts} == {False}, remark


# Offers


def test_offers_have_the_same_key_in_any_order() -> None:
    offers = (offer(3), offer(20), offer(1))
    assert {offers_key(order) for order in permutations(offers)} == {"1,3,20"}


def test_another_set_of_offers_has_another_key_however_long() -> None:
    long = tuple(offer(10**17 + number) for number in range(40))
    assert len(offers_key(long)) == 64
    assert offers_key(long) == offers_key(long[::-1])
    assert offers_key(long) != offers_key(long[1:])


def test_offers_can_be_bought_until_the_first_available_one_expires() -> None:
    soon, late = AT + timedelta(minutes=2), AT + timedelta(minutes=5)
    offers = (offer(1, expires_at=late), offer(2, expires_at=soon), offer(3, status="unavailable", expires_at=AT))
    found = project(said(OffersSeen(offers)), None)
    assert data(found.facts[0])["expires_at"] == soon
    assert found.work == PurchaseWork(OrganizationId(1234), ShipmentId(987654321), soon, DeliveryId("delivery-0"))


def test_offers_without_an_expiry_are_given_the_documented_time() -> None:
    found = project(said(OffersSeen((offer(1, expires_at=None),))), None)
    assert data(found.facts[0])["expires_at"] is None
    assert found.work is not None
    assert found.work.deadline == AT + OFFER_LIFETIME


UNBUYABLE = [
    # what is known, remark
    ((status("confirmed", 0),), "bought"),
    ((status("taken_by_courier", 0),), "on its way"),
    ((status("canceled", 0),), "cancelled"),
    ((status("confirmed", 0), status(UNLISTED, 1)), "bought; a word that says nothing changes nothing"),
]


@pytest.mark.parametrize(("known", "remark"), UNBUYABLE, ids=[row[1] for row in UNBUYABLE])
def test_offers_of_a_shipment_that_cannot_be_bought_as_was_told_are_work_for_a_read(
    known: tuple[Notification, ...], remark: str
) -> None:
    found = project(said(OffersSeen((offer(1),)), 9), told(*known).state)
    assert data(found.facts[0])["current"] is False, remark
    assert found.work is not None, "what was told may be forged"


def test_older_offers_after_newer_ones_are_not_current_and_work_all_the_same() -> None:
    known = told(said(OffersSeen((offer(2),)), 60)).state
    found = project(said(OffersSeen((offer(1),)), 0), known)
    assert data(found.facts[0])["current"] is False
    assert found.work is not None, "the newer ones may be forged"
    assert found.state == known


def test_the_status_offers_prepared_is_work_whatever_was_told_of_later() -> None:
    known = told(status("confirmed", 3600)).state
    assert project(status("offers_prepared", 0), known).work is not None


def test_the_status_offers_prepared_is_work_too_once() -> None:
    first = project(status("offers_prepared", 0), None)
    assert first.work is not None
    assert first.work.deadline == AT + OFFER_LIFETIME
    assert project(status("offers_prepared", 0), first.state).work is None


# What is no fact


def test_an_event_that_nobody_documented_has_no_effect() -> None:
    found = project(said(NothingKnown("parcel_teleported")), None)
    assert (found.verdict, found.facts, found.state, found.work) == ("unknown_event", (), None, None)


def test_a_notification_about_no_shipment_has_no_effect() -> None:
    found = project(replace(status("delivered"), shipment=None), None)
    assert (found.verdict, found.facts, found.state) == ("unknown_event", (), None)


def test_a_forged_stream_of_words_ends_at_the_bound() -> None:
    spans = tuple(Span("ab"[number % 2], number, number, number // 2 + 1) for number in range(MOST_SPANS))
    found = project(status("delivered", 10**6), ShipmentState(spans=spans))
    assert (found.verdict, found.facts) == ("history_full", ())


# For any life at all


words = st.sampled_from([*WORDS, UNLISTED])
numbers = st.sampled_from([None, None, NUMBER, SECOND_NUMBER])
anything = st.lists(
    st.one_of(
        st.builds(status, words, st.integers(0, 12), numbers, numbers),
        st.builds(
            lambda ids, at: said(OffersSeen(tuple(offer(each) for each in ids)), at),
            st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True),
            st.integers(0, 12),
        ),
    ),
    min_size=1,
    max_size=10,
)
distinct = st.dictionaries(st.integers(0, 40), words, min_size=1, max_size=10).map(
    lambda found: [status(word, at) for at, word in found.items()]
)
shuffled = distinct.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found)))


def _counted(found: Told) -> Counter[object]:
    return Counter(data(fact)["carrier_status"] for fact in found.of("status_changed"))


def _latest(found: Told) -> tuple[TrackingStatus, list[str], bool]:
    return found.state.tracking_status, [span.word for span in found.state.spans], found.state.confirmed


@deterministic
@given(shuffled)
def test_the_order_of_arrival_changes_neither_the_number_of_facts_nor_the_final_state(
    orders: tuple[list[Notification], list[Notification]],
) -> None:
    one, other = told(*orders[0]), told(*orders[1])
    assert _counted(one) == _counted(other)
    assert _latest(one) == _latest(other)
    assert len(one.of("confirmed")) == len(other.of("confirmed"))


@deterministic
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 3)), min_size=2, max_size=7), st.randoms())
def test_words_of_one_second_give_the_same_final_status_in_any_order(
    reports: list[tuple[str, int]], random: Any
) -> None:
    other = random.sample(reports, len(reports))
    one_way, another_way = (told(*(status(word, at) for word, at in each)) for each in (reports, other))
    assert _latest(one_way) == _latest(another_way)
    assert _counted(one_way) == _counted(another_way)


@deterministic
@given(anything)
def test_whoever_keeps_only_what_is_current_ends_with_the_state_that_we_have(notifications: list[Notification]) -> None:
    found = told(*notifications)
    kept = [data(fact) for fact in found.of("status_changed") if data(fact)["current"]]
    if kept:
        assert kept[-1]["carrier_status"] == found.state.spans[-1].word
        if not statuses.lookup("shipx", kept[-1]["carrier_status"]).keep_previous:
            assert kept[-1]["tracking_status"] == found.state.tracking_status


@deterministic
@given(anything)
def test_a_notification_projected_twice_yields_nothing_new(notifications: list[Notification]) -> None:
    once, twice = told(*notifications), told(*(each for each in notifications for _again in range(2)))
    assert once == twice


@deterministic
@given(anything)
def test_a_replay_of_everything_yields_no_new_status_and_no_new_offers(notifications: list[Notification]) -> None:
    once, again = told(*notifications), told(*notifications, *notifications)
    for kind in ("status_changed", "offers_prepared", "confirmed"):
        assert once.of(kind) == again.of(kind)
    assert _latest(once) == _latest(again)


@deterministic
@given(anything)
def test_no_two_facts_of_one_projection_have_the_same_identity(notifications: list[Notification]) -> None:
    known: ShipmentState | None = None
    for notification in notifications:
        found = project(notification, known)
        known = found.state or known
        assert len({(fact.type, fact.key) for fact in found.facts}) == len(found.facts)


@deterministic
@given(anything)
def test_a_state_is_read_back_as_it_was_written(notifications: list[Notification]) -> None:
    state = told(*notifications).state
    assert ShipmentState.load(state.dump()) == state


def test_a_state_written_before_repeats_were_kept_can_be_read() -> None:
    assert ShipmentState.load('[[["created",1,2,1]],null,null,false,null]').spans == (Span("created", 1, 2, 1),)
