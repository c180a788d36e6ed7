"""How a command is handled: what a handler is given, and what it gives back.

It changes the database in steps, and with the last thing it does; each is one commit with the note of it, and counts
only as long as the command is in this hand. A handler opens no transaction of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from bridge.model import ClaimedCommand, Outcome, Progress
from bridge.store.database import Unit

T = TypeVar("T")


class Hand(Protocol):
    """Has the command, and may lose it to another one at any time."""

    async def step(self, write: Unit[T], progress: Callable[[T], Progress]) -> T:
        """Do a piece of the work in the database, in one commit with how far it has come then.

        Raises Interrupted before it has begun, LeaseLost when nothing of it counts, and StoreError; whoever goes on
        finds in `progress` whether it was done.
        """
        ...

    async def keep(self, write: Unit[T], progress: Callable[[T], Progress]) -> T:
        """Do the same with what was done elsewhere and cannot be had again: nothing but a lost command stops it.

        It is tried as long as the command is ours, also while the process ends. Raises LeaseLost.
        """
        ...

    async def report(self, progress: Progress) -> None:
        """Write down how far it has come with what is not in the database.

        Raises Interrupted or LeaseLost where it has to stop. What cannot be written down is done again by whoever goes
        on from what was.
        """
        ...


@dataclass(frozen=True, slots=True)
class Last:
    """The last piece of the work, in one commit with the end: what is written says what came of the command.

    `then` is called after the commit, with that.
    """

    write: Unit[Outcome]
    then: Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class Later:
    """Not the end: whoever takes it up after some time goes on from here, and until then it is in nobody's hand."""

    after: timedelta
    progress: Progress


Ending = Outcome | Last | Later
Handler = Callable[[ClaimedCommand, Hand], Awaitable[Ending]]
"""Carries out one command. What was noted of it, the next one finds in its `progress`."""
