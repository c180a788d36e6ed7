"""How long the work of a process that was killed lies about before others have it.

What it had in hand when it died is of four kinds; of each it is said here when it does not lie about any more:

    events      leases `relay/…`, parts of the outbox: another process holds it, for somebody always should
    accounts    leases `reconcile/…`, whose shipments or returns are asked about: the same
    commands    that run in its name: another process has it in hand or gave it back, or it ended; nothing else
                keeps a command that runs from being due once its lease is over
    purchases   that are live and leased to it: another process has it in hand, or it ended, or its lease is over and
                nobody has to take it now. That is so before it is due, and where the money is not in question: one
                that is wanted, was refused or was accepted stands in one line with all the others again, which may be
                long, and goes by deadline; whether windows are made is judged by what was bought

Nobody is late with what nobody hurries for: the lease `retention`, which is there for a moment in every minute, reads
of purchases that have ended, which wait for a hand to spare, and permits for calls, which end by themselves.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import psycopg

from bridge.lifecycle import utc_now
from bridge.model import micros
from bridge.store.outlook import LIVE
from tests.faults.books import Books

_LOOK_S: Final = 0.2
_LONGEST_S: Final = 60.0
_IN_QUESTION: Final = (
    "(state = 'intended' OR (state = 'doubt' AND coalesce(answer, '') NOT IN ('accepted', 'refused')))"
)
"""Money may be gone for it, and nobody knows."""


class Kind(StrEnum):
    """What a process has in hand, in the words of a report."""

    events = "events to publish"
    accounts = "accounts to ask about"
    commands = "commands"
    purchases = "purchases"


Work = tuple[Kind, str]
"""One thing in hand: of which kind, and its name."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """All of one kind that a process had, measured from the kill, while the database was there all the time."""

    at: float
    """On the monotonic clock."""
    seconds: float
    kind: Kind


class Remains:
    """What one process had in hand when it died, until others have it."""

    def __init__(self, killed: float, work: Iterable[Work]) -> None:
        self._killed = killed
        self._left = frozenset(work)

    def __bool__(self) -> bool:
        return bool(self._left)

    def look(self, at: float, lying: Set[Work]) -> list[Takeover]:
        """Take note of what lies about at a moment; gives the kinds of which nothing does any more.

        What did not lie about once is not watched any more: it may become due, and is nobody's remains then.
        """
        before = _kinds(self._left)
        self._left &= lying
        return [Takeover(self._killed, at - self._killed, kind) for kind in sorted(before - _kinds(self._left))]

    def give_up(self, at: float) -> list[Takeover]:
        """Wait no longer; gives what nobody has taken by now."""
        return self.look(at, frozenset())


class Takeovers:
    """Watches what was in hand after each kill."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._watching: set[asyncio.Task[None]] = set()
        self.measured: list[Takeover] = []

    def watch(self, pid: int) -> None:
        """Begin to watch, just after the process died."""
        task = asyncio.create_task(self._watch(f"{socket.gethostname()}-{pid}-", time.monotonic()))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def end(self) -> None:
        """Watch no more."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _watch(self, holder: str, killed: float) -> None:
        """Look until all is in other hands, as long as the database can tell."""
        try:
            remains = Remains(killed, await self._lying(holder))
            while remains and time.monotonic() - killed < _LONGEST_S:
                await asyncio.sleep(_LOOK_S)
                lying = await self._lying(holder)
                self.measured += remains.look(time.monotonic(), lying)
        except psycopg.Error:
            return
        self.measured += remains.give_up(time.monotonic())

    async def _lying(self, holder: str) -> frozenset[Work]:
        return await asyncio.to_thread(lying, self._books, holder, micros(utc_now()))


def lying(books: Books, holder: str, now: int) -> frozenset[Work]:
    """Give what is in a dead process's hand, or was and is in nobody's; `holder` is how its names begin."""
    named = f"holder LIKE '{holder}%'"
    free = f"held_until > 0 AND due_at <= {now} AND {_IN_QUESTION}"
    return frozenset(
        (Kind(kind), name)
        for kind, name in books.rows(
            f"SELECT '{Kind.events}', name FROM leases WHERE name LIKE 'relay/%' AND {named}"
            f" UNION ALL SELECT '{Kind.accounts}', name FROM leases WHERE name LIKE 'reconcile/%' AND {named}"
            f" UNION ALL SELECT '{Kind.commands}', operation || ' ' || id FROM commands"
            f" WHERE state = 'running' AND {named}"
            f" UNION ALL SELECT '{Kind.purchases}', organization || '/' || shipment FROM purchases"
            f" WHERE {LIVE} AND {named} AND (held_until > {now} OR ({free}))"
        )
    )


def _kinds(work: Iterable[Work]) -> set[Kind]:
    return {kind for kind, _ in work}
