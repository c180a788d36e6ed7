"""A turn to buy: one call, for one purchase or for many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.carriers.shipx import calls, reading
from bridge.carriers.shipx.caller import Caller
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.model import OrganizationId
from bridge.ports import Permit
from bridge.purchasing.shipment import Choice

_NOT_PAID: Final = "transaction_failed"


class ShipxTurn:
    """A turn to buy, good for one call."""

    def __init__(self, caller: Caller, organization: OrganizationId, permit: Permit) -> None:
        self._caller = caller
        self._organization = organization
        self._permit: Permit | None = permit

    async def buy(self, choices: Sequence[Choice]) -> None:
        """Ask once. Raises CarrierRefused where nothing was bought, CarrierUnavailable where that is not known."""
        permit, self._permit = self._permit, None
        assert permit is not None, "one turn, one call"
        assert 0 < len(choices) <= calls.MOST_AT_ONCE, "one to a hundred at once"
        is_single = len(choices) == 1
        call = calls.buy(choices[0]) if is_single else calls.bulk_buy(self._organization, choices)
        try:
            await self._caller.make(call, reading.taken, permit)
        except CarrierRefused as refusal:
            if is_single or refusal.key != _NOT_PAID:
                raise
            # All or none are checked, but not paid: which payments went through before one did not is not said.
            raise CarrierUnavailable(_NOT_PAID, status=refusal.status) from None
