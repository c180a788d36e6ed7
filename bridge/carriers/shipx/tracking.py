"""What everybody may ask of the carrier, and so without the token: where a parcel is, and which words there are.

It is asked under an organization's permits all the same: to the carrier it is one more call from us.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from bridge.carriers.shipx import calls, reading
from bridge.carriers.shipx.asking import Asker
from bridge.limits.connection import Purpose
from bridge.tracking.dictionary import Dictionary
from bridge.tracking.trail import Tracking


class ShipxTracker:
    """Asks where parcels are."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def track(self, number: str, purpose: Purpose = Purpose.tracking) -> Tracking:
        """Read a parcel's trail by its number. The sandbox knows none."""
        return await self._asker.ask(calls.tracking(number), partial(reading.tracking, number), purpose)

    async def statuses(self, language: Literal["en_GB", "pl_PL"] = "en_GB") -> Dictionary:
        """Read the words that the carrier uses now."""
        return await self._asker.ask(calls.statuses(language), reading.dictionary, Purpose.tracking)
