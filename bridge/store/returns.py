"""Returns as they were asked for, and as they were made. What is personal of them, and what opens a locker, is sealed.

All in the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Final, Literal

from bridge.errors import KeyMissing
from bridge.model import OrganizationId, micros, moment
from bridge.store import sealed
from bridge.store.database import Row, Transaction, marks
from bridge.store.sealed import Vault

State = Literal["pending", "created", "unknown", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What of a return is for those alone who may see it; `label_url` is where the provider has its label.

    The last two are where it is to be dropped off, where its maker said so.
    """

    reference: str = field(repr=False)
    code: str | None = field(default=None, repr=False)
    label_url: str | None = field(default=None, repr=False)
    service_id: int | None = field(default=None, repr=False)
    drop_off_point_id: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """A return. `connection` is who makes it, `command` what asked for it.

    `sender` is a digest while it is being made, at a provider that finds it by nothing else. `expires_at` is what was
    asked for, until the provider says what it is.
    `label_format` is that of a label that is kept here. `reason` is why it was not made.
    """

    id: str
    connection: str
    organization: OrganizationId | None
    command: str
    state: State
    begun_at: datetime
    secrets: Secrets
    sender: str | None = field(default=None, repr=False)
    provider_reference: str | None = None
    tracking_number: str | None = None
    return_status: str | None = None
    expires_at: datetime | None = None
    label_format: str | None = None
    label_sha256: str | None = None
    reason: str | None = None
    created_at: datetime | None = None
    cancellable_until: datetime | None = None

    @property
    def provider(self) -> str:
        return self.connection.partition("/")[0]

    @property
    def has_label(self) -> bool:
        """Whether a label is here, or known to be at the provider."""
        return self.label_format is not None or self.secrets.label_url is not None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which returns a reader wants; `before` is the cursor: when the last one seen was begun, and its id."""

    state: str | None = None
    provider: str | None = None
    organizations: frozenset[int] = frozenset()
    before: tuple[int, str] | None = None


def begin(transaction: Transaction, vault: Vault, one: Kept) -> bool:
    """Write down what is about to be made, in place of what the same command was about to do before.

    False, with nothing written, where one of the same sender has to end first.
    """
    drop(transaction, one.command)
    _drop_withdrawn(transaction)
    return add(transaction, vault, one)


def add(transaction: Transaction, vault: Vault, one: Kept) -> bool:
    """Write down a return, if there is none of its id, and none in doubt of its sender; says whether it was."""
    rows = [_row(vault, one)]
    made = transaction.insert(f"returns ({_COLUMNS}, {_DIGEST})", rows, tail="ON CONFLICT DO NOTHING RETURNING id")
    if made:
        _seal(transaction, vault, one)
    return bool(made)


def drop(transaction: Transaction, command: str) -> None:
    """Forget what a command was about to make, of which nothing was sent."""
    gone = transaction.run("DELETE FROM returns WHERE command = ? AND state = 'pending' RETURNING id", (command,))
    _unseal(transaction, gone)


def abandon(transaction: Transaction, id_: str) -> None:
    """Write down that nobody knows whether one was made."""
    sql = "UPDATE returns SET state = 'unknown', sender = NULL WHERE id = ? AND state = 'pending'"
    transaction.run(sql, (id_,))


def save(
    transaction: Transaction, vault: Vault, one: Kept, label: bytes | None = None, handover: bytes | None = None
) -> None:
    """Write down what became of a return, with its label and what it is handed over with where that came along."""
    columns = [*_COLUMNS.split(", ")[1:], _DIGEST]
    changes = ", ".join(f"{name} = ?" for name in columns)
    transaction.run(f"UPDATE returns SET {changes} WHERE id = ?", (*_row(vault, one)[1:], one.id))
    _seal(transaction, vault, one)
    if label is not None:
        sealed.keep(transaction, vault, [(_label(one.id), label)])
    if handover is not None:
        sealed.keep(transaction, vault, [(_handover(one.id), handover)])


def find(transaction: Transaction, vault: Vault, id_: str) -> Kept | None:
    """Give a return. Raises KeyMissing."""
    rows = transaction.run(f"SELECT {_COLUMNS} FROM returns WHERE id = ?", (id_,))
    return _kept(transaction, vault, rows[0]) if rows else None


def unopened(transaction: Transaction, id_: str) -> Kept | None:
    """Give what lies open of a return, whether a key opens the rest or not: never to be saved."""
    rows = transaction.run(f"SELECT {_COLUMNS} FROM returns WHERE id = ?", (id_,))
    return _read(rows[0], _SHUT) if rows else None


def label(transaction: Transaction, vault: Vault, id_: str) -> bytes | None:
    """Give a label that is kept here. Raises KeyMissing."""
    return _opened(transaction, vault, _label(id_))


def handover(transaction: Transaction, vault: Vault, id_: str) -> bytes | None:
    """Give what a return is handed over with, as it was written. Raises KeyMissing.

    It lies beside what is sealed of every return: the version before reads that, and knows nothing of this.
    """
    return _opened(transaction, vault, _handover(id_))


def linked(transaction: Transaction, connection: str, references: Collection[str]) -> set[str]:
    """Say which of the provider's references are those of returns of ours."""
    if not references:
        return set()
    rows = transaction.run(
        "SELECT provider_reference FROM returns"
        f" WHERE connection = ? AND provider_reference IN ({marks(list(references))})",
        [connection, *sorted(references)],
    )
    return {row[0] for row in rows}


def is_code_of_another(transaction: Transaction, vault: Vault, one: Kept, code: str) -> bool:
    """Say whether another return of the connection has this code."""
    digests = vault.digests(_PURPOSE, code.encode())
    rows = transaction.run(
        f"SELECT 1 FROM returns WHERE connection = ? AND {_DIGEST} IN ({marks(digests)}) AND id <> ? LIMIT 1",
        [one.connection, *digests, one.id],
    )
    return bool(rows)


def page(transaction: Transaction, vault: Vault, wanted: Wanted, limit: int) -> list[Kept]:
    """List returns, the newest first; one that no key opens any more, by what lies open of it."""
    conditions, values = ["1 = 1"], list[object]()
    if wanted.state is not None:
        conditions.append("state = ?")
        values.append(wanted.state)
    if wanted.provider is not None:
        conditions.append("connection LIKE ?")
        values.append(f"{wanted.provider}/%")
    if wanted.organizations:
        conditions.append(f"organization IN ({marks(list(wanted.organizations))})")
        values += sorted(wanted.organizations)
    if wanted.before is not None:
        conditions.append("(begun_at, id) < (?, ?)")
        values += wanted.before
    rows = transaction.run(
        f"SELECT {_COLUMNS} FROM returns WHERE {' AND '.join(conditions)} ORDER BY begun_at DESC, id DESC LIMIT ?",
        [*values, limit],
    )
    return [_listed(transaction, vault, row) for row in rows]


_COLUMNS: Final = (
    "id, connection, organization, command, state, begun_at, sender, provider_reference, tracking_number,"
    " return_status, expires_at, label_format, label_sha256, reason, created_at, cancellable_until"
)

_DIGEST: Final = "code_digest"
_PURPOSE: Final = "return code"

_SHUT: Final = Secrets("")
"""What is seen of secrets that are erased, or that no key opens."""


def _drop_withdrawn(transaction: Transaction) -> None:
    """Forget what commands were about to make that were withdrawn: that can be only before anything is sent."""
    gone = transaction.run(
        "DELETE FROM returns WHERE state = 'pending' AND EXISTS (SELECT 1 FROM commands"
        " WHERE operation = 'return.create' AND commands.id = returns.command AND commands.state = 'withdrawn')"
        " RETURNING id"
    )
    _unseal(transaction, gone)


def _unseal(transaction: Transaction, gone: Sequence[Row]) -> None:
    for (id_,) in gone:
        transaction.run("DELETE FROM sealed WHERE owner = ?", (_owner(id_),))


def _owner(id_: str) -> str:
    return f"return/{id_}"


def _label(id_: str) -> str:
    return f"return/{id_}/label"


def _handover(id_: str) -> str:
    return f"return/{id_}/handover"


def _seal(transaction: Transaction, vault: Vault, one: Kept) -> None:
    sealed.keep(transaction, vault, [(_owner(one.id), json.dumps(astuple(one.secrets)).encode())])


def _opened(transaction: Transaction, vault: Vault, owner: str) -> bytes | None:
    rows = transaction.run("SELECT key_id, data FROM sealed WHERE owner = ?", (owner,))
    return vault.open(owner, *rows[0]) if rows else None


def _row(vault: Vault, one: Kept) -> Row:
    code = one.secrets.code
    return (
        one.id,
        one.connection,
        one.organization,
        one.command,
        one.state,
        micros(one.begun_at),
        one.sender,
        one.provider_reference,
        one.tracking_number,
        one.return_status,
        _micros(one.expires_at),
        one.label_format,
        one.label_sha256,
        one.reason,
        _micros(one.created_at),
        _micros(one.cancellable_until),
        None if code is None else vault.digests(_PURPOSE, code.encode())[0],
    )


def _kept(transaction: Transaction, vault: Vault, row: Row) -> Kept:
    data = _opened(transaction, vault, _owner(row[0]))
    return _read(row, _SHUT if data is None else Secrets(*json.loads(data)))


def _listed(transaction: Transaction, vault: Vault, row: Row) -> Kept:
    try:
        return _kept(transaction, vault, row)
    except KeyMissing:
        return _read(row, _SHUT)


def _read(row: Row, secrets: Secrets) -> Kept:
    id_, connection, organization, command, state, begun_at, sender, reference, number, status, *rest = row
    expires_at, label_format, label_sha256, reason, created_at, cancellable_until = rest
    return Kept(
        id=id_,
        connection=connection,
        organization=None if organization is None else OrganizationId(organization),
        command=command,
        state=state,
        begun_at=moment(begun_at),
        secrets=secrets,
        sender=sender,
        provider_reference=reference,
        tracking_number=number,
        return_status=status,
        expires_at=_moment(expires_at),
        label_format=label_format,
        label_sha256=label_sha256,
        reason=reason,
        created_at=_moment(created_at),
        cancellable_until=_moment(cancellable_until),
    )


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def _moment(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
