"""What waits and what is open, as the gauges show it, on both databases."""

from __future__ import annotations

from datetime import timedelta

from bridge.observability import Metrics
from bridge.store import doubtful_returns
from bridge.store.database import Database
from bridge.store.doubtful_returns import Doubt
from bridge.store.gauges import SqlGauges
from tests.contract.store.wants import NOW, SECOND, Wants


async def shown(database: Database) -> dict[str, float | None]:
    """Give the gauges of purchases by their states, and for how long the oldest has been in doubt."""
    metrics = Metrics()
    (await SqlGauges(database).measure(NOW)).show(metrics)
    states = ("wanted", "intended", "doubt", "held")
    value = metrics.registry.get_sample_value
    found = {state: value("bridge_purchases_open", {"state": state}) for state in states}
    return {**found, "oldest": value("bridge_purchases_doubt_oldest_seconds")}


async def test_with_nothing_bought_every_gauge_of_purchases_is_there_and_zero(database: Database) -> None:
    assert await shown(database) == {"wanted": 0, "intended": 0, "doubt": 0, "held": 0, "oldest": 0}


async def test_purchases_are_counted_by_state_and_held_ones_while_they_can_be_approved_in_time(
    database: Database,
) -> None:
    wants = Wants(database)
    left_by = int((NOW - timedelta(seconds=90)).timestamp()) * SECOND
    await wants.want(1, 2)
    await wants.want(3, state="intended")
    await wants.want(4, state="doubt", left_by=left_by)
    await wants.want(5, state="doubt", left_by=left_by + 60 * SECOND)
    await wants.want(6, state="held")
    await wants.want(7, left=-1, state="held")
    await wants.want(8, state="expired")
    assert await shown(database) == {"wanted": 2, "intended": 1, "doubt": 2, "held": 1, "oldest": 90}


async def test_returns_that_nobody_knows_of_are_counted(database: Database) -> None:
    metrics = Metrics()
    one = Doubt("a" * 32, "inpost_returns/main", NOW - timedelta(days=30), NOW, None)
    await database.write(lambda it: doubtful_returns.begin(it, one))
    (await SqlGauges(database).measure(NOW)).show(metrics)
    assert metrics.registry.get_sample_value("bridge_returns_in_doubt") == 1
