"""The journal: what was read, concluded, asked for and ordered about a purchase, in the transaction of that step.

By allow-list: words of ours and of the carrier's tables, numbers, nothing that a person could be known by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from bridge.model import OfferId, OrganizationId, ShipmentId, micros, moment
from bridge.store.database import Row, Transaction

What = Literal["read", "call", "edit", "person"]
"""What the step came from: a read, the call that buys, one that has offers made anew, or an order of `holder`."""


@dataclass(frozen=True, slots=True)
class Note:
    """What was just seen or done. `result` says in a word what followed from a read, or how a call ended."""

    what: What
    result: str
    before: str
    """The state of the purchase until then."""
    reason: str | None = None
    carrier_status: str | None = None
    payments: tuple[str, ...] = ()
    """Each payment that was seen, as number, state and reason: `17:failure:insufficient_funds`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A step of a purchase. The same thing once more is counted: `times`, the last one at `last_at`."""

    organization: OrganizationId
    shipment: ShipmentId
    at: datetime
    last_at: datetime
    times: int
    note: Note
    after: str
    offer: OfferId | None
    reason: str | None
    cause: str | None
    holder: str
    together: int = 1
    """How many purchases were intended in the same commit: so many are asked for by one call."""


def write(transaction: Transaction, entry: Entry) -> None:
    """Add a step, or count it where nothing changed: a purchase may be in doubt for days."""
    if entry.note.before == entry.after and _counted(transaction, entry):
        return
    note = entry.note
    row = (
        *(entry.organization, entry.shipment, micros(entry.at), micros(entry.last_at)),
        *(note.what, note.result, note.before, entry.after, entry.offer, entry.reason),
        *(note.carrier_status, ",".join(note.payments), entry.cause, entry.holder),
    )
    transaction.insert(f"journal ({_WRITTEN})", [row])


def entries(transaction: Transaction, organization: OrganizationId, shipment: ShipmentId) -> list[Entry]:
    """Read the steps of a shipment's purchase, the oldest first."""
    rows = transaction.run(
        f"SELECT {_WRITTEN}, times, {_TOGETHER} FROM journal WHERE organization = ? AND shipment = ? ORDER BY id",
        (organization, shipment),
    )
    return list(_with_calls([_entry(row) for row in rows]))


_WRITTEN = (
    "organization, shipment, at, last_at, what, result, state_before, state_after, offer_id, reason,"
    " carrier_status, payments, cause, holder"
)
_NEAR: Final = 1000
"""Ids of one commit lie closer together than this, also where several commit at once."""
# A plus keeps SQLite from taking the index of an organization, which has all of its steps.
_TOGETHER: Final = (
    "CASE WHEN state_after = 'intended' THEN (SELECT count(*) FROM journal AS one"
    f" WHERE one.id BETWEEN journal.id - {_NEAR} AND journal.id + {_NEAR} AND +one.organization = journal.organization"
    " AND one.at = journal.at AND one.holder = journal.holder AND one.state_after = 'intended') ELSE 1 END"
)


def _with_calls(steps: Sequence[Entry]) -> Iterator[Entry]:
    """Say of each call how many it asked for: as many as were intended right before it."""
    together = 1
    for step in steps:
        together = step.together if step.after == "intended" else together
        yield replace(step, together=together) if step.note.what == "call" else step


def _counted(transaction: Transaction, entry: Entry) -> bool:
    """Count the same step once more, if it was the last one."""
    note = entry.note
    rows = transaction.run(
        "UPDATE journal SET times = times + 1, last_at = ? WHERE id ="
        " (SELECT max(id) FROM journal WHERE organization = ? AND shipment = ?)"
        " AND what = ? AND result = ? AND state_before = ? AND state_after = ? AND payments = ?"
        " AND coalesce(offer_id, 0) = ? AND coalesce(reason, '') = ? AND coalesce(carrier_status, '') = ?"
        " AND coalesce(cause, '') = ? RETURNING id",
        (
            *(micros(entry.last_at), entry.organization, entry.shipment),
            *(note.what, note.result, note.before, entry.after, ",".join(note.payments)),
            *(entry.offer or 0, entry.reason or "", note.carrier_status or "", entry.cause or ""),
        ),
    )
    return bool(rows)


def _entry(row: Row) -> Entry:
    reason, payments = row[9], tuple(filter(None, row[11].split(",")))
    note = Note(row[4], row[5], row[6], reason, row[10], payments)
    return Entry(
        *(row[0], row[1], moment(row[2]), moment(row[3]), row[14], note),
        *(row[7], row[8], reason, row[12], row[13], row[15]),
    )
