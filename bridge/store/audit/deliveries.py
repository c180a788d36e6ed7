"""Identity (a): every delivery older than a minute has a verdict; and what the webhooks of each day were answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from bridge.model import DeliveryState, OrganizationId, moment
from bridge.store.audit.report import MOST_EXAMPLES, Counted, Example, Findings, Identity
from bridge.store.audit.scope import DAY, Scope, Watch
from bridge.store.database import EVERYTHING, Row, Transaction

_SAYS: Final = "every delivery older than 60 s has a verdict"
_ROWS: Final = 50_000
_WAITS: Final = "(state = ? OR verdict IS NULL)"
_IS_LATE: Final = "coalesce(reopened_at, received_at) < ?"
_INSIDE: Final = "(received_at, id) > (?, ?) AND (received_at, id) <= (?, ?)"
_Cursor = tuple[int, str]
_Window = tuple[_Cursor, _Cursor]


def verdicts(transaction: Transaction, scope: Scope, watch: Watch) -> Identity:
    """Go through the deliveries in the order in which they came."""
    figures = dict.fromkeys(("deliveries", "repeats", "done", "failed", "waiting", "without a verdict"), 0)
    findings = Findings()
    for window in _windows(transaction, scope, watch):
        row = _sum(transaction, scope, window)
        for name, n in zip(figures, row, strict=True):
            figures[name] += int(n)
        if row[-1]:
            findings.add("deliveries without a verdict", int(row[-1]), _late(transaction, scope, window))
    forgotten, examples = _forgotten(transaction, scope)
    figures["without a verdict"] += forgotten
    findings.add("deliveries without a verdict", forgotten, examples)
    return Identity("a", _SAYS, figures | {"pruned": scope.pruned["deliveries"].rows}, findings.differences)


def _forgotten(transaction: Transaction, scope: Scope) -> tuple[int, list[Example]]:
    """Find what came before the time that is looked at and still waits: it is late, however old it is."""
    waiting = f"FROM deliveries WHERE state = 0 AND received_at < ? AND {_IS_LATE}"
    values = (scope.since, scope.late)
    rows = transaction.run(
        f"SELECT id, organization, received_at {waiting} ORDER BY received_at LIMIT ?", (*values, MOST_EXAMPLES)
    )
    return int(transaction.run(f"SELECT count(*) {waiting}", values)[0][0]), [_example(row) for row in rows]


def counters(transaction: Transaction, scope: Scope) -> tuple[Counted, ...]:
    """Read the day's counters: accepted, duplicate, parked, refused."""
    since = date(1970, 1, 1) + timedelta(days=scope.since // DAY)
    days: dict[tuple[str, int], dict[str, int]] = {}
    for day, organization, name, n in transaction.run(
        "SELECT day, organization, name, n FROM tallies WHERE day >= ? ORDER BY day, organization, name",
        (since.isoformat(),),
    ):
        days.setdefault((day, organization), {})[name] = n
    return tuple(Counted(day, OrganizationId(organization), found) for (day, organization), found in days.items())


def _windows(transaction: Transaction, scope: Scope, watch: Watch) -> Iterator[_Window]:
    """Cut the deliveries into windows of so many, each between two cursors."""
    after: _Cursor = (scope.since, "")
    first = None
    while after[0] < EVERYTHING:
        rows = transaction.run(
            "SELECT received_at, id FROM deliveries WHERE (received_at, id) > (?, ?)"
            " ORDER BY received_at, id LIMIT 1 OFFSET ?",
            (*after, _ROWS - 1),
        )
        until: _Cursor = (rows[0][0], rows[0][1]) if rows else (EVERYTHING, "")
        yield after, until
        first = until[0] if first is None else first
        watch("deliveries", min((until[0] - first) / max(scope.now - first, 1), 1))
        after = until


def _sum(transaction: Transaction, scope: Scope, window: _Window) -> Row:
    done, failed, pending = DeliveryState.done, DeliveryState.failed, DeliveryState.pending
    rows = transaction.run(
        "SELECT count(*), coalesce(sum(repeats), 0), count(CASE WHEN state = ? THEN 1 END),"
        f" count(CASE WHEN state = ? THEN 1 END), count(CASE WHEN {_WAITS} AND NOT {_IS_LATE} THEN 1 END),"
        f" count(CASE WHEN {_WAITS} AND {_IS_LATE} THEN 1 END) FROM deliveries WHERE {_INSIDE}",
        (done, failed, pending, scope.late, pending, scope.late, *window[0], *window[1]),
    )
    return rows[0]


def _late(transaction: Transaction, scope: Scope, window: _Window) -> list[Example]:
    rows = transaction.run(
        f"SELECT id, organization, received_at FROM deliveries WHERE {_WAITS} AND {_IS_LATE} AND {_INSIDE}"
        " ORDER BY received_at, id LIMIT ?",
        (DeliveryState.pending, scope.late, *window[0], *window[1], MOST_EXAMPLES),
    )
    return [_example(row) for row in rows]


def _example(row: Row) -> Example:
    return {"delivery": row[0], "organization": row[1], "received_at": moment(row[2]).isoformat()}
