"""Once a day the carrier's list of status words is compared with our table, by one process of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

import structlog

from bridge.errors import CarrierError
from bridge.lifecycle import Clock
from bridge.ports.shipping import Tracker
from bridge.store import vocabulary
from bridge.store.database import Database
from bridge.tracking.drift import Drift

log = structlog.get_logger()

DAILY: Final = timedelta(hours=24)


class Vocabulary:
    """Compares. `ours` gives the words of our table."""

    def __init__(self, database: Database, tracker: Tracker, ours: Callable[[], Iterable[str]], clock: Clock) -> None:
        self._database = database
        self._tracker = tracker
        self._ours = ours
        self._clock = clock

    async def compare(self) -> None:
        """Compare, where that was not done for a day. A carrier that does not answer is asked in the next round."""
        now, kept = self._clock(), await self._database.read(vocabulary.kept)
        if kept is not None and now < Drift.load(kept).at + DAILY:
            return
        try:
            dictionary = await self._tracker.statuses()
        except CarrierError as error:
            log.info("status_words.not_compared", reason=str(error))
            return
        found = Drift.between(dictionary, self._ours(), now)
        await self._database.write(lambda transaction: vocabulary.keep(transaction, found.dump()))
        tell = log.warning if found.unknown else log.info
        tell("status_words.compared", unknown=list(found.unknown), unlisted=list(found.unlisted), unread=found.unread)
