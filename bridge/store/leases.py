"""Leases: what only one replica may do at a time, by the database's clock, fenced by a token that grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from bridge.model import micros, moment
from bridge.store.database import Database, Transaction, marks

LEASE = timedelta(seconds=8)


class SqlLeases:
    """Takes, renews and gives back leases for one holder."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder

    async def hold(self, names: Sequence[str]) -> Mapping[str, int]:
        """Take or renew what can be had of these names for eight seconds, and give the tokens of what is held."""
        return await self._database.write(lambda transaction: self._hold(transaction, names))

    async def release(self, names: Iterable[str]) -> None:
        """Give back, so that others need not wait for the end of the lease."""
        wanted = list(names)
        await self._database.write(
            lambda transaction: transaction.run(
                f"UPDATE leases SET expires_at = 0 WHERE holder = ? AND name IN ({marks(wanted)})",
                [self._holder, *wanted],
            )
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
            f" WHERE leases.holder = excluded.holder OR leases.expires_at <= {now}",
        )
        rows = transaction.run(
            f"SELECT name, token FROM leases WHERE holder = ? AND expires_at > ? AND name IN ({marks(names)})",
            [self._holder, now, *names],
        )
        return {row[0]: row[1] for row in rows}


def still_held(transaction: Transaction, holder: str, tokens: Mapping[str, int]) -> bool:
    """Say, inside the transaction that writes, whether every one of these leases is still the holder's own."""
    rows = transaction.run(
        f"SELECT name, token FROM leases WHERE holder = ? AND expires_at > ? AND name IN ({marks(list(tokens))})",
        [holder, transaction.now, *tokens],
    )
    return {row[0]: row[1] for row in rows} == dict(tokens)
