"""What is going to happen to a purchase, and what a person can do: a function of how it stands, and of the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from bridge.events.readback import WAITS
from bridge.inspection import labels, returned
from bridge.inspection.words import clock, due
from bridge.limits.pause import Pause
from bridge.model import Evidence, micros, moment
from bridge.store.purchase import ADOPTED, ADOPTED_UNREAD, FOR_THE_ACCOUNT, LIVE
from bridge.store.story import Asked, Standing, Story
from bridge.store.waiting import READ


def outlook(story: Story, now: datetime, settle: timedelta) -> list[str]:
    """Say what happens next; `settle` is over how long a purchase in doubt is read."""
    return [
        *_arrivals(story),
        *(_purchase(story, now, settle) if story.shipment is not None else _courier(story, now)),
        *(() if story.returned is None else returned.outlook(story.returned, now)),
        *labels.outlook(story.labels),
        *_look(story.asked, now),
        *_publishes(story),
    ]


def _arrivals(story: Story) -> Iterator[str]:
    waiting = sum(one.verdict in (None, READ) for one in story.deliveries)
    if waiting:
        yield f"{waiting} of its deliveries will be worked off"
    unread = sum(one.verdict == WAITS for one in story.deliveries)
    if unread:
        yield f"what {unread} of its deliveries said is told once a read of the carrier shows it"


def _publishes(story: Story) -> Iterator[str]:
    pending = sum(one.publishing == "pending" for one in story.events)
    if pending:
        yield f"{pending} of its events will be published, each after the broker has confirmed the one before"


def _look(asked: Asked | None, now: datetime) -> Iterator[str]:
    if asked is not None:
        unknown = f"; the carrier did not know it {asked.misses} times in a row" if asked.misses else ""
        yield f"whether or not webhooks come, the carrier is asked about it {due(asked.due_at, now)}{unknown}"


def _courier(story: Story, now: datetime) -> Iterator[str]:
    for one in story.couriers:
        if one.due_at is not None:
            yield f"the carrier is asked about it {due(one.due_at, now)}"
        else:
            yield f"nothing: it is {one.state}, and the carrier is not asked about it any more"


def _purchase(story: Story, now: datetime, settle: timedelta) -> Iterator[str]:
    one = story.purchase
    if one is None:
        yield "no purchase was ever asked for"
        return
    match one.state:
        case "wanted":
            yield from _wanted(story, one, now)
        case "intended":
            before = "" if one.send_before is None else f", before {clock(one.send_before)}"
            yield f"offer {one.offer} is being asked for{before}; whatever comes of it, reads will settle it"
        case "doubt":
            yield from _doubt(one, now, settle)
        case "steered":
            yield "a person's command has it in hand, to select an offer or to cancel it: nothing is bought meanwhile"
        case "succeeded":
            yield _bought(story, one)
        case _:
            yield from _ENDED[one.state](story, one, now)
            yield from _looked_at(one, now)
    if one.held_until is not None and one.held_until > now and one.state in LIVE:
        yield f"{one.holder} has it in hand until {clock(one.held_until)}, or longer if it says so"
    if one.wanted_again is not None:
        yield f"it was asked for again by {one.wanted_again}: decided about anew if this ends unbought"


# -- live --------------------------------------------------------------------------------------------------------------


def _wanted(story: Story, one: Standing, now: datetime) -> Iterator[str]:
    if story.account is not None:
        yield f"nothing is bought for its account: {_paused(story, story.account, now)}"
    yield f"it will be read and decided about {due(one.due_at, now)}"
    yield f"its window {'closes' if one.deadline > now else 'closed'} at {clock(one.deadline)}"


def _doubt(one: Standing, now: datetime, settle: timedelta) -> Iterator[str]:
    yield f"whether offer {one.offer} was bought is in doubt: only reads end that, and nothing else is bought meanwhile"
    yield f"it will be read {due(one.due_at, now)}; so far {one.reads} reads showed no trace of it"
    if one.left_by is not None:
        yield f"it can count as not bought from {clock(one.left_by + settle)} on, after three such reads"


# -- ended -------------------------------------------------------------------------------------------------------------


def _held(story: Story, one: Standing, now: datetime) -> Iterator[str]:
    yield f"it waits for a person: {one.reason or _NO_REASON}"
    if one.intent is None or one.offer is None:
        yield f"no offer was chosen yet: {_retry(story)}"
        return
    if one.reason == "dry_run":
        yield "approving it changes nothing as long as BRIDGE_PURCHASING__MODE is dry_run"
        return
    price = None if story.listed is None else story.listed.price
    most = "" if price is None else f" for at most {price.amount:f} {price.currency}"
    yield f"`bridge purchases approve {story.shipment}` has {one.service} bought{most}; {_retry(story)}"
    if one.deadline <= now:
        yield f"its offers ran out at {clock(one.deadline)}: after an approval they would be made anew first"


def _looked_at(one: Standing, now: datetime) -> Iterator[str]:
    """Say what a read is to show, or did not show, of what nobody works on."""
    if one.said_at is not None and one.look_at is None:
        yield f"a webhook said at {clock(one.said_at)} that it is bought; no read showed that, so it does not count"
    elif one.said_at is not None and one.look_at is not None:
        yield f"a webhook says that it is bought: a read is to show it {due(one.look_at, now)}"
    elif one.look_at is not None:
        yield f"it is read once more {due(one.look_at, now)}, to see if its window closed unbought"


def _failed(story: Story, one: Standing, now: datetime) -> Iterator[str]:
    yield f"it was not bought: {one.reason or _NO_REASON}"
    yield from _again(story, one, now)


def _expired(story: Story, one: Standing, now: datetime) -> Iterator[str]:
    because = "" if one.reason is None else f": {one.reason}"
    yield f"its window closed unbought{because}; new offers would be decided about anew"
    yield from _again(story, one, now)


def _declined(story: Story, one: Standing, _now: datetime) -> Iterator[str]:
    reason = one.reason or _NO_REASON
    yield f"nothing acceptable was on offer: {reason}; other offers would be decided about anew"
    yield _retry(story)


def _not_ours(story: Story, one: Standing, _now: datetime) -> Iterator[str]:
    yield f"it is left to others: {one.reason or _NO_REASON}"
    yield _retry(story)


_NO_REASON: Final = "for no reason that was kept"
_ENDED: Final[Mapping[str, Callable[[Story, Standing, datetime], Iterator[str]]]] = {
    "failed": _failed,
    "declined": _declined,
    "held": _held,
    "expired": _expired,
    "not_ours": _not_ours,
}


def _again(story: Story, one: Standing, now: datetime) -> Iterator[str]:
    """Say what has it decided about once more: the end of a pause, where the policy says so, or a person."""
    if story.account is not None and one.reason in FOR_THE_ACCOUNT:
        yield f"its account is paused: {_paused(story, story.account, now)}"
        yield "after the pause it is wanted again, unless the policy has it otherwise (regenerate_after_pause)"
    yield _retry(story)


def _retry(story: Story) -> str:
    return f"`bridge purchases retry {story.shipment}` has it decided about anew"


def _paused(story: Story, pause: Pause, now: datetime) -> str:
    """Say why an account is paused, and what ends that."""
    resume = f"`bridge connections resume shipx/{story.organization}`"
    told = f"{pause.reason}, by {pause.by}, since {clock(moment(pause.since))}"
    if pause.probe_at is None:
        return f"{told}; {resume} ends it, and nothing else does"
    if pause.is_due(micros(now)):
        tried = f"with the next {'look at the account' if pause.is_about_token else 'purchase'}"
    else:
        tried = f"at {clock(moment(pause.probe_at))}"
    return f"{told}; it ends by itself when a try succeeds, the next one {tried}, or by {resume}"


def _bought(story: Story, one: Standing) -> str:
    what = "" if one.offer is None else f": offer {one.offer} ({one.service})"
    match one.reason:
        case None:
            return f"nothing: this bridge bought it{what}"
        case str(reason) if reason == ADOPTED:
            return f"nothing: somebody else bought it, as a read showed{what}"
        case str(reason) if reason == ADOPTED_UNREAD and _was_found(story):
            return "nothing: somebody else bought it, as was found by asking"
        case str(reason) if reason == ADOPTED_UNREAD:
            return "nothing: somebody else bought it, as a webhook says; no read was made"
        case _:
            return f"nothing: it is bought, {one.reason}{what}"


def _was_found(story: Story) -> bool:
    """Say whether it was a read of ours that first showed it bought."""
    told = [one for one in story.events if one.type == "shipment.confirmed"]
    return any(one.data.get("evidence") == Evidence.carrier for one in told)
