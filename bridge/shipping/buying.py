"""The command `shipment.buy`: by the policy, or the very offer that a person chose, which is looked at first."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.approvals.approving import Approving
from bridge.commands.handling import Ending, Hand
from bridge.commands.models import BuyShipment
from bridge.limits.connection import Purpose
from bridge.model import ClaimedCommand, OfferId, OrganizationId
from bridge.purchasing.shipment import Shipment
from bridge.shipping import offering
from bridge.shipping.helm import Helm, Reader, Task


class Buying:
    """Carries out `shipment.buy`. The buyer buys: here it is only asked for, once what is named is on offer."""

    def __init__(self, approving: Approving, readers: Mapping[OrganizationId, Reader], helm: Helm) -> None:
        self._approving = approving
        self._readers = readers
        self._helm = helm

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Ask for the purchase. Raises Unreadable."""
        asked = BuyShipment.read(claimed.body)
        if asked.offer_id is None:
            return await self._approving.buy(claimed, hand)
        task = self._helm.task(claimed, hand, asked, "select", self._readers, asked.offer_id)
        if not isinstance(task, Task):
            return task
        shipment = await self._helm.read(task, self._readers[task.steer.organization], Purpose.read)
        if not isinstance(shipment, Shipment):
            return shipment
        why = offering.against(shipment, asked.offer_id)
        return self._approving.pick(claimed, OfferId(asked.offer_id)) if why is None else self._helm.no(task, why)
