"""The command `dispatch_order.create`: a courier is ordered, once, whatever becomes of the answer.

Why that takes care: docs/decisions/0018. An order whose answer was lost is found again by its shipments.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import structlog

from bridge.commands.handling import Ending, Hand, Last, Later
from bridge.commands.models import done
from bridge.commands.refusing import unprocessable
from bridge.dispatch import news
from bridge.dispatch.asked import CreateDispatchOrder
from bridge.dispatch.document import result
from bridge.dispatch.keeping import Keeping
from bridge.dispatch.order import DispatchOrder
from bridge.errors import Unreadable
from bridge.lifecycle import Clock
from bridge.model import ClaimedCommand, CommandState, DispatchOrderId, Fact, OrganizationId, Outcome, Progress
from bridge.ports.shipping import Dispatcher
from bridge.shipping import refusals
from bridge.shipping.attempt import Attempt
from bridge.shipping.once import Done, Errand, Once, Refused, Unclear
from bridge.shipping.order_search import OrderSearch
from bridge.store.database import Transaction
from bridge.store.dispatches import Kept

log = structlog.get_logger()

_JOINED: Final = "joined"
_UNCLEAR: Final = (
    "nobody knows whether the carrier has the order: its answers were lost, and its lists do not show it, so it is not"
    " ordered again"
)


class Courier:
    """Carries out `dispatch_order.create` for the organizations that have a dispatcher."""

    def __init__(self, dispatchers: Mapping[OrganizationId, Dispatcher], keeping: Keeping, clock: Clock) -> None:
        self._dispatchers = dispatchers
        self._keeping = keeping
        self._clock = clock

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Order the courier, or go on with it. Raises Unreadable."""
        asked = CreateDispatchOrder.read(claimed.body)
        organization = refusals.organization(asked.organization_id, self._dispatchers)
        if not isinstance(organization, int):
            return unprocessable([organization])
        joined = claimed.progress.at.get(_JOINED)  # not by the key: one from long ago may be given again
        if not isinstance(joined, int):
            return await self._ordered(claimed, hand, organization, asked)
        kept = await self._keeping.kept(organization, DispatchOrderId(joined))
        assert kept is not None, "it was stored with the note of it"
        return done(**result(kept))

    def given_up(self, transaction: Transaction, claimed: ClaimedCommand) -> None:
        """Tell that nobody knows whether a courier comes, where no process ever came further with the command."""
        if _JOINED in claimed.progress.at:
            return
        with suppress(Unreadable):
            asked = CreateDispatchOrder.read(claimed.body)
            organization = refusals.organization(asked.organization_id, self._dispatchers)
            if isinstance(organization, int):
                fact = self._failed(organization, asked, claimed, reason="unknown")
                self._keeping.tell(transaction, fact)

    async def _ordered(
        self, claimed: ClaimedCommand, hand: Hand, organization: OrganizationId, asked: CreateDispatchOrder
    ) -> Ending:
        dispatcher = self._dispatchers[organization]
        search = OrderSearch(dispatcher, self._keeping, organization, frozenset(asked.ids))
        errand = Errand("dispatch_order.create", lambda: dispatcher.create(asked.draft), search.look)
        attempt = Attempt.of(claimed.progress.at, self._clock())
        match await Once(errand, hand, self._clock).run(attempt):
            case Done(order):
                return await self._joined(claimed, hand, organization, asked, order)
            case Refused(refusal):
                fact = self._failed(organization, asked, claimed, reason="refused", carrier_error=refusal.key)
                return self._told(fact, refusals.of_order(refusal, asked.shipments).outcome)
            case Unclear():
                log.warning("dispatch_order.unclear", command=claimed.id)
                fact = self._failed(organization, asked, claimed, reason="unknown")
                return self._told(fact, Outcome(CommandState.unknown, error=_UNCLEAR))
            case Later() | Outcome() as ending:
                return ending

    async def _joined(
        self,
        claimed: ClaimedCommand,
        hand: Hand,
        organization: OrganizationId,
        asked: CreateDispatchOrder,
        order: DispatchOrder,
    ) -> Ending:
        """Store the carrier's number before anything else happens."""

        def write(transaction: Transaction) -> Kept | None:
            return self._keeping.join(transaction, organization, order, claimed.id, asked.ids)

        kept = await hand.keep(write, lambda _: Progress(1, None, {_JOINED: order.id}, is_sent=True))
        if kept is None:  # the carrier answered an order that another command has: it is not this one's
            return Outcome(CommandState.unknown, error=_UNCLEAR)
        self._keeping.on_events()
        return done(**result(kept))

    def _failed(
        self,
        organization: OrganizationId,
        asked: CreateDispatchOrder,
        claimed: ClaimedCommand,
        *,
        reason: str,
        carrier_error: str | None = None,
    ) -> Fact:
        return news.failed(
            organization, asked.ids, claimed.id, self._clock(), reason=reason, carrier_error=carrier_error
        )

    def _told(self, fact: Fact, outcome: Outcome) -> Last:
        """Tell that no courier comes in one commit with the end."""

        def write(transaction: Transaction) -> Outcome:
            self._keeping.tell(transaction, fact)
            return outcome

        return Last(write, lambda _: self._keeping.on_events())
