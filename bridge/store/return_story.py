"""How a return came to be, from what is kept of it in the open: nothing that is sealed is needed. Only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from bridge.model import OrganizationId, moment
from bridge.store import doubtful_returns
from bridge.store.database import Transaction
from bridge.store.doubtful_returns import Doubt
from bridge.store.returns import State


@dataclass(frozen=True, slots=True)
class Tried:
    """Somebody who was to make it before, and why nothing was sent there."""

    connection: str
    why: str


@dataclass(frozen=True, slots=True)
class Course:
    """How a return was asked for and made.

    `given_by` is None where the command is forgotten. `sent` is how often it was sent and `sent_at` when last, `looks`
    how often it was looked for since then, and `lists` how many of these looks showed the whole of what the provider
    has.
    """

    id: str
    connection: str
    organization: OrganizationId | None
    command: str
    state: State
    begun_at: datetime
    reason: str | None
    given_by: str | None = None
    tried: tuple[Tried, ...] = ()
    sent: int = 0
    sent_at: datetime | None = None
    looks: int = 0
    lists: int = 0
    doubt: Doubt | None = None


def find(transaction: Transaction, id_: str) -> Course | None:
    """Tell of one."""
    rows = transaction.run(
        "SELECT id, connection, organization, command, state, begun_at, reason FROM returns WHERE id = ?", (id_,)
    )
    if not rows:
        return None
    found, connection, organization, command, state, begun_at, reason = rows[0]
    given_by, at = _command(transaction, id_, command)
    return Course(
        id=found,
        connection=connection,
        organization=None if organization is None else OrganizationId(organization),
        command=command,
        state=state,
        begun_at=moment(begun_at),
        reason=reason,
        given_by=given_by,
        tried=tuple(Tried(*one) for one in at.get("tried", ())),
        sent=at.get("sent", 0),
        sent_at=moment(at["sent_at"]) if at.get("sent_at") else None,
        looks=at.get("looks", 0),
        lists=at.get("lists", 0),
        doubt=doubtful_returns.find(transaction, id_),
    )


def _command(transaction: Transaction, id_: str, command: str) -> tuple[str | None, Mapping[str, Any]]:
    """Read who asked for it, and how far that came; not of a younger command of the same key."""
    sql = "SELECT given_by, progress FROM commands WHERE operation = 'return.create' AND id = ?"
    for given_by, progress in transaction.run(sql, (command,)):
        at: Mapping[str, Any] = from_json(progress)["at"] if progress else {}
        if at.get("return_id") == id_:
            return given_by, at
    return None, {}
