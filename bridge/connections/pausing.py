"""Pausing a connection and resuming it: the same, whichever edge asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic_core import to_jsonable_python

from bridge.commands.handling import Hand, Last
from bridge.commands.models import PauseConnection, ResumeConnection, done, rejected
from bridge.connections.document import document
from bridge.model import ClaimedCommand, CommandState, Outcome
from bridge.store.connections import Seen, SqlConnections
from bridge.store.database import Database, Unit

log = structlog.get_logger()

_REASON: Final = "operator"


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to be written about a connection (None: there is none of this name), and what follows the commit."""

    name: str
    write: Unit[Seen | None]
    then: Callable[[], None]


class Pausing:
    """Pauses and resumes. `on_resumed` wakes the buyer."""

    def __init__(self, database: Database, connections: SqlConnections, on_resumed: Callable[[], None]) -> None:
        self._database = database
        self._connections = connections
        self._on_resumed = on_resumed

    async def pause(self, name: str, by: str) -> Seen | None:
        """Buy nothing on a connection from now on, in any replica; None where there is none of this name."""
        return await self._make(self._pausing(name, by))

    async def resume(self, name: str, by: str) -> Seen | None:
        """Buy again on a connection; None where there is none of this name."""
        return await self._make(self._resuming(name, by))

    async def carry_out_pause(self, claimed: ClaimedCommand, _hand: Hand) -> Last:
        """Carry out the command `connections.pause`. Raises Unreadable."""
        return _last(self._pausing(PauseConnection.read(claimed.body).name, claimed.given_by))

    async def carry_out_resume(self, claimed: ClaimedCommand, _hand: Hand) -> Last:
        """Carry out the command `connections.resume`. Raises Unreadable."""
        return _last(self._resuming(ResumeConnection.read(claimed.body).name, claimed.given_by))

    async def _make(self, change: _Change) -> Seen | None:
        seen = await self._database.write(change.write)
        if seen is not None:
            change.then()
        return seen

    def _pausing(self, name: str, by: str) -> _Change:
        return _Change(
            name,
            lambda transaction: self._connections.pause(transaction, name, reason=_REASON, by=by),
            lambda: log.warning("connection.paused", connection=name, reason=_REASON, by=by),
        )

    def _resuming(self, name: str, by: str) -> _Change:
        def then() -> None:
            log.info("connection.resumed", connection=name, by=by)
            self._on_resumed()

        return _Change(name, lambda transaction: self._connections.resume(transaction, name), then)


def _last(change: _Change) -> Last:
    """Make a change the last thing that a command does."""

    def then(outcome: Outcome) -> None:
        if outcome.state is CommandState.done:
            change.then()

    return Last(lambda transaction: _outcome(change.name, change.write(transaction)), then)


def _outcome(name: str, seen: Seen | None) -> Outcome:
    return rejected(f"there is no connection {name}") if seen is None else done(**to_jsonable_python(document(seen)))
