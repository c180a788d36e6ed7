"""The command `dispatch_order.cancel`: a courier is called off, and that is said only after a read shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.commands.handling import Ending, Hand, Last, Later
from bridge.commands.models import done
from bridge.commands.refusing import unprocessable
from bridge.dispatch.asked import CancelDispatchOrder
from bridge.dispatch.document import result
from bridge.dispatch.keeping import Keeping
from bridge.dispatch.order import DispatchOrder
from bridge.dispatch.words import OrderState, state_of
from bridge.errors import CarrierRefused
from bridge.lifecycle import Clock
from bridge.model import ClaimedCommand, CommandState, DispatchOrderId, OrganizationId, Outcome
from bridge.ports.shipping import Dispatcher
from bridge.shipping import refusals
from bridge.shipping.attempt import Attempt
from bridge.shipping.once import Done, Errand, Once, Refused, Unclear
from bridge.store.database import Transaction

_SHOWS_WITHIN: Final = timedelta(minutes=1)
"""A read of one order lags less than lists do, and a cancel that is sent again does no harm."""
_NOT_FOUND: Final = 404
_ACCEPTED: Final = "accepted"
_UNCLEAR: Final = "the carrier took it in, or its answers were lost, and it shows the order as not cancelled"


@dataclass(frozen=True, slots=True)
class Gone:
    """The carrier took it in, and knows the order no more."""


class CalledOff:
    """Carries out `dispatch_order.cancel` for the organizations that have a dispatcher."""

    def __init__(self, dispatchers: Mapping[OrganizationId, Dispatcher], keeping: Keeping, clock: Clock) -> None:
        self._dispatchers = dispatchers
        self._keeping = keeping
        self._clock = clock

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Call the courier off, or go on with it. Raises Unreadable."""
        asked = CancelDispatchOrder.read(claimed.body)
        organization = refusals.organization(asked.organization_id, self._dispatchers)
        if not isinstance(organization, int):
            return unprocessable([organization])
        order, was_accepted = DispatchOrderId(asked.dispatch_order_id), claimed.progress.at.get(_ACCEPTED) is True
        errand = _errand(self._dispatchers[organization], order, was_accepted=was_accepted)
        attempt = Attempt.of(claimed.progress.at, self._clock())
        match await Once(errand, hand, self._clock).run(attempt):
            case Done(found):
                return self._shown(organization, order, found, claimed.id)
            case Refused(refusal):
                return refusals.of_one(refusal).outcome
            case Unclear():
                return Outcome(CommandState.unknown, error=_UNCLEAR)
            case Later() | Outcome() as ending:
                return ending

    def _shown(
        self, organization: OrganizationId, order: DispatchOrderId, found: DispatchOrder | Gone, command: str
    ) -> Last:
        """Take in what the read showed, in one commit with the end."""

        def write(transaction: Transaction) -> Outcome:
            if isinstance(found, Gone):
                return done(**result(self._keeping.lose(transaction, organization, order, command)))
            return done(**result(self._keeping.learn(transaction, organization, found, command)))

        return Last(write, lambda _: self._keeping.on_events())


def _errand(dispatcher: Dispatcher, order: DispatchOrderId, *, was_accepted: bool) -> Errand[DispatchOrder | Gone]:
    """Have it deleted. What the carrier does not know any more after it took that in is gone, by whatever word."""
    noted = {_ACCEPTED: was_accepted}

    async def send() -> None:
        await dispatcher.delete(order)
        noted[_ACCEPTED] = True

    async def look(_since: datetime) -> DispatchOrder | Gone | None:
        try:
            found = await dispatcher.read(order)
        except CarrierRefused as refusal:
            if refusal.status == _NOT_FOUND and noted[_ACCEPTED]:
                return Gone()
            raise
        return found if state_of(found.status) is OrderState.cancelled else None

    return Errand("dispatch_order.cancel", send, look, _SHOWS_WITHIN, looks_after_no=True, noted=noted)
