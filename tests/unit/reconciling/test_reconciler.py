"""Rounds are made by whoever holds the lease, again and again, and stop when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from bridge.errors import StoreUnavailable
from bridge.lifecycle import Stop
from bridge.reconciling.reconciler import Reconciler, Round
from bridge.store.leases import LEASE

OURS, THEIRS = "1", "inpost_returns/main"


class Leases:
    """Gives the lease of one name, or cannot say."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.released: list[str] = []
        self.is_away = is_away

    async def hold(self, names: Sequence[str]) -> Mapping[str, int]:
        if self.is_away:
            raise StoreUnavailable("gone")
        return {f"reconcile/{OURS}": 1}

    async def release(self, names: Sequence[str]) -> None:
        self.released += names


async def made(leases: Leases, *, fails: bool = False) -> list[str]:
    """Run until five rounds were made, or a moment has passed without any."""
    rounds, _ = await ran(leases, [OURS, THEIRS], fails=fails)
    return rounds


async def ran(leases: Leases, names: Sequence[str], *, fails: bool = False) -> tuple[list[str], Reconciler]:
    """Run as long; gives the rounds, and the reconciler as it was in the end."""
    stop, rounds = Stop(), list[str]()

    def round_of(name: str) -> Round:
        async def make() -> None:
            rounds.append(name)
            if len(rounds) == 5:
                stop.announce()
            if fails:
                raise StoreUnavailable("gone")

        return Round("round", 0.001, make)

    reconciler = Reconciler(leases, {one: [round_of(one)] for one in names}, stop)
    asyncio.get_running_loop().call_later(0.5, stop.announce)
    await asyncio.wait_for(reconciler.run(), 5)
    return rounds, reconciler


async def test_rounds_are_made_where_the_lease_is_ours_and_it_is_given_back() -> None:
    leases = Leases()
    assert await made(leases) == [OURS] * 5
    assert leases.released == ["reconcile/1", "reconcile/inpost_returns/main"]


async def test_a_round_that_the_database_refuses_is_made_again() -> None:
    assert await made(Leases(), fails=True) == [OURS] * 5


async def test_without_the_database_nothing_is_ours() -> None:
    assert await made(Leases(is_away=True)) == []


async def test_what_another_process_holds_is_had_within_ten_seconds_of_its_end() -> None:
    for names, longest in (([OURS, THEIRS], 10 - LEASE.total_seconds()), ([OURS], LEASE.total_seconds())):
        _, reconciler = await ran(Leases(), names)
        assert reconciler.next_look < longest
