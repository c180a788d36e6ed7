"""Returns that nobody has sent, and that soon nobody can: it is told once, by our clock, and nobody is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from bridge.events.return_projection import About, expiry_approaching
from bridge.lifecycle import Clock, Stop
from bridge.model import Fact, Subject
from bridge.store import open_returns
from bridge.store.database import Database, Transaction
from bridge.store.facts import Recorder
from bridge.store.open_returns import UNSENT, OpenReturn

_AT_ONCE: Final = 200


class Expiring:
    """Tells of the returns of one connection."""

    def __init__(
        self,
        connection: str,
        *,
        database: Database,
        recorder: Recorder,
        clock: Clock,
        stop: Stop,
        on_events: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._stop = stop
        self._on_events = on_events

    async def look(self) -> None:
        """Tell of all whose time has come. Raises StoreError."""
        while not self._stop:
            due = await self._database.read(self._due)
            if not due:
                return
            if await self._database.write(self._tell):
                self._on_events()

    def _due(self, transaction: Transaction) -> list[OpenReturn]:
        return open_returns.expiring(transaction, self._connection, self._clock(), _AT_ONCE)

    def _tell(self, transaction: Transaction) -> int:
        """Tell under the locks of the returns, and see that none is told of again."""
        now, found = self._clock(), self._due(transaction)
        ledgers = self._recorder.lock(transaction, {_subject(one) for one in found})
        locked = open_returns.find(transaction, self._connection, "id", [one.id for one in found])
        facts = [fact for one in locked if (fact := _fact(one, now)) is not None]
        made = self._recorder.record(transaction, ledgers, facts, now)
        self._recorder.save(transaction, ledgers.values())
        open_returns.are_told(transaction, [one.id for one in found])
        return len(made)


def _subject(one: OpenReturn) -> Subject:
    return Subject.returned(one.connection, one.id)


def _fact(one: OpenReturn, now: datetime) -> Fact | None:
    """Tell of one that can still be sent, and that nobody has dropped off."""
    if one.expires_at is None or one.expires_at <= now or one.due_at is None or one.seen.status not in UNSENT:
        return None
    about = About(one.id, one.connection, one.organization, one.tracking_number)
    return expiry_approaching(about, one.seen.status, one.expires_at, now)
