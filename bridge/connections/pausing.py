"""Pausing a connection and resuming it: the same, whichever edge asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
from pydantic_core import to_jsonable_python

from bridge.commands.models import PauseConnection, Report, ResumeConnection, done, rejected
from bridge.connections.words import document
from bridge.model import ClaimedCommand, Outcome
from bridge.store.connections import Seen, SqlConnections

log = structlog.get_logger()

_REASON: Final = "operator"


class Pausing:
    """Pauses and resumes. `on_resumed` wakes the buyer."""

    def __init__(self, connections: SqlConnections, on_resumed: Callable[[], None]) -> None:
        self._connections = connections
        self._on_resumed = on_resumed

    async def pause(self, name: str, by: str) -> Seen | None:
        """Buy nothing on a connection from now on, in any replica; None where there is none of this name."""
        seen = await self._connections.pause(name, reason=_REASON, by=by)
        if seen is not None:
            log.warning("connection.paused", connection=name, reason=_REASON, by=by)
        return seen

    async def resume(self, name: str, by: str) -> Seen | None:
        """Buy again on a connection; None where there is none of this name."""
        seen = await self._connections.resume(name)
        if seen is not None:
            log.info("connection.resumed", connection=name, by=by)
            self._on_resumed()
        return seen

    async def carry_out_pause(self, claimed: ClaimedCommand, _report: Report) -> Outcome:
        """Carry out the command `connections.pause`. Raises Unreadable."""
        asked = PauseConnection.read(claimed.body)
        return _outcome(asked.name, await self.pause(asked.name, claimed.given_by))

    async def carry_out_resume(self, claimed: ClaimedCommand, _report: Report) -> Outcome:
        """Carry out the command `connections.resume`. Raises Unreadable."""
        asked = ResumeConnection.read(claimed.body)
        return _outcome(asked.name, await self.resume(asked.name, claimed.given_by))


def _outcome(name: str, seen: Seen | None) -> Outcome:
    return rejected(f"there is no connection {name}") if seen is None else done(**to_jsonable_python(document(seen)))
