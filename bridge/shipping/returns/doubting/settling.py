"""Returns that may have been made are looked for again, until the provider shows them or so long has passed.

What no look shows is not taken for what was never made, however long it is: a list that lags, or leaves something out,
must not bring anybody a second ticket. Only a person says so.
"""

from __future__ import annotations

from typing import Final

import structlog

from bridge.errors import CarrierRefused, CarrierUnavailable, KeyMissing, NoPermit
from bridge.lifecycle import Stop
from bridge.limits.connection import Purpose
from bridge.returns.draft import Party, ReturnDraft
from bridge.returns.ticket import Ticket
from bridge.shipping.attempt import EARLIER, LIMITED
from bridge.shipping.returns.doubting.doubts import Doubts
from bridge.shipping.returns.makers import Maker, Making
from bridge.store.doubtful_returns import Doubt
from bridge.store.returns import Kept

log = structlog.get_logger()

_AT_ONCE: Final = 20
"""How many are looked for in one round."""


class Settling:
    """Looks for those of one connection."""

    def __init__(self, connection: str, maker: Maker, doubts: Doubts, stop: Stop) -> None:
        self._connection = connection
        self._maker = maker
        self._doubts = doubts
        self._stop = stop

    async def look(self) -> None:
        """Look for all that are due, the longest overdue first. Raises StoreError."""
        if n := await self._doubts.take_up(self._connection, _AT_ONCE):
            log.warning("returns.taken_up", connection=self._connection, n=n)
        for one in await self._doubts.due(self._connection, _AT_ONCE):
            if self._stop or not await self._settle(one):
                return

    async def _settle(self, one: Doubt) -> bool:
        """Look for one; False where nothing can be asked just now."""
        try:
            kept = await self._doubts.returned(one.id)
            ticket = None if kept is None else await self._find(kept, one)
        except KeyMissing:
            await self._doubts.looked(one, "key_missing")
            return True
        except (CarrierRefused, CarrierUnavailable) as error:
            log.info("return.look_failed", return_id=one.id, connection=self._connection, reason=str(error))
            if isinstance(error, NoPermit) or error.status == LIMITED:
                return False
            await self._doubts.looked(one, error.key if isinstance(error, CarrierRefused) else error.reason)
            return True
        if ticket is not None and await self._doubts.found(one, ticket):
            log.info("return.found", return_id=one.id, connection=self._connection, looks=one.looks + 1)
        else:
            await self._doubts.looked(one, "nothing" if ticket is None else "taken")
        return True

    async def _find(self, kept: Kept, one: Doubt) -> Ticket | None:
        draft = ReturnDraft(kept.secrets.reference, Party(), expires_at=kept.expires_at)
        making = Making(one.id, draft, one.sender, Purpose.sweep)  # behind what somebody waits for
        return await self._maker.look(making, one.since - EARLIER, one.until)
