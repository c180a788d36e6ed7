"""A permit in this process's hand: good for one call, and only for so long. Before it stands a wish."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from bridge.lifecycle import Clock
from bridge.limits.connection import LEASE_S, Outcome, Purpose, Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """When the database was asked: by the clock that nobody sets back, and by the one that runs while we sleep."""

    time: float
    at: datetime


class Permit:
    """A place and a turn. It is reckoned from before it was asked for, so it ends here before it ends there."""

    def __init__(self, token: int, asked: Asked, *, is_probe: bool, clock: Clock) -> None:
        self.token = token
        self.is_probe = is_probe
        self.outcome = Outcome(Verdict.unused)
        self._asked = asked
        self._clock = clock
        self._until = asked.time + LEASE_S
        self._call: asyncio.Timeout | None = None

    def in_time(self) -> asyncio.Timeout:
        """Bound the call, which begins now: it ends when the place is not ours any more."""
        self.outcome = Outcome(Verdict.unknown)
        self._call = asyncio.timeout_at(self._until)
        return self._call

    def ran_out(self) -> bool:
        """Say whether no request may leave any more. To renew it keeps the place, and changes nothing about this."""
        elapsed = asyncio.get_running_loop().time() - self._asked.time
        passed = (self._clock() - self._asked.at).total_seconds()
        return max(elapsed, passed) >= LEASE_S

    def extend(self, asked: Asked) -> None:
        """Keep the place for longer, as was asked for then."""
        self._until = asked.time + LEASE_S
        if self._call is not None:
            with suppress(RuntimeError):  # the call has ended, or not begun
                self._call.reschedule(self._until)


@dataclass(order=True, slots=True)
class Wish:
    """Somebody who waits: in the order of purposes, then of arrival."""

    purpose: Purpose
    number: int
    latest: float = field(compare=False)
    granted: asyncio.Future[Permit] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Used:
    """A permit on its way back."""

    token: int
    outcome: Outcome
    at: float
