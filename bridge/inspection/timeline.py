"""One timeline of a subject: deliveries, reads, decisions, calls, orders, pauses, events, publishes, by their time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from bridge.events.catalogue import LabelReady, ReturnCreated, ReturnCreationFailed, ReturnCreationUnknown, versioned
from bridge.inspection import returned
from bridge.inspection.verdict import explained
from bridge.inspection.words import clock, times
from bridge.model import Evidence
from bridge.store.decisions import Decided
from bridge.store.journal import Entry, What
from bridge.store.pauses import Paused
from bridge.store.story import Arrived, Story, Told

Kind = Literal["delivery", "return", "read", "decision", "call", "person", "pause", "event", "publish"]
_ORDER: Final[tuple[Kind, ...]] = get_args(Kind)
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
    if story.returned is not None:
        yield from (Moment(at, "return", text, {"what": what}) for at, what, text in returned.steps(story.returned))
    for decided in story.decisions:
        yield _decision(decided, story.steps)
    for paused in story.pauses:
        yield from _pause(paused)
    causes = {one.cause for one in story.steps}
    for told in story.events:
        yield _event(told, _found_by(told, causes) or _found_out(told, story.events))
        if told.published_at is not None:
            details = {"sequence": told.sequence, "event_id": told.id}
            yield Moment(told.published_at, "publish", f"#{told.sequence} confirmed by the broker", details)


def _delivery(one: Arrived) -> Moment:
    waited = "" if one.done_at is None else f" at {clock(one.done_at)}"
    verdict = "waits to be worked off" if one.verdict is None else f"{one.verdict}{waited}"
    repeats = f", repeated {times(one.repeats)}" if one.repeats else ""
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


_KINDS: Final[Mapping[What, Kind]] = {"read": "read", "call": "call", "edit": "call", "person": "person"}


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
        "together": one.together,
    }
    again = f" ({times(one.times)} until {clock(one.last_at)})" if one.times > 1 else ""
    changed = f"; {note.before} -> {one.after}" if note.before != one.after else f"; still {one.after}"
    text = f"{_source(one)}: {_result(one)}{_because(one)}{changed}{again}"
    return Moment(one.at, _KINDS[note.what], text, details)


def _source(one: Entry) -> str:
    """Say what the step came from: a read, a call, or an order of somebody."""
    match one.note.what:
        case "read":
            return _seen(one)
        case "call":
            return f"buy offer {one.offer}{f', one of {one.together} by one call' if one.together > 1 else ''}"
        case "edit":
            return "have the expired offers made anew"
        case "person":
            return f"{one.holder}, command {one.cause}" if one.cause else one.holder


def _seen(one: Entry) -> str:
    if one.note.carrier_status is None:
        return "the carrier's shipment"
    payments = f"payments {', '.join(one.note.payments)}" if one.note.payments else "no payments"
    return f"{one.note.carrier_status}, {payments}"


def _result(one: Entry) -> str:
    result = one.note.result.replace("_", " ")
    if one.note.result != "buy":
        return result
    offer = "" if one.offer is None else f" offer {one.offer}"
    return f"{result}{offer}" if one.after == "intended" else f"would {result}{offer}"


_REFUSALS: Final = {
    "budget_exhausted": "more than may be bought in a day",
    "price_unknown": "what is spent is limited, and nothing says what it costs",
    "too_many_a_minute": "more than may be bought in a minute",
    "paused": "its account is paused",
    "account_paused": "its account is paused",
    "account_refused": "the carrier does not show it to this token",
}
"""Why something is not bought that would be, where the word alone does not say it."""


def _because(one: Entry) -> str:
    if not one.reason:
        return ""
    told = _REFUSALS.get(one.reason)
    return f" ({one.reason}: {told})" if told else f" ({one.reason})"


def _decision(one: Decided, steps: Sequence[Entry]) -> Moment:
    text, details = explained(one)
    return Moment(_decided_at(one, steps), "decision", text, {"decided_at": one.at, **details})


def _decided_at(one: Decided, steps: Sequence[Entry]) -> datetime:
    """Give when it was decided by our clock, as the step does that it led to; a decision goes by the carrier's."""
    near = [step.at for step in steps if step.note.result in _DECIDES and abs(step.at - one.at) < _CLOCKS_APART]
    return min(near, key=lambda at: abs(at - one.at), default=one.at)


_DECIDES: Final = ("buy", "hold", "decline")
_CLOCKS_APART: Final = timedelta(minutes=5)


def _pause(one: Paused) -> Iterator[Moment]:
    details = {"reason": one.reason, "since": one.since, "until": one.until}
    yield Moment(one.since, "pause", f"nothing more is bought for the account: {one.reason}", details)
    if one.until is not None:
        text = f"the account's pause is over: {one.reason}, since {clock(one.since)}"
        yield Moment(one.until, "pause", text, details)


_WANTED_BY: Final = re.compile(r"[0-9a-f]{42}|read/\d+/\d+")
"""What a purchase is wanted by: a delivery, or offers that a read found. Any other cause is a command."""


_ORDERED: Final = (
    *("dispatch_order.created", "dispatch_order.failed"),
    *(ReturnCreated.type, ReturnCreationFailed.type, ReturnCreationUnknown.type),
)
"""What comes of a command itself, and was not found."""


def _found_by(told: Told, causes: Set[str | None]) -> str | None:
    """Say how an event was found that neither a webhook brought nor a purchase, whose steps have `causes`."""
    if told.data.get("evidence") != Evidence.carrier or told.type == LabelReady.type:
        return None
    if told.cause is None:
        return "found by asking"
    if told.type in _ORDERED:
        return None
    is_a_purchases = told.cause in causes or _WANTED_BY.fullmatch(told.cause)
    return None if is_a_purchases else f"found by asking, for command {told.cause}"


def _found_out(told: Told, events: Sequence[Told]) -> str | None:
    """Say of a return that it was in doubt before."""
    is_doubted = any(one.type == ReturnCreationUnknown.type and one.sequence < told.sequence for one in events)
    is_end = told.type in (ReturnCreated.type, ReturnCreationFailed.type)
    return f"found out later, for command {told.cause}" if is_doubted and is_end else None


def _event(told: Told, found_by: str | None) -> Moment:
    said = ", ".join(filter(None, (_said(told.data), found_by)))
    text = f"#{told.sequence} {told.type}{f': {said}' if said else ''}"
    details = {
        "event_id": told.id,
        "type": versioned(told.type),
        "sequence": told.sequence,
        "occurred_at": told.occurred_at,
        "cause": told.cause,
        "found_by_asking": found_by is not None,
        "publishing": told.publishing,
        "data": told.data,
    }
    return Moment(told.recorded_at, "event", text, details)


_WORDS: Final = (
    *("tracking_status", "carrier_status", "rule_id", "service_id", "offer_id", "reason", "carrier_error"),
    *("provider_id", "return_status", "tracking_number", "format"),
)


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
