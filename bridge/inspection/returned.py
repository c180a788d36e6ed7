"""A return in the story of a subject: who was to make it, what was sent, in doubt and found, and what is next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, Literal

from bridge.inspection.words import clock, due, times
from bridge.store.doubtful_returns import LOOKED_FOR, Doubt
from bridge.store.return_story import Course

What = Literal["asked", "sent", "looked"]
_SHOWED: Final = {
    "nothing": "nothing shows it",
    "several_tickets": "several tickets of this sender may be it",
    "nameless_tickets": "a ticket that says not clearly whose it is may be it",
    "taken": "what may be it is another return's",
    "clocks_differ": "the provider's clock and ours differ, so that nothing shows it says nothing",
    "key_missing": "what is kept of it cannot be read",
}


def steps(course: Course) -> Iterator[tuple[datetime, What, str]]:
    """Give what was done about it: when, what, and in words for people."""
    by = "" if course.given_by is None else f" by {course.given_by}"
    tried = "".join(f"; not at {one.connection}: {one.why}" for one in course.tried)
    yield course.begun_at, "asked", f"asked for{by}, command {course.command}: to be made at {course.connection}{tried}"
    if course.sent_at is not None:
        looks = f", looked for {times(course.looks)} since, with {course.lists} whole lists" if course.looks else ""
        yield course.sent_at, "sent", f"sent to {course.connection}, {times(course.sent)} in all{looks}"
    if course.doubt is not None and course.doubt.looked_at is not None:
        yield (
            course.doubt.looked_at,
            "looked",
            f"looked for {times(course.doubt.looks)} in doubt: {_showed(course.doubt)}",
        )


def outlook(course: Course, now: datetime) -> Iterator[str]:
    """Say what happens next to it."""
    match course.state:
        case "pending":
            yield f"command {course.command} makes it, or finds out what became of it"
        case "unknown":
            yield from _doubtful(course, now)
        case "created":
            yield "nothing more is done to make it"
        case "failed" | "cancelled":
            yield f"nothing: it has {course.state}" + ("" if course.reason is None else f", {course.reason}")


def _doubtful(course: Course, now: datetime) -> Iterator[str]:
    yield f"nobody knows whether {course.connection} has made it: it is not sent again"
    doubt = course.doubt
    if doubt is not None and doubt.look_at is not None:
        last = clock(doubt.until + LOOKED_FOR)
        yield f"it is looked for {due(doubt.look_at, now)}, and then less often, until {last}"
    else:
        yield "it is not looked for any more"
    yield (
        f"whoever sees in the provider's panel what became of it says so:"
        f" `bridge returns settle {course.id} --made REFERENCE` or `--not-made`"
    )


def _showed(doubt: Doubt) -> str:
    return _SHOWED.get(doubt.showed or "", f"the provider gave no whole answer ({doubt.showed})")
