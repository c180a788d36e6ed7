"""Decisions: what was decided about a shipment's offers, and from what, in the transaction of the step it led to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.model import IntentId, OrganizationId, ShipmentId, micros, moment
from bridge.store.database import Database, Row, Transaction


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it is kept. `body` is JSON: the decision, its reasons, and the offers it was made from.

    By allow-list: nothing that a person could be known by. `policy_sha256` is the hash of the policy's very bytes.
    """

    organization: OrganizationId
    shipment: ShipmentId
    at: datetime
    intent: IntentId | None
    policy_sha256: str
    body: str


def write(transaction: Transaction, decided: Decided) -> None:
    """Keep a decision; of two at the same moment the later one."""
    row = (
        *(decided.organization, decided.shipment, micros(decided.at)),
        *(decided.intent, decided.policy_sha256, decided.body),
    )
    transaction.insert(
        f"decisions ({_COLUMNS})",
        [row],
        tail="ON CONFLICT (organization, shipment, at) DO UPDATE SET intent_id = excluded.intent_id,"
        " policy_sha256 = excluded.policy_sha256, body = excluded.body",
    )


def every(transaction: Transaction, organization: OrganizationId, shipment: ShipmentId, most: int) -> list[Decided]:
    """Read the decisions about a shipment, the newest of them, in the order of their time."""
    rows = transaction.run(
        f"SELECT {_COLUMNS} FROM decisions WHERE organization = ? AND shipment = ? ORDER BY at DESC LIMIT ?",
        (organization, shipment, most),
    )
    return [_decided(row) for row in reversed(rows)]


def latest(transaction: Transaction, shipment: ShipmentId) -> list[Decided]:
    """Read the last decision about a shipment, of each organization that has one of this number."""
    rows = [
        row
        for organization in _organizations(transaction)
        for row in transaction.run(
            f"SELECT {_COLUMNS} FROM decisions WHERE organization = ? AND shipment = ? ORDER BY at DESC LIMIT 1",
            (organization, shipment),
        )
    ]
    return [_decided(row) for row in rows]


class SqlDecisions:
    """Reads decisions, for whoever asks why."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, shipment: ShipmentId) -> Sequence[Decided]:
        """Read the last decision about a shipment, of each organization that has one of this number."""
        return await self._database.read(lambda transaction: latest(transaction, shipment))


_COLUMNS = "organization, shipment, at, intent_id, policy_sha256, body"


def _organizations(transaction: Transaction) -> list[int]:
    """List the few organizations of many decisions, from one to the next."""
    found = [0]
    while rows := transaction.run(
        "SELECT organization FROM decisions WHERE organization > ? ORDER BY organization LIMIT 1", (found[-1],)
    ):
        found.append(rows[0][0])
    return found[1:]


def _decided(row: Row) -> Decided:
    return Decided(row[0], row[1], moment(row[2]), row[3], row[4], row[5])
