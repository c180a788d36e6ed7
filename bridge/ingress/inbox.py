"""Many requests share one commit: whoever arrives while one is being written goes into the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bridge.errors import RowRefused, StoreError, StoreUnavailable
from bridge.lifecycle import Bell, Stop
from bridge.model import Receipt
from bridge.ports import InboxStore

if TYPE_CHECKING:
    from bridge.store.inbox import Entry

MOST_IN_A_COMMIT = 500
MOST_BYTES = 32 * 1024 * 1024
"""Of bodies in one process, from the first byte read until the answer; beyond: 503."""
_CHECK_S = 0.25
_IDLE_S = 60.0


class Intake:
    """How much may be in hand at once: webhooks from before their bodies are read until they are answered."""

    def __init__(self, most: int, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self.webhooks = 0
        self.bytes = 0

    def enter(self, size: int) -> None:
        """Count one more webhook of so many bytes. Raises StoreUnavailable when there is no room for it."""
        if self.webhooks >= self._most:
            raise StoreUnavailable("too many webhooks are in hand")
        self.grow(size)
        self.webhooks += 1

    def grow(self, size: int) -> None:
        """Count more bytes. Raises StoreUnavailable when there is no room for them."""
        if self.bytes + size > self._most_bytes:
            raise StoreUnavailable("too many bytes of webhooks are in hand")
        self.bytes += size

    def leave(self, size: int) -> None:
        """Count one webhook less, and its bytes."""
        self.webhooks -= 1
        self.bytes -= size


class Room:
    """The room that one webhook takes up while this is entered. StoreUnavailable where there is none."""

    __slots__ = ("_intake", "size")

    def __init__(self, intake: Intake, size: int) -> None:
        self._intake = intake
        self.size = size

    def __enter__(self) -> Self:
        self._intake.enter(self.size)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._intake.leave(self.size)

    def grow(self, size: int) -> None:
        """Take as many bytes in all."""
        self._intake.grow(size - self.size)
        self.size = size


@dataclass(slots=True, eq=False)
class _Waiting:
    entry: Entry
    since: float
    answer: asyncio.Future[Receipt]

    def fail(self, error: StoreError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Inbox:
    """Accepts webhooks. `accept` returns only after the commit; what is not known to be on disk raises."""

    def __init__(
        self,
        store: InboxStore,
        *,
        max_pending: int,
        commit_timeout_s: float,
        on_accepted: Callable[[], None],
        on_dropped: Callable[[int], None],
    ) -> None:
        self._store = store
        self._max_pending = max_pending
        self._timeout = commit_timeout_s
        self._on_accepted = on_accepted
        self._on_dropped = on_dropped
        self._waiting: list[_Waiting] = []
        self._writing: list[_Waiting] = []
        self._bell = Bell()
        self._intake = Intake(max_pending)

    @property
    def pending(self) -> int:
        """How many wait for their commit, or are in one."""
        return len(self._waiting) + len(self._writing)

    def room(self, size: int) -> Room:
        """Make room for one webhook before its body is read; the size is what is known of it by then."""
        return Room(self._intake, size)

    async def accept(self, entry: Entry) -> Receipt:
        """Put one webhook on disk. Raises StoreUnavailable when the store cannot take it in time."""
        if self.pending >= self._max_pending:
            raise StoreUnavailable("too many webhooks wait for a commit")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(entry, loop.time(), loop.create_future())
        self._waiting.append(waiting)
        if len(self._waiting) == 1:
            self._bell.ring()
        return await waiting.answer

    async def commit(self, stop: Stop) -> None:
        """Write what waits, again and again; after the end is announced, until nothing waits any more."""
        bell = self._bell = stop.bell()
        while self._waiting or not stop:
            if not self._waiting:
                await bell.wait(_IDLE_S)
                continue
            self._writing = self._waiting[:MOST_IN_A_COMMIT]
            del self._waiting[:MOST_IN_A_COMMIT]
            await self._write(self._writing)
            self._writing = []

    async def expire(self, stop: Stop) -> None:
        """Give up on what waits longer than a commit may take. It may still be written: a repeat will tell."""
        bell = stop.bell()
        while not stop:
            await bell.wait(_CHECK_S)
            oldest = asyncio.get_running_loop().time() - self._timeout
            for waiting in [one for one in (*self._writing, *self._waiting) if one.since < oldest]:
                waiting.fail(StoreUnavailable("the commit takes too long"))
            self._waiting = [one for one in self._waiting if not one.answer.done()]

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        try:
            accepted = await self._store.accept([one.entry for one in batch])
        except StoreError as error:
            for waiting in batch:
                waiting.fail(error)
            return
        for waiting, receipt in zip(batch, accepted.receipts, strict=True):
            if receipt is None:
                waiting.fail(RowRefused("the database refuses this row"))
            elif not waiting.answer.done():
                waiting.answer.set_result(receipt)
        if accepted.dropped:
            self._on_dropped(accepted.dropped)
        if Receipt.accepted in accepted.receipts:
            self._on_accepted()
