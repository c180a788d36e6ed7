"""A SQLite file: can it be written as the bridge writes it, and is there room on its disk."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from bridge.doctor.report import Check

NAME: Final = "database"
_SPACE: Final = "database/space"
_LITTLE: Final = 100_000_000
_BUSY_S: Final = 2.0
_ELSEWHERE: Final = "let the user that runs the bridge write there, or name another place in BRIDGE_DATABASE_URL"


def unwritable(path: Path) -> Check | None:
    """Find what keeps us from writing. SQLite keeps its log beside the file, so the folder counts, too."""
    folder = folder_of(path)
    for place in (folder, path) if path.exists() else (folder,):
        rights = os.W_OK | os.X_OK if place is folder else os.W_OK
        if not os.access(place, rights) or (place is folder) != place.is_dir():
            return Check(name=NAME, state="failed", told=f"{place} cannot be written", do=_ELSEWHERE)
    return None


def folder_of(path: Path) -> Path:
    return next(above for above in path.absolute().parents if above.exists())


def refusal(path: Path) -> Check | None:
    """Begin to write as the bridge does, and take it back; gives what kept us from it."""
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute("PRAGMA user_version = 0")
            finally:
                connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        return refused(path, error)
    return None


def refused(path: Path, error: sqlite3.Error) -> Check:
    """Say in words why the database took no write."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            told = f"is locked: another program has been writing for {_BUSY_S:g} s"
            advice = "end what holds it, such as a copy or an open `sqlite3`; meanwhile webhooks are answered with 503"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            told, advice = "is read-only", _ELSEWHERE
        case sqlite3.SQLITE_FULL:
            told, advice = "cannot grow: the disk is full", "make room on it"
        case sqlite3.SQLITE_CANTOPEN:
            told, advice = "cannot be opened for writing", _ELSEWHERE
        case _:
            told = f"takes no write: {error}"
            advice = "see that BRIDGE_DATABASE_URL names the bridge's own file; restore a backup where it is broken"
    return Check(name=NAME, state="failed", told=f"{path} {told}", do=advice)


def room(free: int) -> list[Check]:
    """Warn where the disk is nearly full; where it is not, there is nothing to tell."""
    if free >= _LITTLE:
        return []
    told = f"{free / 1_000_000:.0f} MB are free on the database's disk"
    return [Check(name=_SPACE, state="warning", told=told, do="make room: without any, webhooks are answered with 503")]
