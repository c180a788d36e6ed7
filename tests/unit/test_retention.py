"""How fast old rows go: batches that take a few milliseconds, and rests many times as long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bridge.app.retaining import keep
from bridge.lifecycle import Stop
from bridge.observability import Metrics
from bridge.reconciling.retention import Pace, Retention
from bridge.settings import Retention as Kept
from bridge.store.pruning import TABLES, Batch, Cursor, Table

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PACE = Pace(batch_s=0.004, rests=0, shortest_rest_s=0, fewest=10, most=500)
"""Without rests; `most` is beyond what the rows of these tests allow, but for the fastest."""


class Rows:
    """A table whose rows take so long each; it says how many were looked at in each batch."""

    def __init__(self, rows: int, seconds: float) -> None:
        self._left = rows
        self._seconds = seconds
        self.limits: list[int] = []
        self.older_than: set[datetime] = set()

    async def prune(
        self, table: Table, older_than: datetime, after: Cursor, limit: int, tokens: Mapping[str, int]
    ) -> Batch:
        self.limits.append(limit)
        self.older_than.add(older_than)
        rows = min(limit, self._left)
        self._left -= rows
        return Batch(rows, None if rows < limit else after, rows * self._seconds)


class Held:
    """A lease that nobody else wants."""

    async def hold(self, names: Sequence[str]) -> Mapping[str, int]:
        return dict.fromkeys(names, 1)

    async def release(self, names: Sequence[str]) -> None: ...


async def swept(rows: Rows) -> list[int]:
    retention = Retention(
        store=rows,
        leases=Held(),
        keep={"events": timedelta(days=90)},
        metrics=Metrics(),
        clock=lambda: NOW,
        stop=Stop(),
        pace=PACE,
    )
    await retention.sweep()
    return rows.limits


@pytest.mark.parametrize(
    ("seconds", "expected", "remark"),
    [
        (0.00001, {160, 320}, "10 us each: batches settle where they take 2 to 4 ms"),
        (0.000001, {500}, "fast rows: the most at once is reached"),
        (0.01, {10}, "slow rows: never fewer than the fewest, or nothing would go at all"),
    ],
)
async def test_a_batch_grows_until_it_takes_a_few_milliseconds(seconds: float, expected: set[int], remark: str) -> None:
    limits = await swept(Rows(20_000, seconds))
    assert set(limits[len(limits) // 2 :]) <= expected, remark
    assert max(limits) <= PACE.most


async def test_what_is_old_is_older_than_it_is_kept_for() -> None:
    rows = Rows(5, 0)
    await swept(rows)
    assert rows.older_than == {NOW - timedelta(days=90)}


async def test_the_end_is_not_waited_for() -> None:
    stop = Stop()
    rows = Rows(1_000_000, 0)

    class Ending(Held):
        async def hold(self, names: Sequence[str]) -> Mapping[str, int]:
            stop.announce()
            return await super().hold(names)

    retention = Retention(
        store=rows,
        leases=Ending(),
        keep={"events": timedelta(days=90)},
        metrics=Metrics(),
        clock=lambda: NOW,
        stop=stop,
        pace=Pace(),
    )
    await retention.run()
    assert len(rows.limits) == 1


@pytest.mark.parametrize(
    ("deliveries", "events", "days"), [(30, 90, 90), (90, 30, 90), (90, 90, 90)], ids=["events", "deliveries", "both"]
)
def test_a_key_is_remembered_as_long_as_whichever_is_kept_longer(deliveries: int, events: int, days: int) -> None:
    kept = Kept(deliveries=timedelta(days=deliveries), events=timedelta(days=events))
    assert keep(kept)["commands"] == timedelta(days=days)
    assert keep(kept).keys() == set(TABLES)
