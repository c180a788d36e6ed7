"""Leases: one holder at a time, fair parts, and what a dead replica held goes to the living."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bridge.store.database import Database
from bridge.store.leases import LEASE, Share, SqlLeases, still_held

NAMES = [f"relay/{number}" for number in range(64)]


async def share(database: Database, holder: str, names: Sequence[str] = NAMES) -> Share:
    return await SqlLeases(database, holder).share("relay", names)


async def die(database: Database, holder: str) -> None:
    """Let all leases of a holder be over, as if it had not renewed them for eight seconds."""
    await database.write(lambda it: it.run("UPDATE leases SET expires_at = 1 WHERE holder = ?", (holder,)))


async def test_one_alone_holds_everything(database: Database) -> None:
    first = await share(database, "one")
    again = await share(database, "one")
    assert (set(first.tokens), first.surplus, first.seconds) == (set(NAMES), 0, None)
    assert again == first, "renewing is no change of hands"


async def test_a_second_one_gets_its_part_as_the_first_gives_it_back(database: Database) -> None:
    await share(database, "one")
    late = await share(database, "two")
    assert (late.tokens, late.surplus) == ({}, 0)
    assert late.seconds is not None
    assert 0 < late.seconds <= LEASE.total_seconds()
    early = await share(database, "one")
    assert (len(early.tokens), early.surplus) == (64, 32)
    given = sorted(early.tokens)[:32]
    await SqlLeases(database, "one").release(given)
    taken = await share(database, "two")
    assert set(taken.tokens) == set(given)
    assert all(taken.tokens[name] == early.tokens[name] + 1 for name in given)
    assert (await share(database, "one")).surplus == 0


async def test_three_that_come_together_have_disjoint_parts_that_cover_all(database: Database) -> None:
    for _ in range(3):
        shares = await asyncio.gather(*(share(database, holder) for holder in ("one", "two", "three")))
        for holder, found in zip(("one", "two", "three"), shares, strict=True):
            await SqlLeases(database, holder).release(sorted(found.tokens)[: found.surplus])
    shares = await asyncio.gather(*(share(database, holder) for holder in ("one", "two", "three")))
    held = [name for found in shares for name in found.tokens]
    assert sorted(held) == sorted(NAMES)
    assert sorted(len(found.tokens) for found in shares) == [20, 22, 22]


async def test_what_a_dead_one_held_is_taken_and_its_token_is_worth_nothing(database: Database) -> None:
    dead = await share(database, "dead")
    await die(database, "dead")
    living = await share(database, "living")
    assert set(living.tokens) == set(NAMES)
    assert not await database.read(lambda it: still_held(it, "dead", dead.tokens))
    assert await database.read(lambda it: still_held(it, "living", living.tokens))


async def test_a_lease_from_before_the_clock_was_set_back_keeps_nobody_away(database: Database) -> None:
    await share(database, "before")
    await SqlLeases(database, "before").hold(["alone"])
    await database.write(lambda it: it.run("UPDATE leases SET expires_at = expires_at + 3600000000"))
    found = await share(database, "after")
    assert (set(found.tokens), found.surplus) == (set(NAMES), 0)
    assert set(await SqlLeases(database, "after").hold(["alone"])) == {"alone"}


async def test_who_leaves_is_counted_no_more(database: Database) -> None:
    await share(database, "one")
    await share(database, "two")
    await SqlLeases(database, "two").leave("relay", NAMES)
    assert (await share(database, "one")).surplus == 0


async def test_a_replica_that_is_long_gone_is_forgotten(database: Database) -> None:
    await share(database, "gone")
    await die(database, "gone")
    await share(database, "one")
    rows = await database.read(lambda it: it.run("SELECT name FROM leases WHERE name LIKE 'relay@%'"))
    assert rows == [("relay@one",)]
