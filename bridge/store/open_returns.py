"""Returns that are asked about, for as long as anything is expected of them: what was seen of each, and the next look.

Whoever makes returns writes nothing here: `enter` finds those that are made. All in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from bridge.events import published
from bridge.events.returned import NOTHING_SEEN, ReturnState
from bridge.events.statuses import ReturnStatus
from bridge.model import OrganizationId, micros, moment
from bridge.store.database import Row, Transaction
from bridge.store.returns import State

NOTICE: Final = timedelta(days=2)
"""So long before it expires it is told that there is little time left."""
UNSENT: Final = (ReturnStatus.created, ReturnStatus.accepted)
"""Where nothing was dropped off yet."""

_LATE: Final = timedelta(minutes=15)
"""So long after it was made a return comes in late: what a platform learned is read once more for no longer."""
_AT_ONCE: Final = 1000
"""So many are written by one statement: SQLite takes 32,766 parameters."""

Key = Literal["id", "provider_reference", "tracking_number"]
"""By what a provider's rows are known to be those of returns of ours."""


@dataclass(frozen=True, slots=True)
class OpenReturn:
    """A return as rounds see it; nothing that is sealed. What has ended has no `due_at`, and may still have news.

    `since` is the earliest that its provider may have it from: a code made in advance is older than the return.
    """

    id: str
    connection: str
    organization: OrganizationId | None
    state: State
    since: datetime
    created_at: datetime
    moved_at: datetime
    provider_reference: str | None = None
    tracking_number: str | None = None
    expires_at: datetime | None = None
    label_format: str | None = None
    has_code: bool | None = None
    due_at: datetime | None = None
    label_due_at: datetime | None = None
    expiry_due_at: datetime | None = None
    looked_at: datetime | None = None
    seen: ReturnState = NOTHING_SEEN


def enter(
    transaction: Transaction, connection: str, now: datetime, after: timedelta, limit: int, *, has_labels: bool
) -> int:
    """Take in some of the returns that were made since, to be asked about so long after that; gives how many.

    One that comes in late, for it was in doubt, is asked about at once: what was told of it meanwhile was of nobody.
    `has_labels`: their labels may be had later.
    """
    label_due = f"CASE WHEN label_format IS NULL THEN {micros(now)} END" if has_labels else "NULL"
    made_at = "coalesce(created_at, begun_at)"
    entered = transaction.run(
        f"UPDATE returns SET moved_at = {made_at}, expiry_due_at = expires_at - ?,"
        f" due_at = CASE WHEN {made_at} < ? THEN {micros(now)} ELSE {made_at} + ? END,"
        f" label_due_at = {label_due} WHERE id IN (SELECT id FROM returns"
        " WHERE connection = ? AND state = 'created' AND moved_at IS NULL LIMIT ?) RETURNING id",
        (_span(NOTICE), micros(now - _LATE), _span(after), connection, limit),
    )
    return len(entered)


def are_entering(transaction: Transaction, connection: str) -> bool:
    """Say whether returns were made that no round knows of."""
    sql = "SELECT 1 FROM returns WHERE connection = ? AND state = 'created' AND moved_at IS NULL LIMIT 1"
    return bool(transaction.run(sql, (connection,)))


def due(transaction: Transaction, connection: str, by: datetime, limit: int) -> list[OpenReturn]:
    """Give returns to ask about, the longest overdue first."""
    return _found(transaction, "connection = ? AND due_at <= ? ORDER BY due_at LIMIT ?", connection, micros(by), limit)


def oldest(transaction: Transaction, connection: str) -> datetime | None:
    """Say when the oldest open return was begun; None where none is open."""
    sql = "SELECT min(begun_at) FROM returns WHERE connection = ? AND due_at IS NOT NULL"
    begun_at = transaction.run(sql, (connection,))[0][0]
    return None if begun_at is None else moment(begun_at)


def labels_due(transaction: Transaction, connection: str, now: datetime, limit: int) -> list[OpenReturn]:
    """Give returns whose labels are to be fetched."""
    where = "connection = ? AND label_due_at <= ? ORDER BY label_due_at LIMIT ?"
    return _found(transaction, where, connection, micros(now), limit)


def expiring(transaction: Transaction, connection: str, now: datetime, limit: int) -> list[OpenReturn]:
    """Give returns of which it is time to tell that little of it is left."""
    where = "connection = ? AND expiry_due_at <= ? ORDER BY expiry_due_at LIMIT ?"
    return _found(transaction, where, connection, micros(now), limit)


def find(transaction: Transaction, connection: str, key: Key, values: Collection[str]) -> list[OpenReturn]:
    """Give the returns that a provider has, by one of their names; what is none that a return can have is passed over.

    One that was made during a round, and is not taken in yet, is for the next round. The provider's rows are of
    everybody's returns, and PostgreSQL takes no text with a NUL, or half a character.
    """
    names = sorted(one for one in values if published.word(one))
    if not names:
        return []
    those = transaction.among(key, names)
    known = "connection = ? AND (state = 'cancelled' OR state = 'created' AND moved_at IS NOT NULL) AND "
    return _found(transaction, f"{known}{those.sql} ORDER BY id", connection, *those.parameters)


def seen(transaction: Transaction, id_: str) -> ReturnState:
    """Give what was seen of a return."""
    rows = transaction.run("SELECT history FROM returns WHERE id = ? AND history IS NOT NULL", (id_,))
    return ReturnState.load(rows[0][0]) if rows else NOTHING_SEEN


def save(transaction: Transaction, one: OpenReturn) -> None:
    """Write down what was seen of a return."""
    transaction.run(
        "UPDATE returns SET state = ?, return_status = ?, tracking_number = ?, expires_at = ?, has_code = ?,"
        " history = ?, due_at = ?, label_due_at = ?, expiry_due_at = ?, moved_at = ?, looked_at = ? WHERE id = ?",
        (
            one.state,
            one.seen.status.value,
            one.tracking_number,
            _micros(one.expires_at),
            None if one.has_code is None else int(one.has_code),
            one.seen.dump(),
            _micros(one.due_at),
            _micros(one.label_due_at),
            _micros(one.expiry_due_at),
            micros(one.moved_at),
            _micros(one.looked_at),
            one.id,
        ),
    )


def looked(transaction: Transaction, looks: Iterable[tuple[OpenReturn, datetime | None]]) -> None:
    """Write down when to ask next about returns that were asked about; None where nothing is expected any more.

    What was written since they were read stays: whoever wrote it looked, too.
    """
    rows = [(one.id, _micros(one.due_at), _micros(at)) for one, at in looks]
    for start in range(0, len(rows), _AT_ONCE):
        given = transaction.given(("text", "bigint", "bigint"), rows[start : start + _AT_ONCE])
        transaction.run(
            f"UPDATE returns SET due_at = column3 FROM {given.sql} WHERE id = column1 AND due_at = column2",
            given.parameters,
        )


def put_label_off(transaction: Transaction, id_: str, until: datetime | None) -> None:
    """Fetch a label later, or not at all; one that is not to be fetched any more stays so."""
    sql = "UPDATE returns SET label_due_at = ? WHERE id = ? AND label_due_at IS NOT NULL"
    transaction.run(sql, (_micros(until), id_))


def are_told(transaction: Transaction, ids: Sequence[str]) -> None:
    """Write down that nothing is to be told of these expiries any more."""
    those = transaction.among("id", ids)
    transaction.run(f"UPDATE returns SET expiry_due_at = NULL WHERE {those.sql}", those.parameters)


def reached(transaction: Transaction, connection: str) -> datetime | None:
    """Say up to when what a provider learned was read; None where it never was."""
    rows = transaction.run("SELECT reached FROM return_cursors WHERE connection = ?", (connection,))
    return moment(rows[0][0]) if rows else None


def reach(transaction: Transaction, connection: str, until: datetime) -> None:
    """Write down how far it was read; it never goes back."""
    transaction.run(
        "INSERT INTO return_cursors (connection, reached) VALUES (?, ?) ON CONFLICT (connection) DO UPDATE"
        " SET reached = excluded.reached WHERE return_cursors.reached < excluded.reached",
        (connection, micros(until)),
    )


_COLUMNS: Final = (
    "id, connection, organization, state,"
    " coalesce((SELECT made_at FROM spare_codes WHERE spare_codes.return_id = returns.id), begun_at) AS since,"
    " created_at, moved_at, provider_reference, tracking_number,"
    " expires_at, label_format, has_code, due_at, label_due_at, expiry_due_at, looked_at, history"
)


def _found(transaction: Transaction, where: str, *values: object) -> list[OpenReturn]:
    return [_open(row) for row in transaction.run(f"SELECT {_COLUMNS} FROM returns WHERE {where}", values)]


def _open(row: Row) -> OpenReturn:
    id_, connection, organization, state, since, created_at, moved_at, reference, number, *rest = row
    expires_at, label_format, has_code, due_at, label_due_at, expiry_due_at, looked_at, history = rest
    return OpenReturn(
        id=id_,
        connection=connection,
        organization=None if organization is None else OrganizationId(organization),
        state=state,
        since=moment(since),
        created_at=moment(since if created_at is None else created_at),
        moved_at=moment(since if moved_at is None else moved_at),
        provider_reference=reference,
        tracking_number=number,
        expires_at=_moment(expires_at),
        label_format=label_format,
        has_code=None if has_code is None else bool(has_code),
        due_at=_moment(due_at),
        label_due_at=_moment(label_due_at),
        expiry_due_at=_moment(expiry_due_at),
        looked_at=_moment(looked_at),
        seen=NOTHING_SEEN if history is None else ReturnState.load(history),
    )


def _span(time: timedelta) -> int:
    return time // timedelta(microseconds=1)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def _moment(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
