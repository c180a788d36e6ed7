"""A notification and what was known of its subject become facts: pure, the same answer for webhook, poll and replay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import assert_never

from bridge.events import statuses
from bridge.events.catalogue import (
    Confirmed,
    Offer,
    OffersPrepared,
    Published,
    ReturnLegStarted,
    StatusChanged,
    TrackingNumberAssigned,
)
from bridge.events.history import Span, is_full
from bridge.events.notification import NothingKnown, Notification, OffersSeen, StatusSeen
from bridge.events.shipment import SOURCE, ShipmentState, known_before, rank
from bridge.events.statuses import TrackingStatus
from bridge.model import Fact, PurchaseWork, ShipmentId, Subject

OFFER_LIFETIME = timedelta(minutes=5)
"""How long offers can be bought, where the carrier does not say (page 47415642 of its documentation)."""


HISTORY_FULL = "history_full"
"""The verdict on a report for a shipment with more statuses than any parcel has."""


@dataclass(frozen=True, slots=True)
class Projection:
    """What follows from a notification. `verdict` says it in a word, for the inbox."""

    verdict: str
    state: ShipmentState | None = None
    facts: tuple[Fact, ...] = ()
    work: PurchaseWork | None = None
    is_bought: bool = False
    """Whether the report says that the shipment is bought at the carrier."""


_NOTHING = ShipmentState()


@dataclass(frozen=True, slots=True)
class _About:
    """A notification about a shipment, with what was known."""

    notification: Notification
    shipment: ShipmentId
    state: ShipmentState
    is_first: bool
    second: int

    @classmethod
    def of(cls, notification: Notification, shipment: ShipmentId, known: ShipmentState | None) -> _About:
        second = int(notification.at.timestamp())
        return cls(notification, shipment, known or _NOTHING, known is None, second)

    def common(self, *, current: bool, mid_life: bool) -> dict[str, object]:
        return {
            "shipment_id": self.shipment,
            "organization_id": self.notification.organization,
            "evidence": self.notification.evidence,
            "current": current,
            "first_seen": self.is_first and mid_life,
        }

    def fact(self, key: str, data: Published, *, at: datetime | None = None, facet: str | None = None) -> Fact:
        return Fact(
            subject=Subject.shipment(self.notification.organization, self.shipment),
            type=data.type,
            key=key,
            occurred_at=at or self.notification.at,
            data=data,
            facet=facet,
            causation=self.notification.delivery or None,
        )


def project(notification: Notification, known: ShipmentState | None) -> Projection:
    """Say what is new. `known` is None for a shipment nobody has told us of yet."""
    if notification.shipment is None:
        return Projection(verdict="unknown_event")
    about = _About.of(notification, notification.shipment, known)
    match notification.content:
        case StatusSeen() as seen:
            return _status(about, seen)
        case OffersSeen(offers):
            return _offers(about, offers)
        case NothingKnown():
            return Projection(verdict="unknown_event")
        case _:
            assert_never(notification.content)


def _status(about: _About, seen: StatusSeen) -> Projection:
    if is_full(about.state.spans):
        return Projection(verdict=HISTORY_FULL)
    found = about.state.report(seen.status, about.second)
    mine = about.second, rank(seen.status)
    is_latest = all((span.last, rank(span.word)) <= mine for span in found.spans)
    state = _after(about.state, seen, found.spans, is_latest=is_latest)
    facts = (
        *_confirmed(about, state, seen, current=is_latest),
        *_numbers(about, state, seen, current=is_latest),
        *[_status_fact(about, state, place) for place in found.new],
    )
    work = None
    if seen.status == "offers_prepared" and found.new:
        work = _work(about, about.notification.at + OFFER_LIFETIME)
    return Projection("projected" if facts else "nothing_new", state, facts, work, seen.says_bought)


def _after(before: ShipmentState, seen: StatusSeen, spans: tuple[Span, ...], *, is_latest: bool) -> ShipmentState:
    """Keep the numbers: the first one known, or a later report's other one."""
    number, return_number = before.tracking_number, before.return_tracking_number
    if seen.tracking_number and (number is None or is_latest):
        number = seen.tracking_number
    if seen.return_tracking_number and (return_number is None or is_latest):
        return_number = seen.return_tracking_number
    confirmed = before.confirmed or seen.says_bought
    return ShipmentState(spans, number, return_number, confirmed, before.offers_at)


def _is_mid_life(word: str) -> bool:
    return statuses.lookup(SOURCE, word).tracking is not TrackingStatus.pending


def _confirmed(about: _About, state: ShipmentState, seen: StatusSeen, *, current: bool) -> list[Fact]:
    if not seen.says_bought or about.state.confirmed:
        return []
    common = about.common(current=current, mid_life=True)
    return [about.fact("confirmed", Confirmed.model_validate(common | {"tracking_number": state.tracking_number}))]


def _numbers(about: _About, state: ShipmentState, seen: StatusSeen, *, current: bool) -> list[Fact]:
    common = about.common(current=current, mid_life=_is_mid_life(seen.status))
    facts = []
    if seen.tracking_number and seen.tracking_number != about.state.tracking_number:
        assigned = TrackingNumberAssigned.model_validate(common | {"tracking_number": seen.tracking_number})
        facts.append(about.fact(seen.tracking_number, assigned))
    if seen.return_tracking_number and seen.return_tracking_number != about.state.return_tracking_number:
        started = ReturnLegStarted.model_validate(
            common | {"tracking_number": state.tracking_number, "return_tracking_number": seen.return_tracking_number}
        )
        facts.append(about.fact(seen.return_tracking_number, started))
    return facts


def _status_fact(about: _About, state: ShipmentState, place: int) -> Fact:
    span = state.spans[place]
    status = statuses.lookup(SOURCE, span.word)
    last_known = known_before(state.spans, place)
    tracking = TrackingStatus.unknown if status.keep_previous else status.tracking
    common = about.common(current=place == len(state.spans) - 1, mid_life=_is_mid_life(span.word))
    data = StatusChanged.model_validate(
        common
        | {
            "tracking_status": tracking,
            "carrier_status": span.word,
            "previous_tracking_status": last_known,
            "previous_carrier_status": state.spans[place - 1].word if place else None,
            "last_known_status": last_known if tracking is TrackingStatus.unknown else None,
            "reason": status.reason,
            "terminal": status.terminal,
            "attention": status.attention,
            "tracking_number": state.tracking_number,
            "return_tracking_number": state.return_tracking_number,
        }
    )
    return about.fact(_status_key(span), data, at=_moment(about, span), facet=tracking)


def _status_key(span: Span) -> str:
    return f"{span.word}#{span.occurrence}"


def _moment(about: _About, span: Span) -> datetime:
    return about.notification.at if span.first == about.second else datetime.fromtimestamp(span.first, UTC)


def _offers(about: _About, offers: tuple[Offer, ...]) -> Projection:
    newest = about.state.offers_at is None or about.second >= about.state.offers_at
    current = newest and about.state.is_buyable
    expiries = [offer.expires_at for offer in offers if offer.status == "available" and offer.expires_at]
    data = OffersPrepared.model_validate(
        about.common(current=current, mid_life=False) | {"offers": offers, "expires_at": min(expiries, default=None)}
    )
    state = replace(about.state, offers_at=about.second) if newest else about.state
    deadline = min(expiries, default=about.notification.at + OFFER_LIFETIME)
    return Projection("projected", state, (about.fact(offers_key(offers), data),), _work(about, deadline))


def offers_key(offers: tuple[Offer, ...]) -> str:
    """Name a set of offers by its sorted ids; long sets by the hash of that text."""
    text = ",".join(str(number) for number in sorted(offer.offer_id for offer in offers))
    return text if len(text) <= 200 else sha256(text.encode()).hexdigest()


def _work(about: _About, deadline: datetime) -> PurchaseWork:
    """Have it decided about, whatever is known: what was told before may be forged, and a read decides."""
    return PurchaseWork(about.notification.organization, about.shipment, deadline, about.notification.delivery)
