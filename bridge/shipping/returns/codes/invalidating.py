"""The command `return.code.invalidate`: a code that was never activated becomes useless.

Doing that twice does no harm, so what has no answer is simply sent again; that the repeat is refused says that it was
done, unless the provider says that the code is valid still.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bridge.commands.handling import Ending, Hand, Last, Later
from bridge.commands.models import done
from bridge.commands.refusing import nothing_sent, refused
from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.lifecycle import Clock
from bridge.model import ClaimedCommand, CommandState, Outcome, Progress
from bridge.shipping import refusals
from bridge.shipping.attempt import AGAIN, LIMITED, PATIENCE, UNCLEAR_AFTER, Attempt
from bridge.shipping.returns.account import NOT_HERE, is_about_the_account, takes_nothing
from bridge.shipping.returns.codes.asked import InvalidateCode
from bridge.shipping.returns.codes.document import result
from bridge.shipping.returns.codes.states import at_it, not_inactive
from bridge.shipping.returns.codes.stock import Stock
from bridge.store import spare_codes
from bridge.store.database import Transaction
from bridge.store.spare_codes import Holder, Spare, SpareState
from bridge.web.kinds import NOT_FOUND

_CODE: Final = "code_id"
_STILL_VALID: Final = "still_valid"
_SLOWEST_S: Final = 60
_UNCLEAR: Final = (
    "nobody knows whether the provider took the code back: its answers were lost. It opens nothing while it is not"
    " activated; ask again under another key"
)


@dataclass(frozen=True, slots=True)
class _Task:
    """A command in hand, and its code."""

    hand: Hand
    spare: Spare
    holder: Holder

    def progress(self, attempt: Attempt) -> Progress:
        return Progress(at={**attempt.written(), _CODE: self.spare.id}, is_sent=attempt.sent > 0)


class Invalidating:
    """Carries out `return.code.invalidate`."""

    def __init__(self, stock: Stock, clock: Clock) -> None:
        self._stock = stock
        self._clock = clock

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Make the code useless, or go on with it. Raises Unreadable."""
        asked, at = InvalidateCode.read(claimed.body), claimed.progress.at
        spare = await self._stock.find(str(at.get(_CODE, asked.code)))
        if spare is None:
            return refused(NOT_FOUND.name, "there is no such code here")
        task = _Task(hand, spare, Holder(claimed.operation, claimed.id))
        return await (self._send(task, Attempt.of(at, self._clock())) if _CODE in at else self._begin(task))

    def given_up(self, transaction: Transaction, claimed: ClaimedCommand) -> None:
        """Let go of the code that nobody ever came further with: it opens nothing."""
        if _CODE in claimed.progress.at:
            holder = Holder(claimed.operation, claimed.id)
            spare_codes.end(transaction, str(claimed.progress.at[_CODE]), holder, "inactive")

    async def _begin(self, task: _Task) -> Ending:
        spare = task.spare
        if spare.state == "invalidated":
            return done(**result(spare, "invalidated"))
        if spare.state != "inactive":
            return not_inactive(spare)
        if spare.connection not in self._stock.desks:
            return nothing_sent(NOT_HERE)
        fresh = Attempt(self._clock())
        taken = await task.hand.step(
            lambda it: spare_codes.take(it, spare.id, task.holder, ("inactive",)),
            lambda found: Progress() if found is None else task.progress(fresh),
        )
        return at_it() if taken is None else await self._send(task, fresh)

    async def _send(self, task: _Task, before: Attempt) -> Ending:
        desk = self._stock.desks.get(task.spare.connection)
        if desk is None:
            return self._unsent(task, before, NOT_HERE)
        sent = before.sending(self._clock())
        await task.hand.step(lambda _: None, lambda _: task.progress(sent))
        try:
            await desk.invalidate(task.spare.code)
        except NoPermit as error:
            return self._unsent(task, before, str(error))
        except CarrierRefused as refusal:
            return self._refused(task, before, refusal)
        except CarrierUnavailable as error:
            if error.status == LIMITED:
                return self._unsent(task, before, str(error))
            return self._again(task, sent)
        return self._ended(task, "invalidated", done(**result(task.spare, "invalidated")))

    def _unsent(self, task: _Task, before: Attempt, why: str) -> Ending:
        if before.sent:
            return self._again(task, before)
        if self._clock() <= before.since + PATIENCE:
            return Later(AGAIN, task.progress(before))
        outcome = nothing_sent(f"the provider could not be asked ({why}), so nothing was sent")
        return self._ended(task, "inactive", outcome)

    def _refused(self, task: _Task, before: Attempt, refusal: CarrierRefused) -> Ending:
        if is_about_the_account(refusal):
            return self._again(task, before) if before.sent else self._ended(task, "inactive", takes_nothing(refusal))
        if before.sent and refusal.key != _STILL_VALID:
            return self._ended(task, "invalidated", done(**result(task.spare, "invalidated")))
        return self._ended(task, "inactive", refusals.theirs(refusal, [0])[0].outcome)

    def _again(self, task: _Task, sent: Attempt) -> Ending:
        if self._clock() > sent.since + UNCLEAR_AFTER:
            return self._ended(task, "inactive", Outcome(CommandState.unknown, error=_UNCLEAR))
        return Later(timedelta(seconds=min(2**sent.sent, _SLOWEST_S)), task.progress(sent))

    def _ended(self, task: _Task, state: SpareState, outcome: Outcome) -> Last:
        def write(transaction: Transaction) -> Outcome:
            spare_codes.end(transaction, task.spare.id, task.holder, state)
            return outcome

        return Last(write, lambda _: None)
