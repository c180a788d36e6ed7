"""Saying whose webhooks are received: now and then, so that it is forgotten where nobody does any more."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import structlog

from bridge.errors import StoreError
from bridge.lifecycle import Clock, Stop
from bridge.model import OrganizationId
from bridge.store import received
from bridge.store.database import Database

log = structlog.get_logger()

_EVERY_S: Final = 3600.0
_AGAIN_S: Final = 5.0
"""After how long it is tried again where it could not be written."""


class Announcing:
    """Says so for the organizations whose secrets this process has."""

    def __init__(self, database: Database, organizations: Collection[OrganizationId], clock: Clock, stop: Stop) -> None:
        self._database = database
        self._organizations = organizations
        self._clock = clock
        self._stop = stop

    async def run(self) -> None:
        """Say it at once, and again until the end is announced."""
        bell = self._stop.bell()
        while not self._stop:
            await bell.wait(_EVERY_S if await self._say() else _AGAIN_S)

    async def _say(self) -> bool:
        """Say it, if the database takes it: receiving does not wait for that."""
        now = self._clock()
        try:
            await self._database.write(lambda transaction: received.say(transaction, self._organizations, now))
        except StoreError as error:
            log.warning("receiving.not_said", reason=str(error))
            return False
        return True
