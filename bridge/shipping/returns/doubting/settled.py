"""The command `return.settle`: a person who looked at the provider says what became of a return."""

from __future__ import annotations

from bridge.commands.handling import Ending, Hand, Last, Later
from bridge.commands.models import failed
from bridge.commands.refusing import refused, unprocessable
from bridge.errors import KeyMissing
from bridge.model import ClaimedCommand, Outcome, Progress
from bridge.shipping.returns.asked import SettleReturn
from bridge.shipping.returns.doubting.doubts import Doubts
from bridge.store.database import Transaction
from bridge.web.kinds import NOT_IN_DOUBT
from bridge.web.problems import FieldError


class Settled:
    """Carries it out."""

    def __init__(self, doubts: Doubts) -> None:
        self._doubts = doubts

    async def __call__(self, claimed: ClaimedCommand, _hand: Hand) -> Ending:
        """Settle it, unless that was done before. Raises Unreadable.

        Without the provider's id of it, not before no ticket of its sender can be taken for another return's.
        """
        asked = SettleReturn.read(claimed.body)
        if asked.found.provider_reference is None and (rest := await self._doubts.rest(asked.return_id)):
            return Later(rest, Progress())
        return Last(lambda it: self._settle(it, asked), lambda _: self._doubts.on_events())

    def _settle(self, transaction: Transaction, asked: SettleReturn) -> Outcome:
        try:
            kept = self._doubts.in_doubt(transaction, asked.return_id)
        except KeyMissing as error:
            return failed(f"what is kept of the return cannot be read: {error}")
        if kept is None:
            return refused(NOT_IN_DOUBT.name, "no return of this id is in doubt")
        if asked.found.ticket is None:
            return self._doubts.not_made(transaction, kept)
        if taken := self._doubts.taken(transaction, kept, asked.found.ticket):
            return unprocessable([FieldError(name, "unexpected", "is that of another return") for name in taken])
        return self._doubts.made(transaction, kept, asked.found.ticket)
