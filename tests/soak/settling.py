"""How long purchases stay open after the last trouble."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from tests.faults.books import Books
from tests.soak.carrier import MERCHANT, Carrier
from tests.soak.receipts import Receipts

PATIENCE_S: Final = 420.0
"""A window that opened last, its offers' five minutes, and what may be in doubt after that."""
LIVE: Final = "purchases WHERE state IN ('wanted', 'intended', 'doubt')"
_LOOK_S: Final = 1.0
_PROGRESS_EVERY: Final = 10


def spent(books: Books) -> Decimal:
    """Say what the merchant's budgets count as spent, over all days."""
    sql = f"SELECT coalesce(sum(amount), 0) FROM budgets WHERE organization = {MERCHANT} AND currency = 'PLN'"
    return Decimal(int(books.rows(sql)[0][0])) / 10_000


class Settling:
    """Waits for the end of every purchase, and tells how many are to come."""

    def __init__(self, carrier: Carrier, books: Books, receipts: Receipts, tell: Callable[[str], None]) -> None:
        self._carrier = carrier
        self._books = books
        self._receipts = receipts
        self._tell = tell

    async def wait(self) -> None:
        """Come back when nothing is open and the carrier is idle. Raises AssertionError after PATIENCE_S."""
        end = time.monotonic() + PATIENCE_S
        for look in itertools.count():
            idle, live, untold = await self._carrier.is_idle(), await self._live(), await self._untold()
            if idle and not live and not untold:
                return
            told = f"{live:,} purchases are live, {untold:,} shipments without an end"
            assert time.monotonic() < end, f"after {PATIENCE_S:g} s {told}, the carrier {'idle' if idle else 'busy'}"
            if look % _PROGRESS_EVERY == _PROGRESS_EVERY - 1:
                self._tell(told)
            await asyncio.sleep(_LOOK_S)

    async def _live(self) -> int:
        return await asyncio.to_thread(self._books.count, LIVE)

    async def _untold(self) -> int:
        return sum(not self._receipts.has_ended(one) for one in await self._carrier.shipments())
