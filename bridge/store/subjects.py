"""Subjects by their names: they are few sources' many, and the index begins with the source."""

from __future__ import annotations

from typing import Final

from bridge.store.database import Transaction


def named(transaction: Transaction, name: str) -> dict[str, int]:
    """Give the subjects of a name, by their source: from one source to the next, however many subjects there are."""
    return {source: subject for source, subject in transaction.run(_NAMED, (name,)) if subject is not None}


# Not a join: for that, a SQLite that was analyzed reads the whole index into a filter.
_NAMED: Final = """WITH RECURSIVE sources (source) AS (
 SELECT min(source) FROM subjects
 UNION ALL SELECT (SELECT min(subjects.source) FROM subjects WHERE subjects.source > sources.source)
 FROM sources WHERE sources.source IS NOT NULL)
 SELECT source, (SELECT id FROM subjects WHERE subjects.source = sources.source AND subjects.name = ?) FROM sources"""
