"""A look after carriers that gave no usable answer or refused us: where nobody asks, nobody sees them come back."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from bridge.errors import CarrierError, StoreError
from bridge.lifecycle import Stop
from bridge.store.connections import Seen

log = structlog.get_logger()

_LOOK_S: Final = 30.0


class Connections(Protocol):
    """The rows that all replicas share."""

    async def list(self) -> Sequence[Seen]: ...


class Account(Protocol):
    """A carrier that can be asked about the account, and about no shipment."""

    async def organizations(self) -> object: ...


class Watch:
    """Asks about an account once in a while, as long as its last answers were unusable."""

    def __init__(
        self,
        connections: Connections,
        accounts: Mapping[str, Account],
        stop: Stop,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._connections = connections
        self._accounts = accounts
        self._stop = stop
        self._dice = dice
        self._bell = stop.bell()

    async def run(self) -> None:
        """Look until the end is announced; replicas do not look together."""
        while not self._stop:
            await self._bell.wait(_LOOK_S * (0.5 + self._dice()))
            if not self._stop:
                await self.look()

    async def look(self) -> None:
        """Ask where it is due."""
        try:
            found = await self._connections.list()
        except StoreError as error:
            log.warning("connection.store_unavailable", error=type(error).__name__)
            return
        for seen in found:
            account = self._accounts.get(seen.name)
            if account is not None and seen.connection.degraded_since is not None and seen.breaker != "open":
                try:
                    await account.organizations()
                except CarrierError as error:
                    log.info("connection.still_away", connection=seen.name, error=type(error).__name__)
