"""Which partitions of the outbox are ours to publish: leased in fair parts, handed over when nothing is on its way.

Order per subject hangs on it: a partition changes hands after everything that was sent from it is written down, or
after the lease of whoever sent it is over.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

import structlog

from bridge.errors import LeaseLost, StoreError
from bridge.model import PARTITIONS
from bridge.ports import Shares
from bridge.store.leases import LEASE

log = structlog.get_logger()

GROUP: Final = "relay"
NAMES: Final = [f"{GROUP}/{number}" for number in range(PARTITIONS)]
RENEW_S: Final = 2.0
_MARGIN_S: Final = 1.0
"""A lease counts as lost this long before the database says so: clocks drift, processes are suspended."""
_AT_ONCE_S: Final = 0.05


class Partitions:
    """The partitions that this process holds. `on_change` is called when others are ours than before."""

    def __init__(self, leases: Shares, on_change: Callable[[], None]) -> None:
        self._leases = leases
        self._on_change = on_change
        self._tokens: dict[int, int] = {}
        self._leaving: set[int] = set()
        self._busy: Counter[int] = Counter()
        self._held_until = 0.0
        self._next_free: float | None = None
        self._failed = False

    @property
    def ours(self) -> list[int]:
        """The partitions to read and publish from."""
        return [number for number in self._tokens if number not in self._leaving]

    @property
    def next_look(self) -> float:
        """After how many seconds to renew again: at once when there is something to give back or to take."""
        if self._failed:
            return RENEW_S
        if self.may_give_back:
            return _AT_ONCE_S
        return RENEW_S if self._next_free is None else min(RENEW_S, self._next_free + _AT_ONCE_S)

    @property
    def may_give_back(self) -> bool:
        """Say whether nothing hangs any more on a partition that others should have."""
        return any(not self._busy[number] for number in self._leaving)

    def may_publish(self, partition: int) -> bool:
        """Say whether a partition is surely ours at this moment."""
        return partition in self._tokens and partition not in self._leaving and self._in_time()

    def any_may_publish(self) -> bool:
        """Say whether there is anything to publish from."""
        return self._in_time() and len(self._tokens) > len(self._leaving)

    def begin(self, partition: int) -> None:
        """Note that an event of a partition is sent."""
        self._busy[partition] += 1

    def end(self, partitions: Iterable[int]) -> None:
        """Note that events of these partitions are written down as published, or came to nothing."""
        self._busy.subtract(partitions)

    def tokens(self, partitions: Collection[int]) -> Mapping[str, int]:
        """Give the tokens under which to write. Raises LeaseLost where one is not ours any more."""
        try:
            return {NAMES[number]: self._tokens[number] for number in partitions}
        except KeyError as error:
            raise LeaseLost("a partition went to another replica") from error

    def lose(self) -> None:
        """Publish nothing before the leases were renewed: somebody else may have taken them."""
        self._held_until = 0.0

    async def renew(self) -> None:
        """Keep what is ours, take what is free, and give back what others should have and nothing hangs on."""
        asked = asyncio.get_running_loop().time()
        try:
            await self._give_back()
            share = await self._leases.share(GROUP, NAMES)
        except StoreError as error:
            log.warning("relay.lease_failed", error=type(error).__name__)
            self._failed = True
            return
        self._failed = False
        self._hold({int(name.rpartition("/")[2]): token for name, token in share.tokens.items()}, share.surplus)
        self._held_until = asked + LEASE.total_seconds() - _MARGIN_S
        self._next_free = share.seconds

    async def leave(self) -> None:
        """Give everything back."""
        self.lose()
        self._tokens, self._leaving = {}, set()
        await self._leases.leave(GROUP, NAMES)

    def _hold(self, tokens: dict[int, int], surplus: int) -> None:
        """Take note of what is held now, and choose what is to be given back."""
        kept = self._leaving & tokens.keys()
        leaving = kept | set(sorted(tokens.keys() - kept, reverse=True)[: max(surplus - len(kept), 0)])
        if (tokens, leaving) != (self._tokens, self._leaving):
            log.info("relay.partitions", held=len(tokens), leaving=len(leaving))
            self._tokens, self._leaving = tokens, leaving
            self._on_change()

    async def _give_back(self) -> None:
        idle = [number for number in self._leaving if not self._busy[number]]
        await self._leases.release([NAMES[number] for number in idle])
        for number in idle:
            self._tokens.pop(number, None)
            self._leaving.discard(number)

    def _in_time(self) -> bool:
        return asyncio.get_running_loop().time() < self._held_until
