"""The row that gates share, without a database around it, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.errors import StoreUnavailable
from bridge.limits.connection import Connection, Exchange, Exchanged, Limits
from bridge.limits.exchange import exchange
from bridge.model import micros
from tests.unit.purchasing.virtual_time import LoopClock, pass_time


@dataclass
class Row:
    """The shared row, and how long a transaction takes; `away` is a database that cannot be reached."""

    takes_s: float = 0.0
    away: bool = False
    connection: Connection = field(default_factory=lambda: Connection("shipx/4821"))
    exchanges: int = 0

    async def exchange(self, name: str, limits: Limits, brought: Exchange, dice: float) -> Exchanged:
        self.exchanges += 1
        await pass_time(self.takes_s / 2)
        if self.away:
            raise StoreUnavailable("away")
        done = exchange(self.connection, limits, brought, micros(LoopClock().now()), dice)
        self.connection = done.connection
        await pass_time(self.takes_s / 2)
        return done
