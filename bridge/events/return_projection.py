"""What a provider shows of a return, and what was known of it, become facts: pure, so the same after a crash."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from bridge.events import published
from bridge.events.catalogue import (
    COUNTRY,
    PLACE,
    Published,
    ReturnExpiryApproaching,
    ReturnLabelReady,
    ReturnStatusChanged,
)
from bridge.events.history import is_full
from bridge.events.returned import Meaning, ReturnState, Stay, stays
from bridge.events.statuses import ReturnStatus
from bridge.model import Evidence, Fact, OrganizationId, Subject

OTHER: Final = "other"
"""What is published for a word that does not have the form that may be."""


@dataclass(frozen=True, slots=True)
class About:
    """Which return facts are about. `connection` is who makes it, `number` its tracking number where one is known."""

    id: str
    connection: str
    organization: OrganizationId | None
    number: str | None = None

    def fact(self, key: str, data: Published, at: datetime, facet: str | None = None) -> Fact:
        """Make a fact."""
        return Fact(Subject.returned(self.connection, self.id), data.type, key, at, data, facet)

    def common(self, *, current: bool = True) -> dict[str, Any]:
        """Give what every event about a return says."""
        return {
            "return_id": self.id,
            "organization_id": self.organization,
            "provider": self.connection.partition("/")[0],
            "evidence": Evidence.carrier,
            "current": current,
        }


@dataclass(frozen=True, slots=True)
class Sighting:
    """A word for a return, and when it came to be so.

    `is_now`: it was read off a list of what is so now, so it is the latest, whenever it came to be so. `is_sent`: the
    provider also says that the parcel was sent.
    """

    word: str
    at: datetime
    is_now: bool = False
    is_sent: bool = False
    country: str | None = None
    place: str | None = None

    @property
    def published(self) -> str:
        """The word, where it has the form that may be published."""
        return published.word(self.word) or OTHER


@dataclass(frozen=True, slots=True)
class Projection:
    """What follows. `is_over`: nothing more is expected of the return."""

    state: ReturnState
    facts: tuple[Fact, ...]
    is_over: bool


def project(about: About, sightings: Sequence[Sighting], known: ReturnState, meaning: Meaning) -> Projection:
    """Say what is new, taking the earliest first."""
    state, facts = known, list[Fact]()
    for one in sorted(sightings, key=lambda it: (it.at, meaning(it.published).rank)):
        state, new = _seen(about, one, state, meaning)
        facts += new
    held = stays(state.spans, meaning, is_sent=state.is_sent)
    state = replace(state, statuses=tuple(stay.status for stay in held))
    return Projection(state, tuple(facts), bool(held) and held[-1].is_terminal)


def _seen(about: About, one: Sighting, known: ReturnState, meaning: Meaning) -> tuple[ReturnState, list[Fact]]:
    state = replace(known, is_sent=known.is_sent or one.is_sent)
    if is_full(state.spans) or (one.is_now and one.published == state.word):
        return state, []
    second = _second(one, state)
    found = state.report(one.published, second, meaning)
    if found.spans == state.spans:
        return state, []
    held = stays(found.spans, meaning, is_sent=state.is_sent)
    state = replace(state, spans=found.spans)
    return state, [_changed(about, one, second, state, held, place, meaning) for place in found.new]


def _second(one: Sighting, state: ReturnState) -> int:
    """Say in which second it stands in the history: what is so now comes last, however their clock goes."""
    second = int(one.at.timestamp())
    return max(second, state.spans[-1].last + 1) if one.is_now and state.spans else second


def _changed(
    about: About,
    one: Sighting,
    second: int,
    state: ReturnState,
    held: Sequence[Stay],
    place: int,
    meaning: Meaning,
) -> Fact:
    span, stay, word = state.spans[place], held[place], meaning(state.spans[place].word)
    before = held[place - 1].status if place else ReturnStatus.created
    status = stay.status if stay.is_told else ReturnStatus.unknown
    is_this = span.first == second and span.word == one.published
    data = ReturnStatusChanged.model_validate(
        {
            **about.common(current=place == len(state.spans) - 1),
            "return_status": status,
            "carrier_status": span.word,
            "previous_return_status": before,
            "previous_carrier_status": state.spans[place - 1].word if place else None,
            "last_known_status": None if stay.is_told else before,
            "reason": word.reason,
            "terminal": stay.is_told and stay.is_terminal,
            "attention": word.attention or stay.is_contradiction,
            "tracking_number": about.number,
            "country": _formed(COUNTRY, one.country) if is_this else None,
            "place": _formed(PLACE, one.place) if is_this else None,
        }
    )
    at = one.at if is_this else datetime.fromtimestamp(span.first, UTC)
    return about.fact(f"{span.word}#{span.occurrence}", data, at, status)


def label_ready(about: About, format_: str, sha256: str, size: int, at: datetime) -> Fact:
    """Tell that a label is kept here: once, however often it is fetched."""
    path = f"/v1/returns/{about.id}/label"
    data = ReturnLabelReady(**about.common(), format=format_, sha256=sha256, size=size, path=path)
    return about.fact("label", data, at, format_)


def expiry_approaching(about: About, status: str, expires_at: datetime, now: datetime) -> Fact:
    """Tell that there is little time left to send it: once for every expiry."""
    data = ReturnExpiryApproaching(
        **about.common(), expires_at=expires_at, return_status=status, tracking_number=about.number
    )
    return about.fact(f"{expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", data, now)


def _formed(form: str, text: str | None) -> str | None:
    return text if text is not None and re.fullmatch(form, text) else None
