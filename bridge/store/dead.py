"""Events that the broker will not have: looked at, and put back to what is to be published."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.model import Event
from bridge.store.database import Database, Transaction, marks
from bridge.store.outbox import EVENT, event

_FROM = (
    "outbox JOIN events ON events.position = outbox.position JOIN subjects ON subjects.id = events.subject_id"
    " WHERE outbox.state = 2"
)


@dataclass(frozen=True, slots=True)
class DeadEvents:
    """How many there are, and the oldest of them."""

    count: int
    oldest: tuple[Event, ...]


class SqlDeadEvents:
    """Reads the dead events of the outbox, and revives them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, most: int) -> DeadEvents:
        """Count them, and give the oldest."""
        return await self._database.read(lambda transaction: _look(transaction, most))

    def revive(self, transaction: Transaction, most: int | None = None) -> int:
        """Put the oldest back to what is to be published, as a part of a larger unit, and say how many those were."""
        limit = "" if most is None else f" LIMIT {most}"
        chosen = f"SELECT position FROM outbox WHERE state = 2 ORDER BY position{limit}"
        rows = transaction.run(
            "UPDATE outbox SET state = 0, published_at = NULL"
            f" WHERE state = 2 AND position IN ({chosen}) RETURNING partition"
        )
        names = sorted({f"relay/{row[0]}" for row in rows})
        if names:
            # Who publishes a partition is past them: another token makes it read the partition from the start again.
            transaction.run(f"UPDATE leases SET token = token + 1 WHERE name IN ({marks(names)})", names)
            transaction.notify("events")
        return len(rows)


def _look(transaction: Transaction, most: int) -> DeadEvents:
    count = transaction.run("SELECT count(*) FROM outbox WHERE state = 2")[0][0]
    rows = transaction.run(f"SELECT {EVENT} FROM {_FROM} ORDER BY outbox.position LIMIT ?", (most,))
    return DeadEvents(int(count), tuple(event(row) for row in rows))
