"""The label of a return: the one that came along with it, or else the provider's; over HTTP, or as a command."""

from __future__ import annotations

from base64 import b64encode
from typing import Final

from bridge.commands.handling import Hand
from bridge.commands.models import done, failed
from bridge.commands.refusing import refused
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.model import ClaimedCommand, Outcome
from bridge.returns.ticket import ReturnLabel
from bridge.shipments.label import MEDIA_TYPES
from bridge.shipping import refusals
from bridge.shipping.returns import qr
from bridge.shipping.returns.asked import FetchReturnLabel
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.keeping import Keeping
from bridge.store.returns import Kept
from bridge.web.kinds import NOT_FOUND

OTHERWISE: Final = "application/octet-stream"
_MEDIA_TYPES: Final = {**MEDIA_TYPES, "png": qr.MEDIA_TYPE}


class Labels:
    """Where labels are found, and what carries out `return.label.fetch`, for whoever cannot ask over HTTP."""

    def __init__(self, desk: Desk, keeping: Keeping) -> None:
        self._desk = desk
        self._keeping = keeping

    async def find(self, kept: Kept) -> ReturnLabel | None:
        """Give the label; None where there is none. Raises CarrierError."""
        if kept.label_format is not None and (content := await self._keeping.label(kept.id)) is not None:
            return ReturnLabel(content, kept.label_format)
        maker = self._desk.makers.get(kept.connection)
        if maker is None or kept.state != "created":
            return None
        return await maker.label(kept.id, kept.provider_reference, kept.secrets.label_url)

    async def __call__(self, claimed: ClaimedCommand, _hand: Hand) -> Outcome:
        """Fetch it: that changes nothing, so the provider is simply asked. Raises Unreadable."""
        kept = await self._keeping.find(FetchReturnLabel.read(claimed.body).return_id)
        if kept is None:
            return refused(NOT_FOUND.name, "there is no such return here")
        try:
            found = await self.find(kept)
        except CarrierRefused as refusal:
            if refusal.status != NOT_FOUND.status:
                return refusals.theirs(refusal, [0])[0].outcome
            found = None
        except CarrierUnavailable as error:
            return failed(f"the provider gave no label ({error}): try again")
        if found is None:
            return refused(NOT_FOUND.name, "there is no label: such a return needs none, or it was not made")
        size, content = len(found.content), b64encode(found.content).decode()
        about = {"format": found.format, "media_type": media_type(found.format), "sha256": found.sha256}
        return done(return_id=kept.id, **about, bytes=size, content=content)


def media_type(form: str) -> str:
    """Say what a label, or an image of a code, is as a file."""
    return _MEDIA_TYPES.get(form, OTHERWISE)
