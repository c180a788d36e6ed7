"""Leases: what only one replica may do at a time, by the database's clock, fenced by a token that grows.

Many names of one kind can be shared: every live replica gets its fair part, whoever has more is told how much it should
give back, and what a dead one held is taken when its time is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bridge.model import micros, moment
from bridge.store.database import Database, Row, Transaction, marks

LEASE = timedelta(seconds=8)
_NEVER_SO_LONG = 2 * LEASE
"""A lease that ends later than that is one of before the database's clock was set back, and as good as over."""
_FORGOTTEN = timedelta(hours=1)
"""After which a replica that is gone is not remembered any more."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a replica holds (tokens by name), and how many of them it should give back.

    `seconds` is when the next one of the others may be free; None where nobody else holds any.
    """

    tokens: Mapping[str, int] = field(default_factory=dict)
    surplus: int = 0
    seconds: float | None = None


class SqlLeases:
    """Takes, renews and gives back leases for one holder."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder

    async def hold(self, names: Sequence[str]) -> Mapping[str, int]:
        """Take or renew what can be had of these names for eight seconds, and give the tokens of what is held."""
        return await self._database.write(lambda transaction: self._hold(transaction, names))

    async def share(self, group: str, names: Sequence[str]) -> Share:
        """Renew what is held of these names, and take free ones up to a fair part among the group's live replicas."""
        return await self._database.write(lambda transaction: self._share(transaction, group, names))

    async def leave(self, group: str, names: Sequence[str]) -> None:
        """Give back everything, and count as a replica of the group no more."""
        await self.release([*names, self._member(group)])

    async def release(self, names: Iterable[str]) -> None:
        """Give back, so that others need not wait for the end of the lease."""
        wanted = list(names)
        if not wanted:
            return
        await self._database.write(
            lambda transaction: transaction.run(
                f"UPDATE leases SET expires_at = 0 WHERE holder = ? AND name IN ({marks(wanted)})",
                [self._holder, *wanted],
            )
        )

    def _member(self, group: str) -> str:
        return f"{group}@{self._holder}"

    def _share(self, transaction: Transaction, group: str, names: Sequence[str]) -> Share:
        now = transaction.now
        until = micros(moment(now) + LEASE)
        fair = -(-len(names) // self._members(transaction, group, now, until))
        held = transaction.run(
            "UPDATE leases SET expires_at = ?"
            f" WHERE holder = ? AND expires_at > ? AND name IN ({marks(names)}) RETURNING name, token",
            [until, self._holder, now, *names],
        )
        if len(held) < fair:
            held += self._take(transaction, names, fair - len(held), now, until)
        next_free = transaction.run(
            f"SELECT min(expires_at) FROM leases WHERE holder <> ? AND expires_at > ? AND name IN ({marks(names)})",
            [self._holder, now, *names],
        )[0][0]
        seconds = None if next_free is None else (next_free - now) / 1_000_000
        return Share(dict(held), max(len(held) - fair, 0), seconds)

    def _members(self, transaction: Transaction, group: str, now: int, until: int) -> int:
        """Count the live replicas of a group, this one among them, and forget those that are long gone."""
        transaction.run(
            "INSERT INTO leases (name, holder, token, expires_at) VALUES (?, ?, 1, ?)"
            " ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at",
            (self._member(group), self._holder, until),
        )
        like = self._member(group).removesuffix(self._holder) + "%"
        transaction.run(
            "DELETE FROM leases WHERE name LIKE ? AND expires_at < ?", (like, micros(moment(now) - _FORGOTTEN))
        )
        rows = transaction.run(
            "SELECT count(*) FROM leases WHERE name LIKE ? AND expires_at > ? AND expires_at <= ?",
            (like, now, _latest(now)),
        )
        return int(rows[0][0])

    def _take(self, transaction: Transaction, names: Sequence[str], most: int, now: int, until: int) -> list[Row]:
        """Take up to so many that nobody holds."""
        known = transaction.run(f"SELECT count(*) FROM leases WHERE name IN ({marks(names)})", names)[0][0]
        if known < len(names):
            rows = [(name, "", 0, 0) for name in sorted(names)]
            transaction.insert("leases (name, holder, token, expires_at)", rows, tail="ON CONFLICT (name) DO NOTHING")
        free = transaction.run(
            f"SELECT name FROM leases WHERE (expires_at <= ? OR expires_at > ?) AND name IN ({marks(names)})"
            f" ORDER BY name LIMIT ? {transaction.skip_locked('leases')}",
            [now, _latest(now), *names, most],
        )
        if not free:
            return []
        return transaction.run(
            "UPDATE leases SET holder = ?, token = token + 1, expires_at = ?"
            f" WHERE name IN ({marks(free)}) RETURNING name, token",
            [self._holder, until, *(row[0] for row in free)],
        )

    def _hold(self, transaction: Transaction, names: Sequence[str]) -> dict[str, int]:
        now = transaction.now
        until = micros(moment(now) + LEASE)
        transaction.insert(
            "leases (name, holder, token, expires_at)",
            [(name, self._holder, 1, until) for name in sorted(names)],
            tail="ON CONFLICT (name) DO UPDATE SET"
            " token = leases.token + CASE WHEN leases.holder = excluded.holder"
            f" AND leases.expires_at > {now} THEN 0 ELSE 1 END,"
            " holder = excluded.holder, expires_at = excluded.expires_at"
            f" WHERE leases.holder = excluded.holder OR leases.expires_at <= {now}"
            f" OR leases.expires_at > {_latest(now)}",
        )
        rows = transaction.run(
            f"SELECT name, token FROM leases WHERE holder = ? AND expires_at > ? AND name IN ({marks(names)})",
            [self._holder, now, *names],
        )
        return {row[0]: row[1] for row in rows}


def _latest(now: int) -> int:
    """Give the latest end that a lease can have."""
    return now + _NEVER_SO_LONG // timedelta(microseconds=1)


def still_held(transaction: Transaction, holder: str, tokens: Mapping[str, int]) -> bool:
    """Say, inside the transaction that writes, whether every one of these leases is still the holder's own."""
    ours = transaction.among("name", list(tokens))
    rows = transaction.run(
        f"SELECT name, token FROM leases WHERE holder = ? AND expires_at > ? AND {ours.sql}",
        [holder, transaction.now, *ours.parameters],
    )
    return {row[0]: row[1] for row in rows} == dict(tokens)
