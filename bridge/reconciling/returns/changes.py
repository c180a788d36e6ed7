"""What follows from a look at a return: how it is kept from then on, and what is told. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from bridge.events import published, return_projection
from bridge.events.return_projection import About, Projection
from bridge.events.returned import Meaning
from bridge.events.statuses import ReturnStatus
from bridge.model import Fact
from bridge.reconciling.returns.look import Look
from bridge.reconciling.returns.pace import Pace
from bridge.returns.ticket import ReturnLabel
from bridge.store.open_returns import NOTICE, OpenReturn
from bridge.store.returns import State

Reading = Callable[[OpenReturn], Look]
"""Reads what a provider shows, knowing the return that it is about."""


def shown(look: Look) -> Reading:
    """Read the same, whichever return it is about."""
    return lambda _: look


@dataclass(frozen=True, slots=True)
class Change:
    """A return from now on; `code` and `label` are new, and belong among what is sealed."""

    after: OpenReturn
    facts: tuple[Fact, ...] = ()
    code: str | None = field(default=None, repr=False)
    label: ReturnLabel | None = None


def change(before: OpenReturn, look: Look, meaning: Meaning, pace: Pace, now: datetime) -> Change | None:
    """Say what is new; None where nothing is, or more is known than was shown."""
    if look.is_now and before.looked_at is not None and look.asked_at < before.looked_at:
        return None
    learned = _learned(before, look)
    about = About(before.id, before.connection, before.organization, learned.tracking_number)
    seen = return_projection.project(about, look.sightings, before.seen, meaning)
    code = look.code if before.has_code is not True else None
    label = look.label if before.label_format is None else None
    if seen.state == before.seen and learned == before and code is None and label is None:
        return None
    has_news = bool(seen.facts) or learned != before
    moved = replace(
        learned,
        seen=seen.state,
        state=_state(before, seen.state.status),
        has_code=True if code is not None else before.has_code,
        moved_at=now if has_news else before.moved_at,
        looked_at=look.asked_at if look.is_now else before.looked_at,
    )
    return Change(_due(moved, seen, pace, now), seen.facts, code, label)


def _learned(before: OpenReturn, look: Look) -> OpenReturn:
    """Take in under which number it goes, and until when it can be sent: a new expiry is told of in its time."""
    expires_at = look.expires_at or before.expires_at
    notice_at = None if expires_at is None else expires_at - NOTICE
    return replace(
        before,
        tracking_number=published.number(look.number) or before.tracking_number,
        expires_at=expires_at,
        expiry_due_at=before.expiry_due_at if expires_at == before.expires_at else notice_at,
    )


def _state(before: OpenReturn, status: ReturnStatus) -> State:
    """Say how it stands: what the provider cancelled may turn out not to be; what a command cancelled stays so."""
    if status is ReturnStatus.cancelled:
        return "cancelled"
    return "created" if before.seen.status is ReturnStatus.cancelled else before.state


def _due(one: OpenReturn, seen: Projection, pace: Pace, now: datetime) -> OpenReturn:
    if seen.is_over:
        return replace(one, due_at=None, label_due_at=None, expiry_due_at=None)
    return replace(one, due_at=pace.next(one.moved_at, one.expires_at, now))
