"""Whether an organization's webhooks come: kept in a row, told when it changes.

It is judged by what reads found first, and by webhooks that were parked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, cast

from bridge.events.catalogue import WebhookHealthChanged
from bridge.model import Fact, OrganizationId, Subject, micros, moment
from bridge.store import polled, received
from bridge.store.connections import shipx
from bridge.store.database import Database, Row, Transaction
from bridge.store.facts import Recorder
from bridge.store.strays import Strays, strays

State = Literal["healthy", "silent", "missing", "foreign_organization", "unconfigured_proxy"]
"""`silent`: none comes. `missing`: some come, others do not. `foreign_organization`: another organization's come.
`unconfigured_proxy`: they come through a proxy that is not trusted, and none takes effect."""
_LOOKED_BACK: Final = timedelta(hours=2)
"""How far back the last webhook is looked for."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """How an organization's webhooks do, and since when.

    `missed` shipments had news that no webhook told, `unheard` of them since the last webhook of all, the last one at
    `missed_at`; `heard_at` is when a webhook came last.
    """

    state: State = "healthy"
    since: datetime | None = None
    missed: int = 0
    unheard: int = 0
    missed_at: datetime | None = None
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came lately: when a webhook was accepted last, and those that were parked and show something."""

    accepted_at: datetime | None = None
    strays: Strays = field(default_factory=Strays)


Judge = Callable[[Hearing, int, Arrived, datetime], Hearing]
"""Says how webhooks do from how they did, how many were missed since, what came, and the time."""


class SqlHearing:
    """Keeps how webhooks do."""

    def __init__(self, database: Database, recorder: Recorder, judge: Judge) -> None:
        self._database = database
        self._recorder = recorder
        self._judge = judge

    async def review(self, organization: OrganizationId, now: datetime) -> Hearing:
        """Judge anew, where there is anything to judge."""
        found, is_due = await self._database.read(lambda transaction: _found(transaction, organization, now))
        if not is_due:
            return found
        return await self._database.write(lambda transaction: self._review(transaction, organization, now))

    def _review(self, transaction: Transaction, organization: OrganizationId, now: datetime) -> Hearing:
        before = _read(transaction, organization)
        missed = polled.untold(transaction, organization, polled.due(transaction, organization, now))
        said = received.read(transaction, organization)
        if said is not None and not said.holds(now):  # nothing is missed any more
            after = Hearing()
        else:
            arrived = Arrived(_last(transaction, organization, now), strays(transaction, organization, now))
            after = self._judge(before, missed, arrived, now)
        if after != before:
            _save(transaction, organization, after)
        if after.state != before.state:
            self._tell(transaction, organization, before, after, now)
        return after

    def _tell(
        self, transaction: Transaction, organization: OrganizationId, before: Hearing, after: Hearing, now: datetime
    ) -> None:
        name = shipx(organization)
        data = WebhookHealthChanged(
            connection=name,
            state=after.state,
            previous_state=before.state,
            since=after.since or now,
            missed=after.missed,
            last_webhook_at=after.heard_at,
        )
        subject = Subject.connection(name)
        key = f"{after.state}:{data.since.isoformat()}"
        fact = Fact(subject, data.type, key, occurred_at=data.since, data=data, facet=after.state)
        ledgers = self._recorder.lock(transaction, [subject])
        self._recorder.record(transaction, ledgers, [fact], now)
        self._recorder.save(transaction, ledgers.values())


def unheard(transaction: Transaction) -> Mapping[OrganizationId, Hearing]:
    """Give the organizations whose webhooks do not come as they should. Only reads."""
    rows = transaction.run(
        f"SELECT organization, {_COLUMNS} FROM webhook_health WHERE state <> 'healthy' ORDER BY organization"
    )
    return {OrganizationId(row[0]): _hearing(row[1:]) for row in rows}


_COLUMNS: Final = "state, since, missed, unheard, missed_at, heard_at"


def _found(transaction: Transaction, organization: OrganizationId, now: datetime) -> tuple[Hearing, bool]:
    """Give how webhooks do, and whether there is anything to judge.

    With a stray there is, so that what is accepted after it is not overlooked.
    """
    found = _read(transaction, organization)
    return found, bool(
        found.missed
        or found.state != "healthy"
        or polled.due(transaction, organization, now)
        or strays(transaction, organization, now)
    )


def _read(transaction: Transaction, organization: OrganizationId) -> Hearing:
    rows = transaction.run(f"SELECT {_COLUMNS} FROM webhook_health WHERE organization = ?", (organization,))
    return _hearing(rows[0]) if rows else Hearing()


def _hearing(row: Row) -> Hearing:
    since, missed_at, heard_at = (None if one is None else moment(one) for one in (row[1], row[4], row[5]))
    return Hearing(cast(State, row[0]), since, row[2], row[3], missed_at, heard_at)


def _save(transaction: Transaction, organization: OrganizationId, one: Hearing) -> None:
    moments = [None if at is None else micros(at) for at in (one.since, one.missed_at, one.heard_at)]
    transaction.insert(
        f"webhook_health (organization, {_COLUMNS})",
        [(organization, one.state, moments[0], one.missed, one.unheard, *moments[1:])],
        tail="ON CONFLICT (organization) DO UPDATE SET state = excluded.state, since = excluded.since,"
        " missed = excluded.missed, unheard = excluded.unheard, missed_at = excluded.missed_at,"
        " heard_at = excluded.heard_at",
    )


def _last(transaction: Transaction, organization: OrganizationId, now: datetime) -> datetime | None:
    """Say when a webhook of the organization was accepted last, as far as that is not long ago."""
    rows = transaction.run(
        "SELECT received_at FROM deliveries WHERE received_at >= ? AND organization = ?"
        " ORDER BY received_at DESC LIMIT 1",
        (micros(now - _LOOKED_BACK), organization),
    )
    return moment(rows[0][0]) if rows else None
