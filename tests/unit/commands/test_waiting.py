"""Waiting for a command: until its end, for a bounded time, and through a database that is away for a moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from bridge.commands import waiting
from bridge.commands.waiting import follow, within
from bridge.errors import StoreUnavailable
from bridge.model import CommandState, Progress, Standing
from bridge.store.commands import SqlCommands


def standing(state: CommandState) -> Standing:
    return Standing("op", "one", state, Progress(), None, None, 0.0)


WAITING, RUNNING, DONE = map(standing, (CommandState.waiting, CommandState.running, CommandState.done))
AWAY = StoreUnavailable("away")


class Looks:
    """Gives what is seen, look after look; the last for ever."""

    def __init__(self, *seen: Standing | StoreUnavailable) -> None:
        self.seen: Sequence[Standing | StoreUnavailable] = seen
        self.number = 0

    async def look(self, _operation: str, _key: str) -> Standing:
        found = self.seen[min(self.number, len(self.seen) - 1)]
        self.number += 1
        if isinstance(found, StoreUnavailable):
            raise found
        return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(waiting, "LOOK_S", 0)


async def followed(looks: Looks) -> list[Standing]:
    return [one async for one in follow(cast("SqlCommands", looks), WAITING)]


async def test_each_look_is_given_up_to_the_end() -> None:
    assert await followed(Looks(WAITING, RUNNING, RUNNING, DONE)) == [WAITING, WAITING, RUNNING, RUNNING, DONE]


async def test_what_is_over_is_not_looked_at_again() -> None:
    looks = Looks()
    assert [one async for one in follow(cast("SqlCommands", looks), DONE)] == [DONE]
    assert await within(cast("SqlCommands", looks), DONE, 10) == DONE
    assert looks.number == 0


async def test_a_database_that_is_away_for_a_moment_is_waited_for() -> None:
    assert await followed(Looks(RUNNING, AWAY, AWAY, DONE)) == [WAITING, RUNNING, DONE]


async def test_one_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_S", -1)
    with pytest.raises(StoreUnavailable):
        await followed(Looks(RUNNING, AWAY))


async def test_within_a_bounded_time_one_that_stays_away_leaves_what_was_seen_last() -> None:
    assert await within(cast("SqlCommands", Looks(RUNNING, AWAY)), WAITING, 0.01) == RUNNING


async def test_a_bounded_time_gives_what_is_known_by_then() -> None:
    assert await within(cast("SqlCommands", Looks(RUNNING, DONE)), WAITING, 10) == DONE
    assert await within(cast("SqlCommands", Looks(RUNNING)), WAITING, 0) == WAITING
