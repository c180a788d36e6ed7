"""A command in the hand of this process: carried out step by step, and ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from bridge.commands.handling import Handler, Last, Later
from bridge.commands.models import rejected
from bridge.errors import Interrupted, LeaseLost, StoreError, StoreUnavailable, Unreadable
from bridge.lifecycle import Stop
from bridge.model import ClaimedCommand, CommandState, Outcome, Progress
from bridge.store.commands import SqlCommands
from bridge.store.database import Unit

log = structlog.get_logger()
T = TypeVar("T")

_AGAIN_S: Final = 1.0
_BUG: Final = "something went wrong in the bridge itself; its log says where"


class Held:
    """The hand that a handler is given; `stop` announces the end of the process."""

    def __init__(self, commands: SqlCommands, claimed: ClaimedCommand, stop: Stop) -> None:
        self._commands = commands
        self._claimed = claimed
        self._stop = stop

    async def carry_out(self, handle: Handler) -> Outcome | Later:
        """Have it carried out, and end it or put it off. Raises LeaseLost, StoreError or Interrupted otherwise."""
        try:
            ending = await handle(self._claimed, self)
            return await self._put_off(ending) if isinstance(ending, Later) else await self._end(ending)
        except Unreadable as error:  # it may have been sent by a version that could read it
            is_sent = self._claimed.progress.is_sent
            unknown = Outcome(CommandState.unknown, error=error.reason)
            return await self._end(unknown if is_sent else rejected(error.reason))
        except (StoreError, Interrupted):
            raise
        except Exception:  # a bug that one command meets must not keep the others from being carried out
            log.exception("command.bug")
            return await self._end(Outcome(CommandState.unknown, error=_BUG))

    async def step(self, write: Unit[T], progress: Callable[[T], Progress]) -> T:
        self._may_go_on()
        return await self._commands.step(self._claimed, write, progress)

    async def keep(self, write: Unit[T], progress: Callable[[T], Progress]) -> T:
        return await self._until_written(lambda: self._commands.step(self._claimed, write, progress))

    async def report(self, progress: Progress) -> None:
        try:
            await self._commands.note(self._claimed, progress)
        except LeaseLost:
            raise
        except StoreError as error:
            log.warning("command.not_noted", reason=str(error))
        self._may_go_on()

    def _may_go_on(self) -> None:
        if self._stop:
            raise Interrupted("the process is ending")

    async def _put_off(self, later: Later) -> Later:
        await self._commands.put_off(self._claimed, later.after, later.progress)
        return later

    async def _end(self, ending: Outcome | Last) -> Outcome:
        """Write down what came of it: the rest of the work is done, so that is tried as long as it is ours."""
        last = ending if isinstance(ending, Last) else Last(lambda _: ending, _nothing)
        outcome = await self._until_written(lambda: self._commands.end(self._claimed, last.write))
        last.then(outcome)
        return outcome

    async def _until_written(self, write: Callable[[], Awaitable[T]]) -> T:
        """Try it again while the database is away; once the command is lost that says so."""
        while True:
            try:
                return await write()
            except StoreUnavailable as error:
                log.warning("command.not_written", reason=str(error))
                await asyncio.sleep(_AGAIN_S)


def _nothing(_outcome: Outcome) -> None:
    """Let nothing follow."""
