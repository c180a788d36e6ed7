"""What is going to happen to a purchase, in words: a function of how it stands, and of the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from bridge.store.purchase import ADOPTED, ADOPTED_UNREAD
from bridge.store.story import Standing, Story

_ENDED: Final = {
    "failed": "it was not bought: {reason}",
    "declined": "nothing acceptable was on offer: {reason}; other offers would be decided about anew",
    "held": "it waits for a person: {reason}",
    "expired": "its window closed unbought{because}; new offers would be decided about anew",
    "not_ours": "it is left to others: {reason}",
}


def outlook(story: Story, now: datetime, settle: timedelta) -> list[str]:
    """Say what happens next; `settle` is over how long a purchase in doubt is read."""
    return [*_arrivals(story), *_purchase(story.purchase, now, settle), *_publishes(story)]


def _arrivals(story: Story) -> Iterator[str]:
    waiting = sum(one.verdict is None for one in story.deliveries)
    if waiting:
        yield f"{waiting} of its deliveries will be worked off"


def _publishes(story: Story) -> Iterator[str]:
    pending = sum(one.publishing == "pending" for one in story.events)
    if pending:
        yield f"{pending} of its events will be published, each after the broker has confirmed the one before"


def _purchase(one: Standing | None, now: datetime, settle: timedelta) -> Iterator[str]:
    if one is None:
        yield "no purchase was ever asked for"
        return
    match one.state:
        case "wanted":
            yield f"it will be read and decided about {_due(one, now)}"
            yield f"its window {'closes' if one.deadline > now else 'closed'} at {clock(one.deadline)}"
        case "intended":
            before = "" if one.send_before is None else f", before {clock(one.send_before)}"
            yield f"offer {one.offer} is being asked for{before}; whatever comes of it, reads will settle it"
        case "doubt":
            yield from _doubt(one, now, settle)
        case "succeeded":
            yield _bought(one)
        case _:
            because = "" if one.reason is None else f": {one.reason}"
            yield _ENDED[one.state].format(reason=one.reason or "for no reason that was kept", because=because)
    if one.held_until is not None and one.held_until > now and one.state in ("wanted", "intended", "doubt"):
        yield f"{one.holder} has it in hand until {clock(one.held_until)}, or longer if it says so"
    if one.wanted_again is not None:
        yield f"it was asked for again by {one.wanted_again}: decided about anew if this ends unbought"


def _doubt(one: Standing, now: datetime, settle: timedelta) -> Iterator[str]:
    yield f"whether offer {one.offer} was bought is in doubt: only reads end that, and nothing else is bought meanwhile"
    yield f"it will be read {_due(one, now)}; so far {one.reads} reads showed no trace of it"
    if one.left_by is not None:
        yield f"it can count as not bought from {clock(one.left_by + settle)} on, after three such reads"


def _due(one: Standing, now: datetime) -> str:
    if one.due_at > now:
        return f"at {clock(one.due_at)}"
    return f"now: it has been due since {clock(one.due_at)}"


def _bought(one: Standing) -> str:
    what = "" if one.offer is None else f": offer {one.offer} ({one.service})"
    match one.reason:
        case None:
            return f"nothing: this bridge bought it{what}"
        case str(reason) if reason == ADOPTED:
            return f"nothing: somebody else bought it, as a read showed{what}"
        case str(reason) if reason == ADOPTED_UNREAD:
            return "nothing: somebody else bought it, as a webhook says; no read was made"
        case _:
            return f"nothing: it is bought, {one.reason}{what}"


def clock(at: datetime) -> str:
    """Write a moment as the timeline does."""
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}Z"
