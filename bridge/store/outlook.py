"""What is due, and what of it is to be taken in hand: the words in which the planner and the store speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from bridge.model import OrganizationId, micros
from bridge.store.connections import every_paused, resting
from bridge.store.database import Given, Transaction, marks
from bridge.store.purchase import IS_UNBOUGHT, Purchase

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
    look = 4
    """Nobody works on it, and a read is to show what became of it."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is due of an organization. `wanted` are how many have how many seconds left, the soonest first."""

    organization: OrganizationId
    settle: int = 0
    confirm: int = 0
    wanted: tuple[tuple[float, int], ...] = ()
    over: int = 0
    """How many windows are over."""
    looks: int = 0
    """How many are to be read though nobody works on them."""

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
            case Errand.look:
                return self.looks


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
    is_try: bool = False
    """Whether one of them is to be bought, to see if its pause is over."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was taken, and what was due until then."""

    batches: Sequence[Batch] = ()
    outlooks: Sequence[Outlook] = ()


Plan = Callable[[Outlook], Sequence[Take]]
"""Says what to take. It may be asked more than once about the same moment, and has to say the same."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now, as conditions in SQL."""

    at: int
    clock: int
    idle: Sequence[OrganizationId]
    paused: Sequence[OrganizationId]

    @classmethod
    def now(cls, transaction: Transaction, now: datetime) -> Due:
        return cls(micros(now), transaction.now, resting(transaction, transaction.now), every_paused(transaction))

    @property
    def live(self) -> Given:
        """Choose what somebody is to work on."""
        # What was never bought by the end of its window is looked at all the same, so that it ends.
        which = f"{begun_or_not_of(self.idle)} OR deadline <= ?"
        sql = f"{LIVE} AND (due_at <= ? OR due_at > ?) AND held_until <= ? AND ({which})"
        return Given(sql, (self.at, self.at + _FURTHEST, self.clock, *self.idle, self.at))

    @property
    def looks(self) -> Given:
        """Choose what is to be read though nobody works on it."""
        sql = f"look_at IS NOT NULL AND {IS_UNBOUGHT} AND look_at <= ? AND held_until <= ?"
        return Given(sql, (self.at, self.clock))

    @property
    def moments(self) -> tuple[int, int]:
        """Give the values for _ERRAND."""
        return self.at, self.at - round(CONFIRMED_WITHIN.total_seconds() * 1_000_000)

    def of(self, errand: Errand) -> Given:
        """Choose the purchases that an errand is about."""
        if errand is Errand.look:
            return self.looks
        return Given(f"{_ERRAND} = {errand.value} AND {self.live.sql}", (*self.moments, *self.live.parameters))


LIVE: Final = "state IN ('wanted', 'intended', 'doubt')"
_CONFIRMING: Final = "(state = 'doubt' AND answer = 'accepted' AND left_by > ?)"
_ERRAND: Final = (
    "CASE WHEN state = 'wanted' AND deadline <= ? THEN 3"
    " WHEN state = 'wanted' OR (state = 'doubt' AND answer = 'refused') THEN 1"
    f" WHEN {_CONFIRMING} THEN 2 ELSE 0 END"
)
"""What a purchase is taken in hand for, in SQL."""


def outlooks(transaction: Transaction, due: Due) -> list[Outlook]:
    """Count what is due, per organization."""
    rows = transaction.run(
        f"SELECT organization, {_ERRAND} AS errand,"
        f" CASE WHEN state = 'wanted' OR answer = 'refused' THEN deadline / {_BUCKET} ELSE 0 END AS second, count(*)"
        f" FROM purchases WHERE {due.live.sql} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        (*due.moments, *due.live.parameters),
    )
    found: dict[OrganizationId, dict[Errand, list[tuple[float, int]]]] = {}
    for organization, errand, second, n in rows:
        left = second - due.at / _BUCKET
        found.setdefault(organization, {}).setdefault(Errand(errand), []).append((left, n))
    looks = _looks(transaction, due)
    every = sorted({*found, *looks})
    return [_outlook(organization, found.get(organization, {}), looks.get(organization, 0)) for organization in every]


def _looks(transaction: Transaction, due: Due) -> dict[OrganizationId, int]:
    sql = f"SELECT organization, count(*) FROM purchases WHERE {due.looks.sql} GROUP BY 1"
    return {OrganizationId(row[0]): row[1] for row in transaction.run(sql, due.looks.parameters)}


def _outlook(organization: OrganizationId, by: dict[Errand, list[tuple[float, int]]], looks: int) -> Outlook:
    def total(errand: Errand) -> int:
        return sum(n for _, n in by.get(errand, ()))

    wanted = tuple(by.get(Errand.buy, ()))
    return Outlook(organization, total(Errand.settle), total(Errand.confirm), wanted, total(Errand.renew), looks)


def begun_or_not_of(organizations: Sequence[OrganizationId]) -> str:
    """Choose, in SQL, what is underway already, and what is wanted of other organizations than these."""
    return f"(state <> 'wanted' OR {not_of(organizations)})"


def not_of(organizations: Sequence[OrganizationId]) -> str:
    """Choose, in SQL, what is not of these."""
    return f"organization NOT IN ({marks(organizations)})" if organizations else "1 = 1"
