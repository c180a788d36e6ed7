"""What is known of each shipment: every event counts once, and nothing goes back."""

import sqlite3
from pathlib import Path


class State:
    """The last status by subject, the ids of all events that were taken, and how far a feed was read."""

    def __init__(self, path: str | Path) -> None:
        self._kept = sqlite3.connect(path)
        self._kept.executescript("""
            CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY);
            CREATE TABLE IF NOT EXISTS statuses (subject TEXT PRIMARY KEY, sequence TEXT, status TEXT);
            CREATE TABLE IF NOT EXISTS place (cursor TEXT);
        """)

    def take(self, event: dict, cursor: str | None = None) -> bool:
        """Say whether an event changed a status; one commit covers its id, what follows, and the cursor after it."""
        with self._kept:
            is_new = self._kept.execute("INSERT OR IGNORE INTO seen VALUES (?)", (event["id"],)).rowcount == 1
            if cursor is not None:
                self._kept.execute("DELETE FROM place")
                self._kept.execute("INSERT INTO place VALUES (?)", (cursor,))
            return is_new and self._apply(event)

    def cursor(self) -> str | None:
        """Say how far the feed was read; None: not at all."""
        row = self._kept.execute("SELECT cursor FROM place").fetchone()
        return row[0] if row else None

    def _apply(self, event: dict) -> bool:
        if event["type"] != "bridge.shipment.status_changed.v1" or not event["data"]["current"]:
            return False
        done = self._kept.execute(
            "INSERT INTO statuses VALUES (?, ?, ?) ON CONFLICT (subject) DO UPDATE"
            " SET sequence = excluded.sequence, status = excluded.status WHERE excluded.sequence > sequence",
            (event["subject"], event["sequence"], event["data"]["tracking_status"]),
        )
        return done.rowcount == 1
