"""One timeline of a subject: deliveries, reads, decisions, calls, events, publishes, in the order of their time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from bridge.events.catalogue import versioned
from bridge.inspection.outlook import clock
from bridge.store.journal import Entry
from bridge.store.story import Arrived, Story, Told

Kind = Literal["delivery", "read", "call", "person", "event", "publish"]
_ORDER: Final[tuple[Kind, ...]] = ("delivery", "read", "call", "person", "event", "publish")
"""Of what happened in one commit: what came, what was found, what was said."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: `text` is for people, `details` for programs."""

    at: datetime
    kind: Kind
    text: str
    details: Mapping[str, Any]


def timeline(story: Story) -> list[Moment]:
    """Put together what is known of a subject."""
    return sorted(_moments(story), key=lambda one: (one.at, _ORDER.index(one.kind)))


def _moments(story: Story) -> Iterator[Moment]:
    yield from map(_delivery, story.deliveries)
    yield from map(_step, story.steps)
    for told in story.events:
        yield _event(told)
        if told.published_at is not None:
            details = {"sequence": told.sequence, "event_id": told.id}
            yield Moment(told.published_at, "publish", f"#{told.sequence} confirmed by the broker", details)


def _delivery(one: Arrived) -> Moment:
    waited = "" if one.done_at is None else f" at {clock(one.done_at)}"
    verdict = "waits to be worked off" if one.verdict is None else f"{one.verdict}{waited}"
    repeats = f", repeated {_times(one.repeats)}" if one.repeats else ""
    text = f"{one.event} of {clock(one.occurred_at)}: {verdict}{repeats}"
    details = {
        "delivery": one.id,
        "event": one.event,
        "occurred_at": one.occurred_at,
        "verdict": one.verdict,
        "done_at": one.done_at,
        "repeats": one.repeats,
    }
    return Moment(one.received_at, "delivery", text, details)


def _step(one: Entry) -> Moment:
    note = one.note
    details = {
        "result": note.result,
        "carrier_status": note.carrier_status,
        "payments": note.payments,
        "before": note.before,
        "after": one.after,
        "offer_id": one.offer,
        "reason": one.reason,
        "times": one.times,
        "last_at": one.last_at,
        "cause": one.cause,
        "holder": one.holder,
    }
    again = f" ({_times(one.times)} until {clock(one.last_at)})" if one.times > 1 else ""
    changed = f"; {note.before} -> {one.after}" if note.before != one.after else f"; still {one.after}"
    seen = _source(one)
    reason = f" ({one.reason})" if one.reason else ""
    return Moment(one.at, note.what, f"{seen}: {_result(one)}{reason}{changed}{again}", details)


def _source(one: Entry) -> str:
    """Say what the step came from: a read, a call, or an order of somebody."""
    match one.note.what:
        case "read":
            return _seen(one)
        case "call":
            return f"buy offer {one.offer}"
        case "person":
            return one.holder


def _seen(one: Entry) -> str:
    if one.note.carrier_status is None:
        return "the carrier's shipment"
    payments = f"payments {', '.join(one.note.payments)}" if one.note.payments else "no payments"
    return f"{one.note.carrier_status}, {payments}"


def _result(one: Entry) -> str:
    offer = f" offer {one.offer}" if one.note.result == "buy" and one.offer is not None else ""
    return f"{one.note.result.replace('_', ' ')}{offer}"


def _event(told: Told) -> Moment:
    said = _said(told.data)
    text = f"#{told.sequence} {told.type}{f': {said}' if said else ''}"
    details = {
        "event_id": told.id,
        "type": versioned(told.type),
        "sequence": told.sequence,
        "occurred_at": told.occurred_at,
        "cause": told.cause,
        "publishing": told.publishing,
        "data": told.data,
    }
    return Moment(told.recorded_at, "event", text, details)


_WORDS: Final = ("tracking_status", "carrier_status", "rule_id", "service_id", "offer_id", "reason", "tracking_number")


def _said(data: Mapping[str, Any]) -> str:
    """Say in a few words what an event says; with a decision, why the other offers were not taken."""
    said = [str(data[key]) for key in _WORDS if data.get(key) is not None]
    if price := data.get("price"):
        said.append(f"{price['amount']} {price['currency']}")
    if data.get("seconds_left") is not None:
        said.append(f"{data['seconds_left']} s left")
    if offers := data.get("offers"):
        said.append("offers " + ", ".join(f"{one['offer_id']} {one['service_id']} {one['status']}" for one in offers))
    if rejected := data.get("rejected"):
        said.append("not taken: " + ", ".join(f"{one['offer_id']} {one['reason']}" for one in rejected))
    if data.get("adopted"):
        said.append("bought by somebody else")
    if data.get("current") is False:
        said.append("older than what was known")
    return ", ".join(said)


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"
