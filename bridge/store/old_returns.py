"""Returns that ended long ago, and their labels: found and deleted, with all that is sealed of them.

In the caller's transaction. One that is under way, or that nobody knows of, is never old.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.store import spare_codes
from bridge.store.database import Row, Transaction, marks

_ENDED: Final = (
    "(returns.state IN ('failed', 'cancelled')"
    " OR returns.state = 'created' AND returns.moved_at IS NOT NULL AND returns.due_at IS NULL)"
)
"""Of one that was made, nothing more is asked."""
_TOLD_SINCE: Final = (
    "EXISTS (SELECT 1 FROM subjects JOIN events ON events.subject_id = subjects.id"
    " WHERE subjects.source = '/' || returns.connection AND subjects.name = 'return/' || returns.id"
    " AND events.recorded_at >= ?)"
)


def look(transaction: Transaction, older_than: int, after: tuple[int, str], limit: int) -> list[Row]:
    """Look at returns that were asked for before a moment: when each was, its id, and whether it goes.

    It goes when it has ended, and nothing was told of it since that moment.
    """
    return transaction.run(
        f"SELECT returns.begun_at, returns.id, {_ENDED} AND NOT {_TOLD_SINCE} FROM returns"
        " WHERE returns.begun_at < ? AND (returns.begun_at, returns.id) > (?, ?)"
        f" ORDER BY returns.begun_at, returns.id LIMIT ? {transaction.skip_locked('returns')}",
        (older_than, older_than, *after, limit),
    )


def look_at_labels(transaction: Transaction, older_than: int, after: tuple[int, str], limit: int) -> list[Row]:
    """Look at labels that came before a moment: when each did, its return, and whether it goes: that has ended."""
    return transaction.run(
        f"SELECT created_at, id, {_ENDED} FROM returns"
        " WHERE label_format IS NOT NULL AND created_at < ? AND (created_at, id) > (?, ?)"
        f" ORDER BY created_at, id LIMIT ? {transaction.skip_locked('returns')}",
        (older_than, *after, limit),
    )


def kept(transaction: Transaction, ids: Sequence[str]) -> set[str]:
    """Say which of these returns are kept here."""
    rows = transaction.run(f"SELECT id FROM returns WHERE id IN ({marks(ids)})", ids) if ids else []
    return {id_ for (id_,) in rows}


def delete(transaction: Transaction, ids: Sequence[str]) -> None:
    """Forget returns, and the codes that were made in advance for them; one of which nothing was made is free again."""
    spare_codes.forget(transaction, ids)
    _unseal(transaction, [name for id_ in ids for name in _owned(id_)])
    transaction.run(f"DELETE FROM returns WHERE id IN ({marks(ids)})", ids)


def delete_labels(transaction: Transaction, ids: Sequence[str]) -> None:
    """Forget the labels of returns: the provider may still have them."""
    _unseal(transaction, [f"return/{id_}/label" for id_ in ids])
    transaction.run(f"UPDATE returns SET label_format = NULL WHERE id IN ({marks(ids)})", ids)


def _owned(id_: str) -> tuple[str, ...]:
    """Name all that is sealed of a return."""
    return f"return/{id_}", f"return/{id_}/label", f"return/{id_}/handover"


def _unseal(transaction: Transaction, owners: Sequence[str]) -> None:
    transaction.run(f"DELETE FROM sealed WHERE owner IN ({marks(owners)})", owners)
