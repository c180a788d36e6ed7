"""A look after carriers that gave no usable answer or refused us: where nobody asks, nobody sees them come back.

It asks about the account and about no shipment, so its answer is about the whole account: a token that is refused here
pauses the account, and a pause for that reason ends here. Each account is asked about once after the start, too: a
token of another organization is taken by the carrier, and would otherwise show only when a purchase is due.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Protocol

import structlog

from bridge.errors import CarrierError, CarrierRefused, StoreError
from bridge.lifecycle import Stop
from bridge.limits.connection import Purpose
from bridge.limits.pause import BY_CARRIER, AccountReason
from bridge.model import OrganizationId
from bridge.store.connections import Seen, organization_of

log = structlog.get_logger()

_LOOK_S: Final = 5.0
_ASK_S: Final = 30.0


class Connections(Protocol):
    """The rows that all replicas share."""

    async def list(self) -> Sequence[Seen]: ...


class Refusals(Protocol):
    """What became of questions about accounts, shared by all replicas: see `bridge.store.refusals`."""

    async def take(self, organization: OrganizationId) -> bool: ...
    async def refused(self, organization: OrganizationId) -> bool: ...
    async def accepted(self, organization: OrganizationId) -> bool: ...
    async def unanswered(self, organization: OrganizationId, dice: float) -> None: ...


class Account(Protocol):
    """A carrier that can be asked which organizations our token is for."""

    async def organizations(self, purpose: Purpose) -> Collection[OrganizationId]: ...


class Watch:
    """Asks about an account once in a while, as long as its last answers were unusable or its token is refused.

    Where all is well it asks once after the start, until there is an answer. `on_resumed` wakes the buyer.
    """

    def __init__(
        self,
        connections: Connections,
        refusals: Refusals,
        accounts: Mapping[str, Account],
        stop: Stop,
        on_resumed: Callable[[], None],
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._connections = connections
        self._refusals = refusals
        self._accounts = accounts
        self._stop = stop
        self._on_resumed = on_resumed
        self._dice = dice
        self._bell = stop.bell()
        self._ask_at: dict[str, float] = {}
        self._unasked = set(accounts)
        """Which have given no answer since the start."""

    async def run(self) -> None:
        """Look until the end is announced; replicas do not look together."""
        while not self._stop:
            await self._bell.wait(_LOOK_S * (0.5 + self._dice()))
            if not self._stop:
                await self.look()

    async def look(self) -> None:
        """Ask where it is due."""
        try:
            for seen in await self._connections.list():
                account, organization = self._accounts.get(seen.name), organization_of(seen.name)
                if account is not None and organization is not None and await self._is_due(seen, organization):
                    await self._ask(account, organization, seen)
        except StoreError as error:
            log.warning("connection.store_unavailable", error=type(error).__name__)

    async def _is_due(self, seen: Seen, organization: OrganizationId) -> bool:
        """Say whether to ask now: of all replicas one where the token is refused, else each for itself."""
        pause, now = seen.connection.pause, asyncio.get_running_loop().time()
        if seen.breaker == "open":
            return False
        if pause is not None and pause.is_about_token:
            return pause.is_due(seen.at) and await self._refusals.take(organization)
        is_wanted = seen.connection.degraded_since is not None or (_is_well(seen) and seen.name in self._unasked)
        if not is_wanted or now < self._ask_at.get(seen.name, now):
            return False
        self._ask_at[seen.name] = now + _ASK_S * (0.5 + self._dice())
        return True

    async def _ask(self, account: Account, organization: OrganizationId, seen: Seen) -> None:
        purpose = Purpose.tracking if _is_well(seen) else Purpose.read  # where all is well, all else goes before it
        try:
            is_ours = organization in await account.organizations(purpose)
        except CarrierRefused as error:
            self._unasked.discard(seen.name)
            if not error.is_unauthorized:
                await self._unanswered(organization, seen, error)
                return
            is_ours = False
        except CarrierError as error:
            await self._unanswered(organization, seen, error)
            return
        self._unasked.discard(seen.name)
        await (self._accepted if is_ours else self._refused)(organization, seen)

    async def _unanswered(self, organization: OrganizationId, seen: Seen, error: CarrierError) -> None:
        if not _is_well(seen):
            log.info("connection.still_away", connection=seen.name, error=type(error).__name__)
        if seen.connection.pause is not None:
            await self._refusals.unanswered(organization, self._dice())

    async def _refused(self, organization: OrganizationId, seen: Seen) -> None:
        if await self._refusals.refused(organization):
            reason = AccountReason.forbidden.value
            log.warning("connection.paused", connection=seen.name, reason=reason, by=BY_CARRIER)
        else:
            await self._refusals.unanswered(organization, self._dice())

    async def _accepted(self, organization: OrganizationId, seen: Seen) -> None:
        if seen.connection.pause is not None and await self._refusals.accepted(organization):
            log.info("connection.resumed", connection=seen.name, by=BY_CARRIER)
            self._on_resumed()


def _is_well(seen: Seen) -> bool:
    """Say whether nothing stands against a purchase, for all that is known."""
    return seen.connection.degraded_since is None and seen.connection.pause is None
