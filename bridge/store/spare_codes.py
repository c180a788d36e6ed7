"""Codes that were made in advance, each sealed; one command at a time is at one. All in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from bridge.errors import KeyMissing
from bridge.model import OrganizationId, micros, moment
from bridge.store import sealed
from bridge.store.database import Row, Transaction, marks
from bridge.store.sealed import Vault

SpareState = Literal["inactive", "activating", "active", "invalidated", "unknown"]
"""`unknown`: it may be active, and nobody knows."""
UNREADABLE: Final = ""
"""What a code reads that no key opens."""


@dataclass(frozen=True, slots=True)
class Spare:
    """A code. `return_id` is the return that it was activated for, or may have been."""

    id: str
    connection: str
    organization: OrganizationId | None
    state: SpareState
    made_at: datetime
    code: str = field(repr=False)
    return_id: str | None = None

    @property
    def provider(self) -> str:
        return self.connection.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which codes a reader wants; `before` is the cursor: when the last one seen was made, and its id."""

    state: str | None = None
    organizations: frozenset[int] = frozenset()
    before: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """The command that is at a code."""

    operation: str
    command: str


def add(transaction: Transaction, vault: Vault, codes: Sequence[Spare]) -> list[Spare]:
    """Keep codes that were made, and give those that were not there before."""
    rows = [_row(vault, one) for one in codes]
    made = {id_ for (id_,) in transaction.insert(_INTO, rows, tail="ON CONFLICT DO NOTHING RETURNING id")}
    new = [one for one in codes if one.id in made]
    if new:
        sealed.keep(transaction, vault, [(_owner(one.id), one.code.encode()) for one in new])
    return new


def find(transaction: Transaction, vault: Vault, which: str) -> Spare | None:
    """Give the code of an id, or the one that reads so. Raises KeyMissing."""
    named = [which, *vault.digests(_PURPOSE, which.encode())]
    sql = f"SELECT {_COLUMNS} FROM spare_codes WHERE id = ? OR digest IN ({marks(named[1:])}) ORDER BY id"
    rows = transaction.run(sql, named)
    return _spare(transaction, vault, rows[0]) if rows else None


def is_for_another(transaction: Transaction, vault: Vault, connection: str, code: str, return_id: str) -> bool:
    """Say whether a code was made here in advance, and not for this return."""
    digests = vault.digests(_PURPOSE, code.encode())
    rows = transaction.run(
        f"SELECT return_id FROM spare_codes WHERE connection = ? AND digest IN ({marks(digests)})",
        [connection, *digests],
    )
    return any(row[0] != return_id for row in rows)


def page(transaction: Transaction, vault: Vault, wanted: Wanted, limit: int) -> list[Spare]:
    """List codes, the newest first; one that no key opens any more, without what it reads."""
    conditions, values = ["1 = 1"], list[object]()
    if wanted.state is not None:
        conditions.append(f"{_STATE} = ?")
        values.append(wanted.state)
    if wanted.organizations:
        conditions.append(f"organization IN ({marks(list(wanted.organizations))})")
        values += sorted(wanted.organizations)
    if wanted.before is not None:
        conditions.append("(made_at, id) < (?, ?)")
        values += wanted.before
    rows = transaction.run(
        f"SELECT {_COLUMNS} FROM spare_codes WHERE {' AND '.join(conditions)} ORDER BY made_at DESC, id DESC LIMIT ?",
        [*values, limit],
    )
    return [_listed(transaction, vault, row) for row in rows]


def take(
    transaction: Transaction, id_: str, holder: Holder, among: Sequence[SpareState], return_id: str | None = None
) -> SpareState | None:
    """Take a code in hand that is in one of these states, for a return that it is to be activated for.

    Gives the state that it was in, or None where it is in another one, or another command has it, or it may be active
    for another return.
    """
    _let_go(transaction, holder, but=id_)
    columns = f"{_STATE}, {_HELD}, return_id, operation, command"
    sql = f"SELECT {columns} FROM spare_codes WHERE id = ? {transaction.for_update}"
    [(state, is_held, was_for, *held_by)] = transaction.run(sql, (id_,))
    if is_held:  # by ourselves where it was withdrawn, and is given again
        if held_by != [holder.operation, holder.command]:
            return None
        state = "inactive" if state == "activating" else state
    if state not in among or (state == "unknown" and was_for != return_id):
        return None
    change = "state = 'activating', return_id = ?" if return_id is not None else "return_id = ?"
    transaction.run(
        f"UPDATE spare_codes SET {change}, operation = ?, command = ? WHERE id = ?",
        (return_id, holder.operation, holder.command, id_),
    )
    found: SpareState = state
    return found


def end(transaction: Transaction, id_: str, holder: Holder, state: SpareState) -> None:
    """Write down how a code stands that its command is done with: inactive, it was activated for no return."""
    kept = "NULL" if state in ("inactive", "invalidated") else "return_id"
    transaction.run(
        f"UPDATE spare_codes SET state = ?, return_id = {kept}, operation = NULL, command = NULL"
        " WHERE id = ? AND operation = ? AND command = ?",
        (state, id_, holder.operation, holder.command),
    )


def forget(transaction: Transaction, returns: Sequence[str]) -> None:
    """Forget the codes of returns that are about to be; one is free again whose return turned out not to be made."""
    transaction.run(
        "UPDATE spare_codes SET state = 'inactive', return_id = NULL WHERE state = 'unknown' AND return_id IN"
        f" (SELECT id FROM returns WHERE state = 'failed' AND id IN ({marks(returns)}))",
        returns,
    )
    gone = transaction.run(
        f"DELETE FROM spare_codes WHERE return_id IN ({marks(returns)}) AND NOT {_HELD} RETURNING id", returns
    )
    if gone:
        owners = [_owner(id_) for (id_,) in gone]
        transaction.run(f"DELETE FROM sealed WHERE owner IN ({marks(owners)})", owners)


def _let_go(transaction: Transaction, holder: Holder, but: str) -> None:
    """Let go of what a command was about before it was withdrawn: given again, it may be about another code."""
    transaction.run(
        "UPDATE spare_codes SET state = CASE state WHEN 'activating' THEN 'inactive' ELSE state END,"
        " return_id = NULL, operation = NULL, command = NULL WHERE operation = ? AND command = ? AND id <> ?",
        (holder.operation, holder.command, but),
    )


_PURPOSE: Final = "spare code"
_INTO: Final = "spare_codes (id, connection, organization, digest, state, made_at, return_id)"
_ITS_COMMAND: Final = (
    "SELECT commands.state FROM commands WHERE commands.operation = spare_codes.operation"
    " AND commands.id = spare_codes.command"
)
_HELD: Final = f"coalesce(({_ITS_COMMAND}) IN ('waiting', 'running'), 1 = 0)"
# What was withdrawn was not sent; a command that ended in any other way without a word here may have sent something.
# How its return was settled settles a code in doubt.
_STATE: Final = (
    f"CASE spare_codes.state WHEN 'activating' THEN CASE ({_ITS_COMMAND})"
    " WHEN 'waiting' THEN 'activating' WHEN 'running' THEN 'activating' WHEN 'withdrawn' THEN 'inactive'"
    " ELSE 'unknown' END"
    " WHEN 'unknown' THEN CASE (SELECT returns.state FROM returns WHERE returns.id = spare_codes.return_id)"
    " WHEN 'created' THEN 'active' WHEN 'failed' THEN 'inactive' ELSE 'unknown' END"
    " ELSE spare_codes.state END"
)
_COLUMNS: Final = f"id, connection, organization, {_STATE}, made_at, return_id"


def _owner(id_: str) -> str:
    return f"spare_code/{id_}"


def _row(vault: Vault, one: Spare) -> Row:
    digest = vault.digests(_PURPOSE, one.code.encode())[0]
    return one.id, one.connection, one.organization, digest, one.state, micros(one.made_at), one.return_id


def _spare(transaction: Transaction, vault: Vault, row: Row) -> Spare:
    owner = _owner(row[0])
    [(key_id, data)] = transaction.run("SELECT key_id, data FROM sealed WHERE owner = ?", (owner,))
    return _read(row, vault.open(owner, key_id, data).decode())


def _listed(transaction: Transaction, vault: Vault, row: Row) -> Spare:
    try:
        return _spare(transaction, vault, row)
    except KeyMissing:
        return _read(row, UNREADABLE)


def _read(row: Row, code: str) -> Spare:
    id_, connection, organization, state, made_at, return_id = row
    return Spare(
        id=id_,
        connection=connection,
        organization=None if organization is None else OrganizationId(organization),
        state=state,
        made_at=moment(made_at),
        code=code,
        return_id=None if state == "inactive" else return_id,
    )
