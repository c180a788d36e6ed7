"""Decisions: kept with what they were made from, the last one of each organization given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bridge.model import IntentId, OrganizationId, ShipmentId
from bridge.store import decisions
from bridge.store.database import Database
from bridge.store.decisions import Decided, SqlDecisions

NOW = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
SHIPMENT = ShipmentId(10**18 - 1)
ONE = Decided(OrganizationId(4821), SHIPMENT, NOW, IntentId("intent"), "0" * 64, '{"decision": "buy"}')


async def write(database: Database, *those: Decided) -> None:
    for one in those:
        await database.write(lambda transaction, one=one: decisions.write(transaction, one))  # type: ignore[misc] # bound


async def test_there_is_none_before_one_is_written(database: Database) -> None:
    assert await SqlDecisions(database).latest(SHIPMENT) == []


async def test_a_decision_is_read_as_it_was_written(database: Database) -> None:
    await write(database, ONE)
    assert await SqlDecisions(database).latest(SHIPMENT) == [ONE]


async def test_the_last_one_of_each_organization_is_given(database: Database) -> None:
    later = replace(ONE, at=NOW + timedelta(microseconds=1), intent=None, policy_sha256="1" * 64)
    others = replace(ONE, organization=OrganizationId(10**18 - 1))
    elsewhere = replace(ONE, shipment=ShipmentId(1))
    await write(database, later, ONE, others, elsewhere)
    assert await SqlDecisions(database).latest(SHIPMENT) == [later, others]


async def test_of_two_at_the_same_moment_the_later_one_is_kept(database: Database) -> None:
    again = replace(ONE, intent=IntentId("another"), body="{}")
    await write(database, ONE, again)
    assert await SqlDecisions(database).latest(SHIPMENT) == [again]
