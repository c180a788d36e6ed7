"""What is due, and what of it is to be taken in hand: the words in which the planner and the store speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from bridge.model import OrganizationId, micros
from bridge.store.connections import every_paused, resting
from bridge.store.database import Transaction, marks
from bridge.store.purchase import Purchase

CONFIRMED_WITHIN: Final = timedelta(minutes=5)
"""For so long an accepted purchase may wait behind windows that are open; then it is as urgent as one in doubt."""
_FURTHEST: Final = round(timedelta(minutes=3).total_seconds() * 1_000_000)
"""Nothing is put off for longer: what lies further ahead was put off by a clock that was set back."""
_BUCKET: Final = 1_000_000


class Errand(IntEnum):
    """What purchases are taken in hand for, the most urgent first."""

    settle = 0
    """In doubt: money may be gone, and nobody knows."""
    buy = 1
    """Wanted, or refused and to be decided anew."""
    confirm = 2
    """Accepted, and not seen yet."""
    renew = 3
    """Wanted, and its window is over: its offers are made anew, or it ends."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is due of an organization. `wanted` are how many have how many seconds left, the soonest first."""

    organization: OrganizationId
    settle: int = 0
    confirm: int = 0
    wanted: tuple[tuple[float, int], ...] = ()
    over: int = 0
    """How many windows are over."""

    def due(self, errand: Errand) -> int:
        """Say how many there are."""
        match errand:
            case Errand.settle:
                return self.settle
            case Errand.confirm:
                return self.confirm
            case Errand.buy:
                return sum(n for _, n in self.wanted)
            case Errand.renew:
                return self.over


@dataclass(frozen=True, slots=True)
class Take:
    """So many purchases, to be handled together."""

    errand: Errand
    size: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Purchases of one organization in one hand."""

    organization: OrganizationId
    errand: Errand
    purchases: tuple[Purchase, ...]
    is_paused: bool = False
    """Whether nothing may be bought for it now."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was taken, and what was due until then."""

    batches: Sequence[Batch] = ()
    outlooks: Sequence[Outlook] = ()


Plan = Callable[[Outlook], Sequence[Take]]
"""Says what to take. It may be asked more than once about the same moment, and has to say the same."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now, as a condition in SQL: `order` puts the first of an errand first."""

    at: int
    clock: int
    idle: Sequence[OrganizationId]
    paused: Sequence[OrganizationId]

    @classmethod
    def now(cls, transaction: Transaction, now: datetime) -> Due:
        return cls(micros(now), transaction.now, resting(transaction, transaction.now), every_paused(transaction))

    @property
    def sql(self) -> str:
        # What was never bought by the end of its window is looked at all the same, so that it ends.
        which = f"{begun_or_not_of(self.idle)} OR deadline <= ?"
        return f"{LIVE} AND (due_at <= ? OR due_at > ?) AND held_until <= ? AND ({which})"

    @property
    def parameters(self) -> tuple[object, ...]:
        return self.at, self.at + _FURTHEST, self.clock, *self.idle, self.at


LIVE: Final = "state IN ('wanted', 'intended', 'doubt')"
_CONFIRMING: Final = "(state = 'doubt' AND answer = 'accepted' AND left_by > ?)"
_ERRAND: Final = (
    "CASE WHEN state = 'wanted' AND deadline <= ? THEN 3"
    " WHEN state = 'wanted' OR (state = 'doubt' AND answer = 'refused') THEN 1"
    f" WHEN {_CONFIRMING} THEN 2 ELSE 0 END"
)
"""What a purchase is taken in hand for, in SQL."""


def of(errand: Errand) -> str:
    """Choose, in SQL, the purchases that an errand is about."""
    return f"{_ERRAND} = {errand.value}"


def moments(due: Due) -> tuple[int, int]:
    """Give the values for what `of` says."""
    return due.at, due.at - round(CONFIRMED_WITHIN.total_seconds() * 1_000_000)


def outlooks(transaction: Transaction, due: Due) -> list[Outlook]:
    """Count what is due, per organization."""
    rows = transaction.run(
        f"SELECT organization, {_ERRAND} AS errand,"
        f" CASE WHEN state = 'wanted' OR answer = 'refused' THEN deadline / {_BUCKET} ELSE 0 END AS second, count(*)"
        f" FROM purchases WHERE {due.sql} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        (*moments(due), *due.parameters),
    )
    found: dict[OrganizationId, dict[Errand, list[tuple[float, int]]]] = {}
    for organization, errand, second, n in rows:
        left = second - due.at / _BUCKET
        found.setdefault(organization, {}).setdefault(Errand(errand), []).append((left, n))
    return [_outlook(organization, by) for organization, by in found.items()]


def _outlook(organization: OrganizationId, by: dict[Errand, list[tuple[float, int]]]) -> Outlook:
    def total(errand: Errand) -> int:
        return sum(n for _, n in by.get(errand, ()))

    wanted = tuple(by.get(Errand.buy, ()))
    return Outlook(organization, total(Errand.settle), total(Errand.confirm), wanted, total(Errand.renew))


def begun_or_not_of(organizations: Sequence[OrganizationId]) -> str:
    """Choose, in SQL, what is underway already, and what is wanted of other organizations than these."""
    return f"(state <> 'wanted' OR {not_of(organizations)})"


def not_of(organizations: Sequence[OrganizationId]) -> str:
    """Choose, in SQL, what is not of these."""
    return f"organization NOT IN ({marks(organizations)})" if organizations else "1 = 1"
