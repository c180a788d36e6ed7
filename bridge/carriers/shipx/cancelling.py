"""Cancelling a shipment. That the carrier took it in proves nothing: its own purchase overwrote a cancel 0.36 s later
(observed by others, 2026-10-10), and only a read some time after shows that it lasted.
"""

from __future__ import annotations

from bridge.carriers.shipx import calls, reading
from bridge.carriers.shipx.asking import Asker
from bridge.limits.connection import Purpose
from bridge.model import ShipmentId


class ShipxCanceller:
    """Cancels shipments that were not bought."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def cancel(self, shipment: ShipmentId) -> None:
        """Ask once. One that is cancelled already, or bought, is refused with `invalid_action`."""
        await self._asker.send(calls.cancel(shipment), reading.taken, Purpose.cancel)
