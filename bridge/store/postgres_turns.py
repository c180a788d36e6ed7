"""How a rebuild waits on PostgreSQL: in turn with other processes, and only briefly for what others hold."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from bridge.errors import StoreConflict, StoreUnavailable
from bridge.store.database import Database

log = structlog.get_logger()

_TURN: Final = 0x5B1E << 48
"""The advisory lock of who rebuilds."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds: for one lock, between two tries, between two lines of the log, and for all of it.

    One lock: less than a webhook waits for its commit (`webhook.commit_timeout_s`), and more than the second
    (`deadlock_timeout`) after which the server ends an autovacuum that stands in the way. A pause is long enough for
    those who stood behind to catch up.
    """

    lock_s: float = 2.0
    pause_s: float = 5.0
    told_s: float = 60.0
    whole_s: float = 3600.0


PATIENCE: Final = Patience()


def take_turn(pause_s: float, lock_s: float) -> str:
    """Wait until it is this transaction's turn, then so long, and from there on only briefly for any lock.

    The pause is a part of the turn, or several processes that wait for the same table would fill each other's pauses.
    """
    return (
        f"SELECT pg_advisory_xact_lock({_TURN}); SELECT pg_sleep({pause_s:g}); SET LOCAL lock_timeout = '{lock_s:g}s'"
    )


class Teller:
    """Logs what a rebuild waits for: at once, and then now and then."""

    def __init__(self, apart_s: float) -> None:
        self._apart_s = apart_s
        self._told = -math.inf

    async def tell(self, database: Database, error: StoreConflict) -> None:
        """Say what was not to be had, and whose transaction is the oldest: most likely that one has it."""
        now = time.monotonic()
        if now - self._told >= self._apart_s:
            self._told = now
            log.warning("database.rebuild_waits", reason=str(error), oldest_transaction=await _oldest(database))


async def _oldest(database: Database) -> str | None:
    """Say whose transaction is the oldest of those that this user may see."""
    with suppress(StoreUnavailable):
        for row in await database.read(lambda transaction: transaction.run(_OLDEST)):
            return "{}, server process {}, for {} s".format(*row)
    return None


_OLDEST: Final = (
    "SELECT application_name, pid, extract(epoch FROM clock_timestamp() - xact_start)::bigint FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    " ORDER BY xact_start LIMIT 1"
)
