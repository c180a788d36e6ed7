"""When the carrier's words were last compared with our table, and what was found."""

from __future__ import annotations

from typing import Final

from bridge.store.database import Transaction

_NAME: Final = "status_words/shipx"


def kept(transaction: Transaction) -> str | None:
    """Give what was found last, as it was written."""
    rows = transaction.run("SELECT value FROM meta WHERE name = ?", (_NAME,))
    return str(rows[0][0]) if rows else None


def keep(transaction: Transaction, found: str) -> None:
    """Keep what was found."""
    transaction.run(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_NAME, found),
    )
