"""The role `commands`: takes what was asked for, by deadline, has it carried out, and writes down what came of it.

A command in hand is held by a lease that is renewed. Where that is lost the work stops at once: somebody else goes on
with it, from what was written down last.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from bridge.commands.handling import Handler, Later
from bridge.commands.held import Held
from bridge.errors import Interrupted, LeaseLost, StoreError
from bridge.lifecycle import Stop
from bridge.model import ClaimedCommand
from bridge.store.commands import LastWord, SqlCommands
from bridge.store.leases import LEASE

log = structlog.get_logger()

RENEW_S: Final = 2.0
_MARGIN_S: Final = 1.0
"""A lease counts as lost this long before the database says so: clocks drift, processes are suspended."""
_POLL_S: Final = 1.0
_AFTER_S: Final = 0.01
_AGAIN: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Operation:
    """How an operation is carried out, how many of it at once here, and what is told where it is given up."""

    handle: Handler
    at_once: int = 4
    last_word: LastWord | None = None


class Executor:
    """Carries commands out."""

    def __init__(
        self, commands: SqlCommands, operations: Mapping[str, Operation], stop: Stop, *, poll_s: float = _POLL_S
    ) -> None:
        """`poll_s`: how long at most until it looks for what nobody has told it of."""
        self._commands = commands
        self._operations = operations
        self._stop = stop
        self._poll_s = poll_s
        self._last_words = {name: one.last_word for name, one in operations.items() if one.last_word is not None}
        self._in_hand: Counter[str] = Counter()
        self.bell = stop.bell()

    async def run(self) -> None:
        """Work until the end is announced; what is in hand then ends, or is given back where it can go on."""
        async with asyncio.TaskGroup() as hands:
            while not self._stop:
                claimed = await self._claim()
                for one in claimed:
                    self._in_hand[one.operation] += 1
                    hands.create_task(self._work(one))
                if not claimed:
                    await self.bell.wait(await self._pause())

    async def _claim(self) -> Sequence[ClaimedCommand]:
        rooms = {name: one.at_once - self._in_hand[name] for name, one in self._operations.items()}
        try:
            return await self._commands.claim(rooms, self._last_words)
        except StoreError as error:
            log.warning("commands.claim_failed", reason=str(error))
            return ()

    async def _pause(self) -> float:
        """Look again when somebody's lease ends, for that one may be gone; in a while at the latest."""
        try:
            free_in = await self._commands.free_in()
        except StoreError:
            return self._poll_s
        return self._poll_s if free_in is None else min(free_in + _AFTER_S, self._poll_s)

    async def _work(self, claimed: ClaimedCommand) -> None:
        """Handle one command, and make room for the next of its operation."""
        try:
            with structlog.contextvars.bound_contextvars(command=claimed.id, operation=claimed.operation):
                await self._carry_out(claimed)
        finally:
            self._in_hand[claimed.operation] -= 1
            self.bell.ring()

    async def _carry_out(self, claimed: ClaimedCommand) -> None:
        log.info("command.begun", by=claimed.given_by, done_before=claimed.progress.done)
        try:
            await self._held(claimed)
        except Interrupted:
            log.info("command.interrupted")
            await self._give_back(claimed, is_attempt=False)
        except LeaseLost:
            log.warning("command.lost", advice="it was withdrawn, or another process goes on with it")
        except StoreError as error:
            log.warning("command.store_unavailable", reason=str(error))
            await self._give_back(claimed, is_attempt=True)

    async def _held(self, claimed: ClaimedCommand) -> None:
        """Have it carried out for as long as it is ours. Raises LeaseLost when it is not any more."""
        working = asyncio.create_task(self._end(claimed))
        keeping = asyncio.create_task(self._keep(claimed))
        try:
            await asyncio.wait((working, keeping), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                keeping.result()
                raise LeaseLost("the command is not in this hand any more")
            working.result()
        finally:
            for task in (working, keeping):
                task.cancel()
            await asyncio.gather(working, keeping, return_exceptions=True)

    async def _end(self, claimed: ClaimedCommand) -> None:
        outcome = await Held(self._commands, claimed, self._stop).carry_out(self._operations[claimed.operation].handle)
        if isinstance(outcome, Later):
            log.info("command.put_off", s=outcome.after.total_seconds(), done=outcome.progress.done)
        else:
            log.info("command.ended", outcome=outcome.state.value, error=outcome.error)

    async def _keep(self, claimed: ClaimedCommand) -> None:
        """Renew the lease; returns when it is lost, or may be, also while a renewal has no answer yet."""
        clock, held_s = asyncio.get_running_loop().time, LEASE.total_seconds() - _MARGIN_S
        with suppress(TimeoutError):
            async with asyncio.timeout(held_s) as held:
                while True:
                    await asyncio.sleep(RENEW_S)
                    asked = clock()
                    try:
                        await self._commands.renew(claimed)
                    except LeaseLost:
                        return
                    except StoreError as error:
                        log.warning("command.not_renewed", reason=str(error))
                    else:
                        held.reschedule(asked + held_s)

    async def _give_back(self, claimed: ClaimedCommand, *, is_attempt: bool) -> None:
        """Let another one go on at once; where that cannot be written, the lease ends by itself."""
        with suppress(StoreError):
            await self._commands.release(claimed, _AGAIN if is_attempt else timedelta(0), is_attempt=is_attempt)
