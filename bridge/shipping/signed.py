"""The command `dispatch_order.print`: the list that a courier signs, for whoever cannot ask for it over HTTP."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Final

from bridge.commands.handling import Hand
from bridge.commands.models import done, failed
from bridge.commands.refusing import unprocessable
from bridge.dispatch.asked import PrintDispatchOrder
from bridge.dispatch.printout import Printout
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.model import ClaimedCommand, DispatchOrderId, OrganizationId, Outcome
from bridge.ports.shipping import Dispatcher
from bridge.shipping import refusals

PDF: Final = "application/pdf"
ZIP: Final = "application/zip"


class Signed:
    """Carries out `dispatch_order.print`. It changes nothing at the carrier, so it is simply asked."""

    def __init__(self, dispatchers: Mapping[OrganizationId, Dispatcher]) -> None:
        self._dispatchers = dispatchers

    async def __call__(self, claimed: ClaimedCommand, _hand: Hand) -> Outcome:
        """Fetch the list. Raises Unreadable."""
        asked = PrintDispatchOrder.read(claimed.body)
        organization = refusals.organization(asked.organization_id, self._dispatchers)
        if not isinstance(organization, int):
            return unprocessable([organization])
        try:
            found = await self._dispatchers[organization].printout(DispatchOrderId(asked.dispatch_order_id))
        except CarrierRefused as refusal:
            return refusals.of_one(refusal).outcome
        except CarrierUnavailable as error:
            return failed(f"the carrier gave no list ({error}): try again")
        content = b64encode(found.content).decode()
        return done(media_type=media_type(found), sha256=found.sha256, bytes=len(found.content), content=content)


def media_type(found: Printout) -> str:
    """Say what a list is as a file."""
    return ZIP if found.is_archive else PDF
