"""Identity (e): per organization and day, the shipments bought at the carrier are those of the ledger.

The carrier's side are facts: a shipment was confirmed, as a webhook says or a read of ours found, or a read showed its
purchase. The ledger's side are purchases that succeeded, ours and adopted ones. What is still in hand will be settled
by reads, and is no difference for as long as that can take by design; later it is one, whatever the carrier told. What
a webhook alone says is in hand until it was looked into, and where no read showed it, is nobody's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from bridge.model import OrganizationId, moment
from bridge.store.audit.budgets import Reserved
from bridge.store.audit.report import MOST_EXAMPLES, Example, Findings, Identity, Purchases
from bridge.store.audit.scope import DAY, Piece, Scope
from bridge.store.database import Row, Transaction
from bridge.store.purchase import ADOPTED, ADOPTED_UNREAD

_SAYS: Final = "per organization and day, shipments bought at the carrier = succeeded + adopted in the ledger"
_MISSING: Final = "shipments bought at the carrier that the ledger does not have"
_UNSEEN: Final = "purchases of the ledger that the carrier never told of"
_UNFINISHED: Final = "unfinished purchases"
UNFINISHED_AFTER: Final = timedelta(minutes=15)
"""How long after its window a purchase may still be wanted, and after its call and the settling in doubt.

What cannot be read is given up 10 minutes after its window, at the first look after that; a carrier can put a look off
by 2 minutes, and the look itself takes a call. The rest is for a bridge that is being restarted.
"""
_UNKNOWN: Final = "unknown"
"""The day of a shipment whose event was deleted for its age."""
_Day = tuple[str, OrganizationId]


@dataclass(slots=True)
class Ledger:
    """Adds up piece after piece, by day and organization. `settle` is over how long a purchase in doubt is read."""

    scope: Scope
    settle: timedelta
    bought: Counter[_Day] = field(default_factory=Counter)
    missing: Counter[_Day] = field(default_factory=Counter)
    in_hand: int = 0
    findings: Findings = field(default_factory=Findings)

    def add(self, transaction: Transaction, piece: Piece) -> None:
        """Take in the shipments of one piece that the carrier told of as bought."""
        chosen = _BOUGHT.format(chosen=piece.sql)
        values = (*piece.values, self.scope.since, self.scope.position)
        is_complete = True
        for source, standing, day, n in transaction.run(f"{chosen} {_BY_STANDING}", values):
            if standing == _IN_HAND:
                self.in_hand += int(n)
            elif standing == _KNOWN:
                self.bought[_date(day), _organization(source)] += int(n)
            elif standing != _NOT_SHOWN:
                is_complete = False
        if not is_complete:
            self._note_missing(transaction.run(f"{chosen} {_NOT_IN_LEDGER}", (*piece.values, self.scope.position)))

    def close(self, transaction: Transaction, reserved: Reserved) -> tuple[Identity, tuple[Purchases, ...]]:
        """Compare with the ledger, and give the identity and its days; `reserved` is what stands in the budgets."""
        ledger: dict[_Day, tuple[int, int]] = {
            (_date(day), organization): (int(all_) - int(adopted), int(adopted))
            for organization, day, all_, adopted in transaction.run(_LEDGER, (self.scope.since,))
        }
        if any(sum(found) != self.bought[day] for day, found in ledger.items()):
            self._note_unseen(transaction)
        self._note_unfinished(transaction)
        self.findings.add(*reserved.wrong)
        days = tuple(
            Purchases(*day, self.bought[day] + self.missing[day], *ledger.get(day, (0, 0)))
            for day in sorted({*self.bought, *self.missing, *ledger})
        )
        figures = {
            "bought": sum(day.bought for day in days),
            "succeeded": sum(day.succeeded for day in days),
            "adopted": sum(day.adopted for day in days),
            "in hand": self.in_hand,
            "reserved": reserved.n,
        }
        return Identity("e", _SAYS, figures, self.findings.differences), days

    def _note_missing(self, rows: Sequence[Row]) -> None:
        """Each under the day on which the carrier told of it, where that is still known."""
        found = [(row[0], row[1], row[2] or "none", _UNKNOWN if row[3] is None else _date(row[3])) for row in rows]
        self.missing.update((day, _organization(source)) for source, _, _, day in found)
        examples = [_example(_organization(source), name, day, state) for source, name, state, day in found]
        self.findings.add(_MISSING, len(rows), examples)

    def _note_unseen(self, transaction: Transaction) -> None:
        n = int(transaction.run(f"SELECT count(*) {_NOT_TOLD}", (self.scope.since,))[0][0])
        rows = transaction.run(
            f"SELECT organization, shipment, updated_at / {DAY}, coalesce(reason, 'succeeded') {_NOT_TOLD}"
            " ORDER BY organization, shipment LIMIT ?",
            (self.scope.since, MOST_EXAMPLES),
        )
        examples = [_example(row[0], f"shipment/{row[1]}", _date(row[2]), row[3]) for row in rows]
        self.findings.add(_UNSEEN, n, examples)

    def _note_unfinished(self, transaction: Transaction) -> None:
        """Find what should have ended, however old it is: nobody works on it, or nobody can tell what became of it."""
        overdue = self.scope.now - (self.settle + UNFINISHED_AFTER) // timedelta(microseconds=1)
        n = int(transaction.run(f"SELECT count(*) {_OVERDUE}", (overdue,))[0][0])
        rows = transaction.run(
            f"SELECT organization, shipment, state, {_ENDS} {_OVERDUE} ORDER BY 4, 1, 2 LIMIT ?",
            (overdue, MOST_EXAMPLES),
        )
        examples: list[Example] = [
            {
                "organization": row[0],
                "subject": f"shipment/{row[1]}",
                "state": row[2],
                "since": moment(row[3]).isoformat(),
            }
            for row in rows
        ]
        self.findings.add(_UNFINISHED, n, examples)


def _example(organization: int, subject: str, day: str, state: str) -> Example:
    return {"organization": organization, "subject": subject, "day": day, "state": state}


def _organization(source: str) -> OrganizationId:
    return OrganizationId(int(source.rpartition("/")[2]))


def _date(day: int) -> str:
    """Write a day that was counted from 1970 on."""
    return (date(1970, 1, 1) + timedelta(days=int(day))).isoformat()


_TOLD_BY: Final = "('shipment.confirmed', 'shipment.purchase_succeeded')"
_LIVE: Final = "('wanted', 'intended', 'doubt', 'steered')"
_ENDS: Final = "CASE WHEN state = 'wanted' THEN deadline ELSE coalesce(left_by, deadline) END"
_OVERDUE: Final = f"FROM purchases WHERE state IN {_LIVE} AND {_ENDS} < ?"
_KNOWN, _IN_HAND, _NOT_SHOWN, _NOT_KNOWN = "known", "in_hand", "not_shown", "missing"
_STANDING: Final = (
    f"CASE WHEN purchases.state = 'succeeded' THEN '{_KNOWN}'"
    f" WHEN purchases.state IN {_LIVE} THEN '{_IN_HAND}' WHEN purchases.said_at IS NULL THEN '{_NOT_KNOWN}'"
    f" WHEN purchases.look_at IS NULL THEN '{_NOT_SHOWN}' ELSE '{_IN_HAND}' END"
)
_BOUGHT: Final = f"""WITH chosen AS ({{chosen}}), bought AS (
 SELECT chosen.source, chosen.name, (SELECT min(facts.position) FROM facts
  WHERE facts.subject_id = chosen.id AND facts.type IN {_TOLD_BY}) AS position
 FROM chosen WHERE substr(chosen.source, 1, 7) = '/shipx/' AND substr(chosen.name, 1, 9) = 'shipment/')"""
_PURCHASE: Final = (
    "LEFT JOIN purchases ON purchases.organization = CAST(substr(bought.source, 8) AS BIGINT)"
    " AND purchases.shipment = CAST(substr(bought.name, 10) AS BIGINT)"
)
_BY_STANDING: Final = (
    f"SELECT bought.source, {_STANDING}, purchases.updated_at / {DAY}, count(*) FROM bought {_PURCHASE}"
    " WHERE bought.position IS NOT NULL AND"
    " CASE WHEN purchases.state = 'succeeded' THEN purchases.updated_at >= ? ELSE bought.position > ? END"
    " GROUP BY 1, 2, 3"
)
_NOT_IN_LEDGER: Final = (
    f"SELECT bought.source, bought.name, purchases.state, events.recorded_at / {DAY} FROM bought {_PURCHASE}"
    " LEFT JOIN events ON events.position = bought.position"
    f" WHERE {_STANDING} = '{_NOT_KNOWN}' AND bought.position > ? ORDER BY bought.position"
)
_LEDGER: Final = (
    f"SELECT organization, updated_at / {DAY}, count(*),"
    f" count(CASE WHEN reason IN ('{ADOPTED}', '{ADOPTED_UNREAD}') THEN 1 END)"
    " FROM purchases WHERE state = 'succeeded' AND updated_at >= ? GROUP BY 1, 2"
)
_NOT_TOLD: Final = (
    "FROM purchases LEFT JOIN subjects ON subjects.source = '/shipx/' || CAST(purchases.organization AS TEXT)"
    " AND subjects.name = 'shipment/' || CAST(purchases.shipment AS TEXT)"
    " WHERE purchases.state = 'succeeded' AND purchases.updated_at >= ? AND NOT EXISTS"
    f" (SELECT 1 FROM facts WHERE facts.subject_id = subjects.id AND facts.type IN {_TOLD_BY})"
)
