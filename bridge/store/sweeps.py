"""Shipments that are asked about, for as long as anything is expected of them.

Which ones those are is read off the subjects: whoever makes subjects writes nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from bridge.model import OrganizationId, ShipmentId, micros, moment
from bridge.store import waiting, watched
from bridge.store.answers import Answer, Answers, Learned
from bridge.store.database import Database, Transaction
from bridge.store.facts import Recorder
from bridge.store.unwatched import unwatched
from bridge.store.watched import Pace, Phase

log = structlog.get_logger()


class SqlSweeps:
    """Keeps the shipments of organizations that are asked about."""

    def __init__(self, database: Database, recorder: Recorder, pace: Pace) -> None:
        self._database = database
        self._pace = pace
        self.answers = Answers(recorder, pace)

    async def take_in(self, organization: OrganizationId, now: datetime) -> bool:
        """Take in some of the shipments that became known; gives whether there are more to look through at once."""
        found = await self._database.read(lambda transaction: unwatched(transaction, organization, self._pace, now))
        if found.rows or found.place != found.before:
            await self._database.write(lambda transaction: found.enter(transaction, organization))
        return found.before.low < found.place.low < found.place.high

    async def due(
        self, organization: OrganizationId, phase: Phase, now: datetime, limit: int
    ) -> Mapping[ShipmentId, int]:
        """Give shipments to ask about now, the longest overdue first, each with how often it was not known."""
        sql = "SELECT shipment, misses FROM sweeps WHERE organization = ? AND phase = ? AND due_at <= ?"
        rows = await self._database.read(
            lambda transaction: transaction.run(
                f"{sql} ORDER BY due_at LIMIT ?", (organization, phase.value, micros(now), limit)
            )
        )
        return {ShipmentId(row[0]): row[1] for row in rows}

    async def settle(
        self, organization: OrganizationId, answers: Sequence[Answer], now: datetime, heard_since: datetime | None
    ) -> Learned:
        """Take answers in, in a transaction of their own; news since `heard_since` may be told by a webhook, too."""
        if not answers:
            return Learned()
        return await self._database.write(
            lambda transaction: self.answers.write(transaction, organization, answers, now, heard_since)
        )

    async def absent(self, organization: OrganizationId, shipments: Sequence[ShipmentId], now: datetime) -> int:
        """Take note that the carrier does not know these; gives how many are given up."""
        return await self._database.write(
            lambda transaction: sum(
                self._absent(transaction, organization, shipment, now) for shipment in sorted(shipments)
            )
        )

    async def put_off(self, organization: OrganizationId, shipments: Sequence[ShipmentId], until: datetime) -> None:
        """Ask about these later."""
        await self._database.write(lambda transaction: watched.put_off(transaction, organization, shipments, until))

    async def reached(self, organization: OrganizationId) -> datetime | None:
        """Say up to when the lists of new shipments were read; None where they never were."""
        rows = await self._database.read(
            lambda transaction: transaction.run("SELECT value FROM meta WHERE name = ?", (_discovery(organization),))
        )
        return moment(int(rows[0][0])) if rows else None

    async def reach(self, organization: OrganizationId, until: datetime) -> None:
        """Write down how far they were read; it never goes back."""
        await self._database.write(
            lambda transaction: transaction.run(
                "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
                " WHERE meta.value < excluded.value",
                (_discovery(organization), f"{micros(until):020d}"),
            )
        )

    def _absent(
        self, transaction: Transaction, organization: OrganizationId, shipment: ShipmentId, now: datetime
    ) -> bool:
        rows = transaction.run(
            "SELECT misses, missed_since FROM sweeps WHERE organization = ? AND shipment = ?", (organization, shipment)
        )
        if not rows:
            return False
        misses, since = rows[0][0] + 1, rows[0][1] or micros(now)
        look = self._pace.missed(misses, now - moment(since))
        if look is None:
            log.warning("sweep.gone", organization=organization, shipment=shipment, misses=misses)
            watched.strike_out(transaction, organization, [shipment])
            waiting.give_up(transaction, organization, [shipment])
            return True
        transaction.run(
            "UPDATE sweeps SET misses = ?, missed_since = ?, due_at = ?,"
            f" phase = CASE WHEN phase = '{Phase.waiting.value}' THEN phase ELSE ? END"
            " WHERE organization = ? AND shipment = ?",
            (misses, since, micros(now + look.after), look.phase.value, organization, shipment),
        )
        return False


def _discovery(organization: OrganizationId) -> str:
    return f"discovery/{organization}"
