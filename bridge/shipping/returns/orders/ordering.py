"""The commands about orders: each is done once at the provider, which is asked first where its answer was lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from bridge.commands.handling import Ending, Hand, Later
from bridge.commands.models import done
from bridge.commands.refusing import nothing_sent, unprocessable
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock
from bridge.model import ClaimedCommand, CommandState, Outcome, Progress
from bridge.shipping.attempt import AGAIN, PATIENCE, Attempt
from bridge.shipping.once import Done, Errand, Once, Refused, Unclear
from bridge.shipping.refusals import Refusal
from bridge.shipping.returns.desk import told
from bridge.shipping.returns.orders import errands
from bridge.shipping.returns.orders.asked import AddReturnOrderItems, CreateReturnOrder, DeleteReturnOrder
from bridge.shipping.returns.orders.document import deleted, saved
from bridge.shipping.returns.platforms import Account, Platforms

_UNCLEAR: Final = (
    "nobody knows whether the provider did it: its answers were lost, and the order does not show it. Look at the"
    " order, and ask again under another key."
)
Written = Callable[[str], Mapping[str, object]]
"""Writes what came of it, from the provider's id of the order."""


class Ordering:
    """Carries out `return_order.create`, `return_order.add_items` and `return_order.delete`."""

    def __init__(self, platforms: Platforms, clock: Clock) -> None:
        self._platforms = platforms
        self._clock = clock

    async def create(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Tell of an order, or go on with it. Raises Unreadable."""
        asked = CreateReturnOrder.read(claimed.body)
        return await self._tell(
            claimed,
            hand,
            asked,
            lambda account: errands.telling(account.platform, asked.draft, claimed.progress.at),
        )

    async def add_items(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Tell of more articles, or go on with it. Raises Unreadable."""
        asked = AddReturnOrderItems.read(claimed.body)
        return await self._tell(claimed, hand, asked, lambda account: errands.adding(account.platform, asked.draft))

    async def delete(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Delete an order, or go on with it: the very one that there is under the reference now. Raises Unreadable."""
        asked = DeleteReturnOrder.read(claimed.body)
        account, id_ = self._account(claimed, asked.provider), claimed.progress.at.get(errands.ORDER)
        if isinstance(account, Outcome):
            return account
        if not isinstance(id_, str):
            try:
                found = await account.platform.find_order(asked.reference)
            except CarrierRefused as refusal:
                return errands.refused(refusal)
            except CarrierUnavailable as error:
                return self._unread(claimed, error)
            if found is None:
                return errands.MISSING.outcome
            id_ = found.id
        errand = errands.deleting(account.platform, asked.reference, id_)
        return await self._run(claimed, hand, errand, lambda _: deleted(account.connection, asked.reference))

    async def _tell(
        self,
        claimed: ClaimedCommand,
        hand: Hand,
        asked: CreateReturnOrder | AddReturnOrderItems,
        errand_at: Callable[[Account], Errand[errands.Came]],
    ) -> Ending:
        account = self._account(claimed, asked.provider)
        if isinstance(account, Outcome):
            return account
        broken = account.platform.broken(asked.draft)
        if broken and not claimed.progress.is_sent:
            return unprocessable([told(one) for one in broken])
        return await self._run(
            claimed, hand, errand_at(account), lambda id_: saved(account.connection, asked.reference, id_)
        )

    def _account(self, claimed: ClaimedCommand, provider: str | None) -> Account | Outcome:
        """Give the account, or the end of what cannot be done at any."""
        found = self._platforms.choose(provider)
        if isinstance(found, Account):
            return found
        return Outcome(CommandState.unknown, error=_UNCLEAR) if claimed.progress.is_sent else nothing_sent(found.why)

    def _unread(self, claimed: ClaimedCommand, error: CarrierUnavailable) -> Ending:
        """Wait for a provider that does not show the order; nothing was sent yet."""
        attempt = Attempt.of(claimed.progress.at, self._clock())
        if self._clock() > attempt.since + PATIENCE:
            return nothing_sent(f"the provider could not be asked ({error}), so nothing was sent")
        return Later(AGAIN, Progress(0, None, attempt.written()))

    async def _run(self, claimed: ClaimedCommand, hand: Hand, errand: Errand[errands.Came], written: Written) -> Ending:
        match await Once(errand, hand, self._clock).run(Attempt.of(claimed.progress.at, self._clock())):
            case Done(found):
                return found.outcome if isinstance(found, Refusal) else done(**written(found))
            case Refused(refusal):
                return errands.refused(refusal)
            case Unclear():
                return Outcome(CommandState.unknown, error=_UNCLEAR)
            case Later() | Outcome() as ending:
                return ending
