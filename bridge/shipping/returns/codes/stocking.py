"""The command `return.code.create`: codes are made in advance, a hundred by each call.

Codes of a lost answer are lost for good: no report shows what is inactive. They open nothing and cost nothing, so
others are made in their place, as long as that does not go on without end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Self, get_args
from uuid import uuid4

import structlog
from pydantic_core import to_jsonable_python

from bridge.commands.handling import Ending, Hand, Last, Later
from bridge.commands.models import done, failed
from bridge.commands.refusing import nothing_sent, unprocessable
from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.lifecycle import Clock
from bridge.model import ClaimedCommand, OrganizationId, Outcome, Progress, micros, moment
from bridge.returns.codes import SpareCode
from bridge.shipping import refusals
from bridge.shipping.attempt import AGAIN, LIMITED, PATIENCE
from bridge.shipping.returns.account import NOT_HERE, is_about_the_account, takes_nothing
from bridge.shipping.returns.codes.asked import MakeCodes
from bridge.shipping.returns.codes.document import MadeCodes, Why, document
from bridge.shipping.returns.codes.stock import PROVIDER, Stock
from bridge.store.database import Transaction
from bridge.store.spare_codes import Spare
from bridge.web.problems import FieldError

log = structlog.get_logger()

_AT_ONCE: Final = 100
_MOST_IN_VAIN: Final = 3
"""So many calls may be lost, or bring nothing new."""


@dataclass(frozen=True, slots=True)
class _Course:
    """How far it has come. `since` is when a call last succeeded; `is_open`: a call was begun and not ended."""

    connection: str
    since: datetime
    ids: tuple[str, ...] = ()
    calls: int = 0
    in_vain: int = 0
    is_open: bool = False
    reason: Why | None = None

    @classmethod
    def of(cls, at: Any) -> Self:
        reason = next((one for one in get_args(Why) if one == at["reason"]), None)
        numbers = at["calls"], at["in_vain"], at["is_open"]
        return cls(at["connection"], moment(at["since"]), tuple(at["ids"]), *numbers, reason)

    def progress(self, count: int) -> Progress:
        at = {
            "connection": self.connection,
            "since": micros(self.since),
            "ids": list(self.ids),
            "calls": self.calls,
            "in_vain": self.in_vain,
            "is_open": self.is_open,
            "reason": self.reason,
        }
        return Progress(len(self.ids), min(len(self.ids) / count, 1.0), at, is_sent=self.calls > 0)

    def vain(self, reason: Why) -> Self:
        """Take note of a call that brought nothing."""
        return replace(self, in_vain=self.in_vain + 1, is_open=False, reason=reason)


class Stocking:
    """Carries out `return.code.create`."""

    def __init__(self, stock: Stock, clock: Clock) -> None:
        self._stock = stock
        self._clock = clock

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Make the codes, or go on with it. Raises Unreadable."""
        asked, at = MakeCodes.read(claimed.body), claimed.progress.at
        if at:
            course = _Course.of(at)
            course = course.vain("lost") if course.is_open else course
        elif (connection := self._stock.connection(asked.connection)) is not None:
            course = _Course(connection, self._clock())
        else:
            return unprocessable([not_here(asked)])
        while len(course.ids) < asked.count and course.in_vain < _MOST_IN_VAIN:
            came = await self._call(course, asked, hand)
            if not isinstance(came, _Course):
                return came
            course = came
        return self._made(course, asked)

    async def _call(self, course: _Course, asked: MakeCodes, hand: Hand) -> _Course | Ending:
        """Make up to a hundred, and keep them before anything else happens."""
        desk = self._stock.desks.get(course.connection)
        if desk is None:
            return self._made(replace(course, reason="unavailable"), asked) if course.calls else nothing_sent(NOT_HERE)
        begun = replace(course, calls=course.calls + 1, is_open=True)
        await hand.step(lambda _: None, lambda _: begun.progress(asked.count))
        try:
            made = await desk.make_spare(min(_AT_ONCE, asked.count - len(course.ids)))
        except NoPermit as error:
            return self._unsent(course, asked, str(error))
        except CarrierRefused as refusal:
            return self._refused(course, asked, refusal)
        except CarrierUnavailable as error:
            if error.status == LIMITED:
                return self._unsent(course, asked, str(error))
            log.warning("codes.lost", reason=str(error))
            return begun.vain("lost")
        return await self._kept(begun, asked, hand, made)

    async def _kept(self, course: _Course, asked: MakeCodes, hand: Hand, made: Sequence[SpareCode]) -> _Course:
        organization = None if asked.organization_id is None else OrganizationId(asked.organization_id)
        now = self._clock()
        codes = [
            Spare(
                id=uuid4().hex,
                connection=course.connection,
                organization=organization,
                state="active" if one.is_active else "inactive",
                made_at=now,
                code=one.code,
            )
            for one in made
        ]

        def after(new: Sequence[Spare]) -> _Course:
            if not new:
                return course.vain("fewer")
            return replace(course, ids=(*course.ids, *(one.id for one in new)), since=now, is_open=False, reason=None)

        new = await hand.keep(lambda it: self._stock.add(it, codes), lambda found: after(found).progress(asked.count))
        return after(new)

    # -- ending --------------------------------------------------------------------------------------------------------

    def _unsent(self, course: _Course, asked: MakeCodes, why: str) -> Ending:
        """Try again in a moment, for a while; what is there by then is not given back."""
        if self._clock() <= course.since + PATIENCE:
            return Later(AGAIN, course.progress(asked.count))
        if not course.calls:
            return nothing_sent(f"the provider could not be asked ({why}), so nothing was sent")
        return self._made(replace(course, reason="unavailable"), asked)

    def _refused(self, course: _Course, asked: MakeCodes, refusal: CarrierRefused) -> Ending:
        if course.ids:
            return self._made(replace(course, reason="refused"), asked)
        if is_about_the_account(refusal) and not course.calls:
            return takes_nothing(refusal)
        return refusals.theirs(refusal, [0])[0].outcome

    def _made(self, course: _Course, asked: MakeCodes) -> Ending:
        """Say what there is. With nothing at all it did not succeed."""
        if not course.ids:
            return failed(
                "the provider's answers were lost: it may have made codes that nobody knows. They are inactive, open"
                " nothing and cost nothing; ask again under another key"
            )

        def write(transaction: Transaction) -> Outcome:
            codes = [self._stock.open(transaction, one) for one in course.ids]
            told = MadeCodes(
                asked=asked.count,
                made=len(codes),
                reason=course.reason if len(codes) < asked.count else None,
                items=[document(one, with_code=True) for one in codes],
            )
            return done(**to_jsonable_python(told))

        return Last(write, lambda _: None)


def not_here(asked: MakeCodes) -> FieldError:
    """Say that there is no account to make codes at."""
    if asked.connection is None:
        return FieldError("connection", "missing", f"{PROVIDER} is the one that makes them, and is not set up here")
    return FieldError("connection", "unknown_value", f"is no account at {PROVIDER} that is set up here")
