"""Many requests share one commit: whoever arrives while one is being written goes into the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.errors import StoreError, StoreUnavailable
from bridge.lifecycle import Stop
from bridge.model import Arrival, Parked, Receipt
from bridge.ports import InboxStore

MOST_IN_A_COMMIT = 500
_CHECK_S = 0.25

Entry = Arrival | Parked


class Refusal(StoreError):
    """The database will not take this one row; a repeat fares no better, but only evidence says so."""


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
        self._arrived = asyncio.Event()

    @property
    def pending(self) -> int:
        """How many wait for their commit, or are in one."""
        return len(self._waiting) + len(self._writing)

    async def accept(self, entry: Entry) -> Receipt:
        """Put one webhook on disk. Raises StoreUnavailable when the store cannot take it in time."""
        if self.pending >= self._max_pending:
            raise StoreUnavailable("too many webhooks wait for a commit")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(entry, loop.time(), loop.create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        return await waiting.answer

    async def commit(self, stop: Stop) -> None:
        """Write what waits, again and again; after the end is announced, until nothing waits any more."""
        while self._waiting or not stop:
            if not self._waiting:
                self._arrived.clear()
                await _either(self._arrived, stop)
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
                waiting.fail(Refusal("the database refuses this row"))
            elif not waiting.answer.done():
                waiting.answer.set_result(receipt)
        if accepted.dropped:
            self._on_dropped(accepted.dropped)
        if Receipt.accepted in accepted.receipts:
            self._on_accepted()


async def _either(arrived: asyncio.Event, stop: Stop) -> None:
    """Wait for work or for the end."""
    tasks = [asyncio.ensure_future(arrived.wait()), asyncio.ensure_future(stop.wait())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
