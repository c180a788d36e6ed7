"""Identities (b), (c), (d): facts and events are one to one, numbered without gaps, and the broker has them all.

All three follow the events of each subject, piece by piece, by indexes that hold no bodies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bridge.store.audit.report import MOST_EXAMPLES, Example, Findings, Identity
from bridge.store.audit.scope import Piece, Scope
from bridge.store.database import EVERYTHING, Row, Transaction
from bridge.store.outbox import DEAD, PENDING, PUBLISHED

_FIGURES: Final = (
    *("subjects", "facts", "facts of pruned events", "events"),
    *("published", "pending", "dead", "not for the broker"),
    *("lost", "untold", "shared", "misnumbered", "stranded"),
)
"""What is summed up over a piece; the last five are what does not add up."""
_LOST: Final = "facts whose event is gone, not for its age"
_UNTOLD: Final = "events without a fact"
_SHARED: Final = "events of several facts"
_UNEXPLAINED: Final = "facts whose event is gone, beside those deleted for their age"
_HOMELESS_FACTS: Final = "facts of no subject"
_HOMELESS_EVENTS: Final = "events of no subject"
_MISNUMBERED: Final = "subjects whose events are not numbered 1..n"
_STRANDED: Final = "events that are neither published nor pending nor dead"
_EVENTLESS: Final = "places in the outbox without an event"


@dataclass(slots=True)
class Books:
    """Adds up piece after piece."""

    scope: Scope
    figures: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_FIGURES, 0))
    facts: Findings = field(default_factory=Findings)
    numbers: Findings = field(default_factory=Findings)
    outbox: Findings = field(default_factory=Findings)

    def add(self, transaction: Transaction, piece: Piece) -> None:
        """Take in one piece; where something in it does not add up, look for what."""
        row = transaction.run(
            _SUM.format(chosen=piece.sql),
            (*piece.values, self.scope.pruned["events"].until, *[self.scope.start] * 5),
        )[0]
        found = dict(zip(_FIGURES, map(int, row), strict=True))
        for name, n in found.items():
            self.figures[name] += n
        for findings, kind, what in (
            (self.facts, "lost", _LOST),
            (self.facts, "untold", _UNTOLD),
            (self.facts, "shared", _SHARED),
            (self.numbers, "misnumbered", _MISNUMBERED),
            (self.outbox, "stranded", _STRANDED),
        ):
            if found[kind]:
                findings.add(what, found[kind], self._examples(transaction, piece, kind))

    def close(self, transaction: Transaction) -> tuple[Identity, Identity, Identity]:
        """Compare with what is there in all, and give the three identities."""
        if self.scope.is_all:
            self._compare(transaction)
        self._eventless(transaction)
        figures, pruned = self.figures, self.scope.pruned["events"].rows
        kept = {name: figures[name] for name in ("facts", "events")} | {"pruned": pruned}
        told = {name: figures[name] for name in ("subjects", "events")} | {"pruned": pruned}
        sent = {name: figures[name] for name in ("published", "pending", "dead", "not for the broker")}
        return (
            Identity("b", "facts and events are one to one", kept, self.facts.differences),
            Identity("c", "the events of every subject are numbered 1..n", told, self.numbers.differences),
            Identity("d", _says(self.scope), sent, self.outbox.differences),
        )

    def _compare(self, transaction: Transaction) -> None:
        """Find what belongs to no subject, and what is gone without being counted as deleted for its age."""
        facts, events = (int(transaction.run(f"SELECT count(*) FROM {one}")[0][0]) for one in ("facts", "events"))
        self.facts.add(_HOMELESS_FACTS, facts - self.figures["facts"])
        if more := events - self.figures["events"]:
            rows = transaction.run(f"SELECT id, position {_OF_NO_SUBJECT} LIMIT ?", (MOST_EXAMPLES,))
            self.numbers.add(_HOMELESS_EVENTS, more, [{"event": row[0], "position": row[1]} for row in rows])
        missing = self.figures["facts of pruned events"] - self.scope.pruned["events"].rows
        self.facts.add(_UNEXPLAINED, max(missing, 0))

    def _eventless(self, transaction: Transaction) -> None:
        """Find places in the outbox without an event; all of them only where the numbers say that there are some."""
        if self.scope.is_all and self._outbox_rows(transaction) == self._placed():
            return
        where = f"{_NO_EVENT} AND outbox.position > ?"
        n = int(transaction.run(f"SELECT count(*) {where}", (self.scope.position,))[0][0])
        if n:
            rows = transaction.run(
                f"SELECT outbox.position, outbox.state {where} ORDER BY outbox.position LIMIT ?",
                (self.scope.position, MOST_EXAMPLES),
            )
            self.outbox.add(_EVENTLESS, n, [{"position": row[0], "state": row[1]} for row in rows])

    def _outbox_rows(self, transaction: Transaction) -> int:
        return int(transaction.run("SELECT count(*) FROM outbox")[0][0])

    def _placed(self) -> int:
        return sum(self.figures[name] for name in ("published", "pending", "dead", "not for the broker"))

    def _examples(self, transaction: Transaction, piece: Piece, kind: str) -> Sequence[Example]:
        names, sql = _EXAMPLES[kind]
        extra = {
            "lost": (self.scope.pruned["events"].until,),
            "misnumbered": (self.scope.pruned["events"].until, *[self.scope.start] * 5),
            "stranded": (self.scope.start,),
        }.get(kind, ())
        rows = transaction.run(sql.format(chosen=piece.sql), (*piece.values, *extra, MOST_EXAMPLES))
        return [_example(names, row) for row in rows]


def _says(scope: Scope) -> str:
    if scope.start == EVERYTHING:
        return "no broker was ever configured: every event is in the feed alone"
    return "every event is published, pending or dead"


def _example(names: Sequence[str], row: Row) -> Example:
    return dict(zip(names, row, strict=True))


_CHOSEN: Final = "WITH chosen AS ({chosen})"
# A cross join keeps SQLite from going through all rows for each piece; the plus keeps it from looking events up by
# their position, which would read every body.
_TOLD: Final = """told AS (
 SELECT facts.subject_id AS id, count(*) AS facts, count(events.position) AS kept,
  count(DISTINCT events.position) AS events,
  count(CASE WHEN events.position IS NULL AND facts.position <= ? THEN 1 END) AS pruned
 FROM chosen CROSS JOIN facts
 LEFT JOIN events ON events.subject_id = facts.subject_id AND +events.position = facts.position
 WHERE facts.subject_id = chosen.id GROUP BY facts.subject_id)"""
_MADE: Final = f"""made AS (
 SELECT events.subject_id AS id, count(*) AS events, min(events.sequence) AS first, max(events.sequence) AS last,
  count(CASE WHEN events.position > ? AND outbox.state = {PUBLISHED} THEN 1 END) AS published,
  count(CASE WHEN events.position > ? AND outbox.state = {PENDING} THEN 1 END) AS pending,
  count(CASE WHEN events.position > ? AND outbox.state = {DEAD} THEN 1 END) AS dead,
  count(CASE WHEN events.position <= ? AND outbox.position IS NOT NULL THEN 1 END) AS others,
  count(CASE WHEN events.position > ?
   AND coalesce(outbox.state, -1) NOT IN ({PENDING}, {PUBLISHED}, {DEAD}) THEN 1 END) AS stranded
 FROM chosen CROSS JOIN events
 LEFT JOIN outbox ON outbox.position = events.position
 WHERE events.subject_id = chosen.id GROUP BY events.subject_id)"""
_JOINED: Final = "FROM chosen LEFT JOIN told ON told.id = chosen.id LEFT JOIN made ON made.id = chosen.id"
_IS_MISNUMBERED: Final = """(CASE WHEN made.events IS NULL THEN chosen.sequence = coalesce(told.pruned, 0)
 ELSE made.last = chosen.sequence AND made.events = made.last - made.first + 1
  AND (made.first = 1 OR made.first - 1 = coalesce(told.pruned, 0)) END)"""
_SUM: Final = f"""{_CHOSEN}, {_TOLD}, {_MADE}
 SELECT count(*), coalesce(sum(told.facts), 0), coalesce(sum(told.pruned), 0), coalesce(sum(made.events), 0),
  coalesce(sum(made.published), 0), coalesce(sum(made.pending), 0), coalesce(sum(made.dead), 0),
  coalesce(sum(made.others), 0), coalesce(sum(told.facts - told.kept - told.pruned), 0),
  coalesce(sum(coalesce(made.events, 0) - coalesce(told.events, 0)), 0), coalesce(sum(told.kept - told.events), 0),
  count(CASE WHEN NOT {_IS_MISNUMBERED} THEN 1 END), coalesce(sum(made.stranded), 0) {_JOINED}"""
_SUBJECT: Final = "chosen.source, chosen.name"
_EXAMPLES: Final = {
    "lost": (
        ("source", "subject", "type", "position"),
        f"{_CHOSEN} SELECT {_SUBJECT}, facts.type, facts.position"
        " FROM chosen CROSS JOIN facts"
        " LEFT JOIN events ON events.subject_id = facts.subject_id AND +events.position = facts.position"
        " WHERE facts.subject_id = chosen.id AND events.position IS NULL AND facts.position > ?"
        " ORDER BY facts.position LIMIT ?",
    ),
    "untold": (
        ("event", "source", "subject", "sequence"),
        f"{_CHOSEN} SELECT events.id, {_SUBJECT}, events.sequence"
        " FROM chosen CROSS JOIN events"
        " LEFT JOIN facts ON facts.subject_id = events.subject_id AND facts.position = events.position"
        " WHERE events.subject_id = chosen.id AND facts.position IS NULL ORDER BY events.position LIMIT ?",
    ),
    "shared": (
        ("source", "subject", "position", "facts"),
        f"{_CHOSEN} SELECT {_SUBJECT}, facts.position, count(*)"
        " FROM chosen CROSS JOIN facts WHERE facts.subject_id = chosen.id"
        f" GROUP BY {_SUBJECT}, facts.position HAVING count(*) > 1 ORDER BY facts.position LIMIT ?",
    ),
    "misnumbered": (
        ("source", "subject", "last_given", "first", "last", "events"),
        f"{_CHOSEN}, {_TOLD}, {_MADE} SELECT {_SUBJECT}, chosen.sequence, made.first, made.last, made.events"
        f" {_JOINED} WHERE NOT {_IS_MISNUMBERED} ORDER BY chosen.id LIMIT ?",
    ),
    "stranded": (
        ("event", "source", "subject", "sequence", "state"),
        f"{_CHOSEN} SELECT events.id, {_SUBJECT}, events.sequence, outbox.state"
        " FROM chosen CROSS JOIN events LEFT JOIN outbox ON outbox.position = events.position"
        " WHERE events.subject_id = chosen.id AND events.position > ?"
        f" AND coalesce(outbox.state, -1) NOT IN ({PENDING}, {PUBLISHED}, {DEAD})"
        " ORDER BY events.position LIMIT ?",
    ),
}
"""How to find some of what does not add up, and what its columns are."""
_OF_NO_SUBJECT: Final = (
    "FROM events LEFT JOIN subjects ON subjects.id = events.subject_id WHERE subjects.id IS NULL ORDER BY position"
)
_NO_EVENT: Final = "FROM outbox LEFT JOIN events ON events.position = outbox.position WHERE events.position IS NULL"
