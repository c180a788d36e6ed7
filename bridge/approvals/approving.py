"""What a person or a program may want done about a purchase, as commands: approve, hold, retry, buy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from bridge.approvals.document import document
from bridge.commands.handling import Hand, Last
from bridge.commands.models import (
    ApprovePurchase,
    BuyShipment,
    HoldPurchase,
    RefreshOffers,
    RetryPurchase,
    ShipmentOrder,
    done,
    rejected,
)
from bridge.commands.refusing import unprocessable
from bridge.lifecycle import Clock
from bridge.model import ClaimedCommand, CommandState, IntentId, OfferId, OrganizationId, Outcome, ShipmentId
from bridge.store.approvals import SqlApprovals
from bridge.store.database import Transaction, Unit
from bridge.store.listed import Listed
from bridge.store.orders import Order, Refused
from bridge.web.problems import FieldError

log = structlog.get_logger()


class Approving:
    """Carries out orders about purchases. `known` are the organizations that can buy; `on_changed` wakes the buyer."""

    def __init__(
        self,
        approvals: SqlApprovals,
        *,
        known: Sequence[OrganizationId],
        clock: Clock,
        on_changed: Callable[[], None],
    ) -> None:
        self._approvals = approvals
        self._known = tuple(known)
        self._clock = clock
        self._on_changed = on_changed

    async def approve(self, claimed: ClaimedCommand, _hand: Hand) -> Last:
        """Carry out the command `shipment.approve`. Raises Unreadable."""
        asked, now = ApprovePurchase.read(claimed.body), self._clock()
        order, intent = _order(claimed, asked), None if asked.intent_id is None else IntentId(asked.intent_id)
        return self._last(lambda it: self._approvals.approve(it, order, now, intent))

    async def hold(self, claimed: ClaimedCommand, _hand: Hand) -> Last:
        """Carry out the command `shipment.hold`. Raises Unreadable."""
        order, now = _order(claimed, HoldPurchase.read(claimed.body)), self._clock()
        return self._last(lambda it: self._approvals.hold(it, order, now))

    async def retry(self, claimed: ClaimedCommand, _hand: Hand) -> Last:
        """Carry out the command `purchase.retry`. Raises Unreadable."""
        order, now = _order(claimed, RetryPurchase.read(claimed.body)), self._clock()
        return self._last(lambda it: self._approvals.retry(it, order, now))

    async def buy(self, claimed: ClaimedCommand, _hand: Hand) -> Last:
        """Carry out the command `shipment.buy`. Raises Unreadable."""
        order, now = _order(claimed, BuyShipment.read(claimed.body)), self._clock()
        return self._last(lambda it: self._approvals.buy(it, order, self._known, now))

    async def renew(self, claimed: ClaimedCommand, _hand: Hand) -> Last:
        """Carry out the command `shipment.refresh_offers`. Raises Unreadable."""
        order, now = _order(claimed, RefreshOffers.read(claimed.body)), self._clock()
        return self._last(lambda it: self._approvals.renew(it, order, self._known, now))

    def pick(self, claimed: ClaimedCommand, offer: OfferId) -> Last:
        """Have the offer bought that the command `shipment.buy` names. Raises Unreadable."""
        order, now = _order(claimed, BuyShipment.read(claimed.body)), self._clock()
        return self._last(lambda it: self._approvals.pick(it, order, offer, self._known, now))

    def _last(self, write: Unit[Listed | Refused]) -> Last:
        """Write what was ordered in one commit with the command's end."""

        def written(transaction: Transaction) -> Outcome:
            found = write(transaction)
            if isinstance(found, Refused):
                return _no(found)
            return done(**document(found, self._clock()))

        return Last(written, self._told)

    def _told(self, outcome: Outcome) -> None:
        """Say what came of it, and wake the buyer."""
        if outcome.state is CommandState.done:
            result = outcome.result or {}
            told = {key: result.get(key) for key in ("shipment_id", "organization_id", "state")}
            log.info("purchase.ordered", **told)
            self._on_changed()


def _no(why: Refused) -> Outcome:
    if why.organization is None:
        return rejected(why.why)
    return unprocessable([FieldError("organization_id", why.organization, why.why)])


def _order(claimed: ClaimedCommand, asked: ShipmentOrder) -> Order:
    organization = None if asked.organization_id is None else OrganizationId(asked.organization_id)
    return Order(ShipmentId(asked.shipment_id), organization, claimed.given_by, claimed.id)
