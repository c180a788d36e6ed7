"""Commands over RabbitMQ: each is stored under its key, then acknowledged, and answered where somebody waits.

What cannot be understood goes to the dead with the reason. While the store is away nothing is taken from the queue:
whatever is put back counts there, and dies after ten times.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from bridge.commands.models import Body
from bridge.commands.reading import Asked, NotUnderstood, read
from bridge.commands.replying import may_reply, outcome, refusal
from bridge.commands.waiting import within
from bridge.errors import BrokerError, KeyMissing, KeyUsed, RowRefused, StoreError
from bridge.lifecycle import Clock, Stop
from bridge.model import Command, CommandMessage, CommandState, Progress, Standing
from bridge.ports import CommandQueue
from bridge.store.commands import SqlCommands, Submitted

log = structlog.get_logger()

_KEY_USED = NotUnderstood("key_used", "this command_id was used with another body")
_REFUSED = NotUnderstood("refused_by_database", "it holds something that the database cannot hold")
_BUG = NotUnderstood("bug", "something went wrong in the bridge itself; its log says where")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the bus may ask for, whether a name is allowed here, and which queues answers may go to."""

    known: Mapping[str, type[Body]]
    allows: Callable[[str], bool]
    reply_queues: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things are waited for, in seconds."""

    again_s: float = 1.0
    """Until the broker, the store or a burial is tried again."""
    hold_s: float = 10.0
    """A store that is away for longer gets nothing more to hold: messages go back, so that others may take them."""
    outcome_s: float = 5.0
    """Whoever waits is told what came of a command within this time, or that it is accepted."""
    reply_s: float = 30.0
    """A broker that is away for longer takes the answer with it."""
    most_waiting: int = 64
    """So many outcomes are waited for at once; whoever comes then is told at once that it is accepted."""
    tell_s: float = 60.0
    """How often the log says again what is still so."""


class Consumer:
    """Takes commands from the bus. `is_writable` says whether the store takes them; `on_stored` wakes the executor."""

    def __init__(
        self,
        queue: CommandQueue,
        commands: SqlCommands,
        rules: Rules,
        *,
        is_writable: Callable[[], Awaitable[bool]],
        on_stored: Callable[[], None],
        clock: Clock,
        stop: Stop,
        pace: Pace | None = None,
    ) -> None:
        self._queue = queue
        self._commands = commands
        self._rules = rules
        self._is_writable = is_writable
        self._on_stored = on_stored
        self._clock = clock
        self._stop = stop
        self._pace = pace or Pace()
        self._bell = stop.bell()
        self._store_away = False
        self._waiting = 0
        self.degraded_since: datetime | None = clock()
        """Since when there has been no broker."""
        self._told: tuple[str, float] | None = None

    async def run(self) -> None:
        """Take commands until the end is announced; what is in hand then is stored, settled and answered."""
        is_over = False
        async with asyncio.TaskGroup() as hands:

            def take(message: CommandMessage) -> None:
                if not is_over:
                    hands.create_task(self._handle(message))

            while not self._stop:
                if await self._has_store() and await self._has_broker(take):
                    await self._watch()
                    await self._queue.pause()
            is_over = True  # what still comes returns to the queue as the connection ends
        await self._queue.close()  # beside others who take their time to end

    async def close(self) -> None:
        """Leave the broker."""
        await self._queue.close()

    # -- the two that may be away --------------------------------------------------------------------------------------

    async def _has_store(self) -> bool:
        """See whether the store takes something, before anything is taken from the queue."""
        if await self._is_writable():
            self._store_away = False
            return True
        self._tell("commands.store_away", "the database cannot be written")
        await self._bell.wait(self._pace.again_s)
        return False

    async def _has_broker(self, take: Callable[[CommandMessage], None]) -> bool:
        try:
            if not self._queue.is_open:
                await self._queue.open()
            await self._queue.begin(take)
        except BrokerError as error:
            self.degraded_since = self.degraded_since or self._clock()
            self._tell("commands.broker_away", str(error))
            await self._bell.wait(self._pace.again_s)
            return False
        log.info("commands.consuming")
        self.degraded_since, self._told = None, None
        return True

    async def _watch(self) -> None:
        """Let commands come until something is away."""
        while not self._stop and self._queue.is_open and not self._store_away:
            await self._bell.wait(self._pace.again_s)
        if not self._queue.is_open and not self._stop:
            self.degraded_since = self._clock()
            log.warning("commands.broker_lost")

    def _tell(self, event: str, reason: str) -> None:
        """Log what is away: when it is new, and then now and again."""
        now = asyncio.get_running_loop().time()
        if self._told is None or self._told[0] != reason or self._told[1] <= now:
            self._told = reason, now + self._pace.tell_s
            log.warning(event, reason=reason)

    # -- one message ---------------------------------------------------------------------------------------------------

    async def _handle(self, message: CommandMessage) -> None:
        """Settle one message; whatever happens, it keeps no other one from being settled."""
        try:
            await self._settle(message)
        except BrokerError as error:
            log.warning("command.not_settled", reason=str(error), told="it will be given again")
        except Exception:  # a bug that one message meets must not come again with it for ever
            log.exception("command.bug")
            await self._bury(message, _BUG)

    async def _settle(self, message: CommandMessage) -> None:
        asked = read(message.name, message.body, self._rules.known, self._rules.allows)
        if isinstance(asked, NotUnderstood):
            await self._refuse(message, asked)
            return
        with structlog.contextvars.bound_contextvars(command=asked.id, operation=message.name):
            await self._take(message, asked)

    async def _take(self, message: CommandMessage, asked: Asked) -> None:
        """Store, acknowledge, and answer."""
        by = "amqp" if message.user is None else f"amqp:{message.user}"
        try:
            submitted = await self._submit(Command(asked.body.operation, asked.id, asked.body.canonical, by))
        except KeyUsed:
            await self._refuse(message, NotUnderstood(_KEY_USED.reason, _KEY_USED.told, asked.id))
            return
        except RowRefused:
            await self._refuse(message, NotUnderstood(_REFUSED.reason, _REFUSED.told, asked.id))
            return
        if submitted is None:
            await self._queue.put_back(message)
            return
        await self._queue.acknowledge(message)
        log.info("command.stored", by=by, is_new=submitted.is_new)
        self._on_stored()
        if self._is_answered(message):
            standing = await self._outcome(submitted.standing)
            await self._reply(message, outcome(standing, is_new=submitted.is_new))

    async def _submit(self, command: Command) -> Submitted | None:
        """Store a command; None where the store was away for too long. Raises KeyUsed or RowRefused."""
        until = asyncio.get_running_loop().time() + self._pace.hold_s
        while True:
            try:
                return await self._commands.submit(command)
            except RowRefused:
                raise
            except KeyMissing:  # it was given before, and what came of it cannot be read any more
                return Submitted(_unreadable(command), is_new=False)
            except StoreError as error:
                self._away(error)
            if self._stop or asyncio.get_running_loop().time() >= until:
                return None
            await self._pause()

    def _away(self, error: StoreError) -> None:
        if not self._store_away:
            self._store_away = True
            log.warning("commands.store_lost", reason=str(error))
            self._bell.ring()

    async def _refuse(self, message: CommandMessage, why: NotUnderstood) -> None:
        """Bury what is not understood; where the sender waits, say why, once it is among the dead."""
        log.warning("command.refused", reason=why.reason, name=message.name[:64])
        if await self._bury(message, why) and self._is_answered(message):
            await self._reply(message, refusal(why))

    async def _bury(self, message: CommandMessage, why: NotUnderstood) -> bool:
        """Put a message among the dead; it is tried until it is there, or the message is not ours any more."""
        while self._queue.is_open:
            try:
                await self._queue.bury(message, why.reason)
            except BrokerError as error:
                log.warning("command.not_buried", reason=str(error))
            else:
                return True
            if self._stop:
                break
            await self._pause()
        return False

    # -- answering -----------------------------------------------------------------------------------------------------

    def _is_answered(self, message: CommandMessage) -> bool:
        if message.reply_to is None:
            return False
        may = may_reply(message, self._rules.reply_queues)
        if not may:
            log.warning("command.reply_not_allowed", advice="name the queue in BRIDGE_AMQP__REPLY_QUEUES")
        return may

    async def _outcome(self, standing: Standing) -> Standing:
        """Give how a command stands when it is over, or after a while, or as the process ends."""
        if standing.state.is_over or self._waiting >= self._pace.most_waiting:
            return standing
        self._waiting += 1
        waited = asyncio.create_task(within(self._commands, standing, self._pace.outcome_s))
        ending = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((waited, ending), timeout=self._pace.outcome_s, return_when=asyncio.FIRST_COMPLETED)
            return waited.result() if waited.done() else standing
        finally:
            self._waiting -= 1
            for task in (waited, ending):
                task.cancel()
            await asyncio.gather(waited, ending, return_exceptions=True)

    async def _reply(self, message: CommandMessage, body: bytes) -> None:
        """Answer, once; a broker that is away is waited for as long as nothing was sent."""
        until = asyncio.get_running_loop().time() + self._pace.reply_s
        while not self._queue.is_open and not self._stop and asyncio.get_running_loop().time() < until:
            await self._pause()
        try:
            await self._queue.reply(message, body)
        except BrokerError as error:
            log.warning("command.reply_lost", reason=str(error))

    async def _pause(self) -> None:
        """Wait a moment, or for the end."""
        bell = self._stop.bell()
        try:
            await bell.wait(self._pace.again_s)
        finally:
            self._stop.forget(bell)


def _unreadable(command: Command) -> Standing:
    told = "what came of it cannot be read any more"
    return Standing(command.operation, command.id, CommandState.unknown, Progress(), None, told, 0.0)
