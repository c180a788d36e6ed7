"""Who has a parcel that comes back follows from its whole history; each stay in a status is one fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, cast

import pytest

from bridge.carriers.intelligentreturns import words as platform
from bridge.events.catalogue import ReturnStatusChanged
from bridge.events.return_projection import OTHER, About, Projection, Sighting, expiry_approaching, label_ready, project
from bridge.events.returned import NOTHING_SEEN, Meaning, ReturnState
from bridge.events.statuses import ReturnStatus, Status, lookup
from bridge.model import Fact, OrganizationId

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
ONE = About("a" * 32, "intelligentreturns/main", OrganizationId(1000), "62001")


def ticket(word: str) -> Status:
    return lookup("inpost_returns", word)


def scan(word: str, minutes: float, **more: Any) -> Sighting:
    return Sighting(word, T0 + timedelta(minutes=minutes), **more)


def after(sightings: Sequence[Sighting], meaning: Meaning = platform.meaning) -> tuple[ReturnState, list[Fact]]:
    """See one after the other."""
    state, facts = NOTHING_SEEN, list[Fact]()
    for one in sightings:
        found = project(ONE, [one], state, meaning)
        state, facts = found.state, [*facts, *found.facts]
    return state, facts


def said(facts: Sequence[Fact]) -> list[ReturnStatusChanged]:
    return [cast("ReturnStatusChanged", fact.data) for fact in facts]


def told(facts: Sequence[Fact]) -> list[tuple[str, str, bool]]:
    return [(data.carrier_status, data.return_status, data.current) for data in said(facts)]


STORIES: list[tuple[str, list[tuple[str, float]], str, bool]] = [
    # what happened, the scans by minutes, what holds in the end, whether that is the end
    ("nothing but the booking", [("10", 0)], "created", False),
    (
        "the whole way",
        [("10", 0), ("20", 1), ("30", 2), ("40", 3), ("45", 4), ("90", 5), ("50", 6), ("60", 7)],
        "delivered",
        True,
    ),
    ("in transit and delivered in one second", [("60", 7), ("50", 7)], "delivered", True),
    ("by codes 90 is more than 60", [("60", 9), ("90", 3)], "delivered", True),
    ("a delay takes nothing away", [("20", 1), ("100", 2)], "dropped_off", False),
    ("customs while it is with the customer", [("10", 0), ("201", 1)], "created", False),
    ("customs on its way", [("40", 0), ("201", 1)], "in_transit", False),
    ("customs after it was delivered", [("60", 0), ("202", 1)], "delivered", True),
    ("refunded before it came", [("30", 0), ("70", 1)], "in_transit", False),
    ("lost", [("30", 0), ("110", 1)], "failed", False),
    ("lost and found", [("30", 0), ("110", 1), ("40", 2)], "at_hub", False),
    ("asked to be cancelled", [("10", 0), ("300", 1)], "created", False),
    ("cancelled", [("10", 0), ("300", 1), ("310", 2)], "cancelled", True),
    ("cancelled, and sent all the same", [("310", 0), ("20", 1)], "dropped_off", False),
    ("a collection that failed", [("10", 0), ("120", 1)], "created", False),
    ("a code that nobody knows", [("20", 0), ("777", 1)], "dropped_off", False),
]


@pytest.mark.parametrize(("remark", "scans", "status", "is_over"), STORIES)
def test_what_holds_in_the_end(remark: str, scans: list[tuple[str, float]], status: str, is_over: bool) -> None:
    found = project(ONE, [scan(*one) for one in scans], NOTHING_SEEN, platform.meaning)
    assert (found.state.status, found.is_over) == (status, is_over), remark
    assert len(found.facts) == len(scans)


@pytest.mark.parametrize(("remark", "scans", "status", "is_over"), [one for one in STORIES if len(one[1]) <= 4])
def test_the_order_in_which_it_is_learned_changes_nothing(
    remark: str, scans: list[tuple[str, float]], status: str, is_over: bool
) -> None:
    for order in permutations(scans):
        state, facts = after([scan(*one) for one in order])
        assert state.status == status, (remark, order)
        assert sorted(fact.key for fact in facts) == sorted({f"{word}#1" for word, _ in scans})
        again = project(ONE, [scan(*one) for one in scans], state, platform.meaning)
        assert (again.facts, again.state) == ((), state)


def test_a_word_that_follows_itself_is_one_stay_and_one_that_comes_back_another() -> None:
    state, facts = after([scan("30", 0), scan("30", 5), scan("40", 6), scan("30", 7)])
    assert [fact.key for fact in facts] == ["30#1", "40#1", "30#2"]
    assert [span.word for span in state.spans] == ["30", "40", "30"]


def test_what_is_older_than_what_is_known_is_told_as_such() -> None:
    _, facts = after([scan("40", 10), scan("20", 1, country="PL", place="Kraków")])
    assert told(facts) == [("40", "at_hub", True), ("20", "dropped_off", False)]
    late = said(facts)[1]
    assert (late.previous_return_status, late.previous_carrier_status) == ("created", None)
    assert (late.country, late.place, facts[1].occurred_at) == ("PL", "Kraków", T0 + timedelta(minutes=1))


def test_what_a_list_shows_is_the_latest_whatever_its_times_say() -> None:
    listed = [
        Sighting("NEW", T0, is_now=True),
        Sighting("SCANNED", T0 + timedelta(hours=1), is_now=True),
        Sighting("USED", T0 + timedelta(minutes=30), is_now=True, is_sent=True),
        Sighting("USED", T0 + timedelta(hours=3), is_now=True, is_sent=True),
        Sighting("DELIVERED", T0 + timedelta(minutes=40), is_now=True, is_sent=True),
    ]
    state, facts = after(listed, ticket)
    assert told(facts) == [
        ("NEW", "created", True),
        ("SCANNED", "dropped_off", True),
        ("USED", "dropped_off", True),
        ("DELIVERED", "delivered", True),
    ]
    assert facts[2].occurred_at == T0 + timedelta(minutes=30), "their time of it, not ours"
    assert ReturnState.load(state.dump()) == state


@pytest.mark.parametrize(
    ("before", "is_sent", "status", "attention"),
    [
        (["ACCEPTED"], False, "expired", False),
        (["SCANNED"], False, "expired", False),
        (["USED"], False, "unknown", True),
        (["SCANNED"], True, "unknown", True),
        (["USED", "DELIVERED"], False, "unknown", True),
    ],
)
def test_a_time_that_ended_after_it_was_sent_is_a_contradiction(
    before: list[str], is_sent: bool, status: str, attention: bool
) -> None:
    listed = [Sighting(word, T0, is_now=True, is_sent=is_sent) for word in [*before, "EXPIRED"]]
    _, facts = after(listed, ticket)
    expired = said(facts)[-1]
    assert (expired.return_status, expired.attention, expired.terminal) == (status, attention, status == "expired")


def test_a_word_that_may_not_be_published_is_not() -> None:
    _, facts = after([scan("przekazano: ul. Prosta 10", 0)])
    assert told(facts) == [(OTHER, "unknown", True)]


@pytest.mark.parametrize(
    ("country", "city", "expected"),
    [
        ("PL", "Łódź", ("PL", "Łódź")),
        ("FR", "L'Haÿ-les-Roses", ("FR", "L'Haÿ-les-Roses")),
        ("pl", "00-838 Warszawa", (None, None)),
        ("Poland", "a" * 65, (None, None)),
        (None, "Neuss\nJan", (None, None)),
    ],
)
def test_places_are_told_where_they_read_as_places(
    country: str | None, city: str | None, expected: tuple[str | None, str | None]
) -> None:
    _, facts = after([scan("40", 0, country=country, place=city)])
    assert (said(facts)[0].country, said(facts)[0].place) == expected


def test_a_history_that_is_full_takes_in_no_more() -> None:
    many = [scan("30" if number % 2 else "40", number) for number in range(600)]
    found: Projection = project(ONE, many, NOTHING_SEEN, platform.meaning)
    assert len(found.state.spans) < 500
    assert found.state.status in (ReturnStatus.in_transit, ReturnStatus.at_hub)


def test_papers_are_told_of_under_one_key() -> None:
    first = label_ready(ONE, "pdf", "0" * 64, 10, T0)
    again = label_ready(ONE, "png", "1" * 64, 20, T0 + timedelta(days=1))
    assert (first.key, first.facet) == (again.key, "pdf")
    soon = expiry_approaching(ONE, "accepted", T0, T0)
    assert soon.key != expiry_approaching(ONE, "accepted", T0 + timedelta(days=1), T0).key
    assert soon.key == expiry_approaching(replace(ONE, number=None), "created", T0, T0 + timedelta(hours=1)).key


def test_a_status_of_a_newer_version_is_unknown_and_keeps_nothing_from_being_read() -> None:
    state = ReturnState.load('[[["NEW",1,1,1],["ABDUCTED",2,2,1]],["created","abducted"],false,"more"]')
    assert (state.word, state.statuses) == ("ABDUCTED", (ReturnStatus.created, ReturnStatus.unknown))
