"""Which shipments came of which command: each of one item of one command alone."""

from __future__ import annotations

from datetime import timedelta

from bridge.model import OrganizationId, ShipmentId
from bridge.store import creations
from bridge.store.database import ManagedDatabase
from tests.unit.dispatch.making import OURS, T0

FIRST, SECOND = ShipmentId(3900000017), ShipmentId(3900000018)


async def join(
    database: ManagedDatabase, command: str, made: dict[int, ShipmentId], organization: OrganizationId = OURS
) -> dict[int, ShipmentId]:
    return await database.write(lambda it: creations.join(it, organization, command, made, T0))


async def test_a_shipment_belongs_to_whoever_was_first(database: ManagedDatabase) -> None:
    assert await join(database, "one", {0: FIRST}) == {0: FIRST}
    assert await join(database, "two", {0: FIRST, 1: SECOND}) == {1: SECOND}
    assert await join(database, "three", {0: FIRST}, OrganizationId(4822)) == {0: FIRST}
    assert await database.read(lambda it: creations.of_command(it, "one", T0)) == {0: FIRST}
    assert await database.read(lambda it: creations.of_command(it, "two", T0)) == {1: SECOND}
    assert await database.read(lambda it: creations.among(it, OURS, [FIRST, SECOND, ShipmentId(1)])) == {FIRST, SECOND}
    assert await database.read(lambda it: creations.among(it, OURS, [])) == set()


async def test_what_a_key_made_long_ago_is_not_what_it_is_given_for_now(database: ManagedDatabase) -> None:
    await join(database, "one", {0: FIRST})
    later = T0 + timedelta(days=100)
    assert await database.read(lambda it: creations.of_command(it, "one", later)) == {}
    await database.write(lambda it: creations.join(it, OURS, "one", {0: SECOND}, later))
    assert await database.read(lambda it: creations.of_command(it, "one", later)) == {0: SECOND}
