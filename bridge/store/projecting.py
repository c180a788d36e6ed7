"""Pending deliveries become facts: claimed, projected and marked in one transaction; a crash repeats all or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from bridge.errors import RowRefused, StoreError, Unreadable
from bridge.events.notification import Notification
from bridge.events.projection import HISTORY_FULL, Projection
from bridge.events.readback import WAITS, ReadBack, held_back, waits
from bridge.events.shipment import ShipmentState
from bridge.events.statuses import TrackingStatus
from bridge.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    Fact,
    Micros,
    OrganizationId,
    PurchaseWork,
    ShipmentId,
    Subject,
    micros,
    moment,
)
from bridge.store import waiting
from bridge.store.database import Database, Row, Transaction
from bridge.store.facts import Ledger, Recorder
from bridge.store.outbox import Made
from bridge.store.sealed import Vault
from bridge.store.wanting import say_bought, want

log = structlog.get_logger()

BUG = "bug"
"""The verdict on a delivery that our own code could not deal with: kept, reported, replayed after a fix."""
REFUSED = "refused_by_database"

Read = Callable[[Delivery], Notification]
Known = Callable[[DeliveryId, Micros], Notification | None]
"""What was read of the delivery of this moment already, in this process; None where it has to be read."""
Project = Callable[[Notification, ShipmentState | None], Projection]


@dataclass(frozen=True, slots=True)
class Projected:
    """What a round did: deliveries by verdict, failed ones, events made, purchases wanted, statuses without meaning."""

    verdicts: Counter[str]
    failed: tuple[tuple[DeliveryId, str], ...]
    made: tuple[Made, ...]
    wanted: int
    unlisted: int

    @property
    def deliveries(self) -> int:
        return self.verdicts.total()

    @property
    def events(self) -> int:
        return len(self.made)


@dataclass(slots=True)
class _Round:
    """What one transaction gathers before it writes."""

    done: dict[tuple[DeliveryState, str], list[DeliveryId]] = field(default_factory=dict)
    work: dict[tuple[OrganizationId, ShipmentId], PurchaseWork] = field(default_factory=dict)
    bought: dict[tuple[OrganizationId, ShipmentId], DeliveryId] = field(default_factory=dict)
    awaited: waiting.Due = field(default_factory=dict)
    made: list[Made] = field(default_factory=list)
    unlisted: int = 0

    def close(self, delivery: DeliveryId, state: DeliveryState, verdict: str) -> None:
        """Say what became of a delivery."""
        self.done.setdefault((state, verdict), []).append(delivery)

    def await_read(self, organization: OrganizationId, shipment: ShipmentId, by: datetime) -> None:
        """Have a shipment read, by the first moment that any of its deliveries wants."""
        self.awaited[organization, shipment] = min(by, self.awaited.get((organization, shipment), by))

    def add(self, other: _Round) -> None:
        for verdict, deliveries in other.done.items():
            self.done.setdefault(verdict, []).extend(deliveries)
        self.work |= other.work
        self.made += other.made
        self.unlisted += other.unlisted


def _nothing(_delivery: DeliveryId, _received_at: Micros) -> None:
    """Know nothing."""


class SqlProjector:
    """Works off the inbox. What waits for a read, as `read_back` has it, the sweep is asked to read."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        recorder: Recorder,
        read: Read,
        project: Project,
        read_back: ReadBack = "purchases",
        known: Known = _nothing,
    ) -> None:
        self._database = database
        self._vault = vault
        self._recorder = recorder
        self._read = read
        self._project = project
        self._read_back: ReadBack = read_back
        self._known = known

    async def project(self, limit: int, now: datetime) -> Projected:
        """Work off up to `limit` pending deliveries, oldest first."""
        try:
            return await self._database.write(lambda transaction: self._together(transaction, limit, now))
        except StoreError as error:
            if not isinstance(error, RowRefused):
                raise
        except Exception:  # a bug met by one delivery must not stop those behind it: which one, `_apart` finds out
            log.exception("projection.bug")
        return await self._database.write(lambda transaction: self._apart(transaction, limit, now))

    def _together(self, transaction: Transaction, limit: int, now: datetime) -> Projected:
        rows = _claim(transaction, limit)
        gathered = _Round()
        self._take(transaction, rows, gathered, now)
        return _finish(transaction, gathered, now)

    def _apart(self, transaction: Transaction, limit: int, now: datetime) -> Projected:
        """Project one by one, so that what the database refuses, or a bug, fails alone."""
        gathered = _Round()
        for row in _claim(transaction, limit):
            alone = _Round()
            try:
                with transaction.savepoint():
                    self._take(transaction, [row], alone, now)
            except RowRefused:
                alone = _Round({(DeliveryState.failed, REFUSED): [row[0]]})
            except StoreError:
                raise
            except Exception:  # the bug's own delivery: it fails with its verdict, and is replayed after a fix
                log.exception("projection.bug", delivery=row[0])
                alone = _Round({(DeliveryState.failed, BUG): [row[0]]})
            gathered.add(alone)
        return _finish(transaction, gathered, now)

    def _take(self, transaction: Transaction, rows: Sequence[Row], gathered: _Round, now: datetime) -> None:
        notifications = [self._notification(row) for row in rows]
        subjects = [_subject(found) for found in notifications]
        ledgers = self._recorder.lock(transaction, {subject for subject in subjects if subject is not None})
        facts: list[Fact] = []
        for row, found, subject in zip(rows, notifications, subjects, strict=True):
            if isinstance(found, str):
                gathered.close(row[0], DeliveryState.failed, found)
                continue
            projection = self._apply(transaction, row, found, None if subject is None else ledgers[subject], now)
            gathered.close(row[0], _state_of(projection), projection.verdict)
            facts += projection.facts
            if projection.verdict == WAITS and found.shipment is not None:
                gathered.await_read(found.organization, found.shipment, _read_by(row, now))
            if projection.work:
                gathered.work[projection.work.organization, projection.work.shipment] = projection.work
            if projection.is_bought and found.shipment is not None:
                gathered.bought[found.organization, found.shipment] = row[0]
        gathered.unlisted += sum(fact.facet == TrackingStatus.unknown for fact in facts)
        gathered.made += self._recorder.record(transaction, ledgers, facts, now)
        self._recorder.save(transaction, ledgers.values())
        want(transaction, gathered.work.values(), now)
        waiting.await_read(transaction, gathered.awaited, now)
        say_bought(transaction, [(*key, by) for key, by in gathered.bought.items()], now)

    def _notification(self, row: Row) -> Notification | str:
        """Read a delivery again, unless that is known; a text says why it could not be read, in a word."""
        key, organization, event, received_at, key_id, data, _ = row
        if (known := self._known(key, received_at)) is not None:
            return known
        if data is None:
            return "body_missing"
        try:
            body = self._vault.open(key, key_id, data)
            return self._read(Delivery(key, organization, event, moment(received_at), body))
        except Unreadable as error:
            return error.reason
        except StoreError:
            return "key_missing"

    def _apply(
        self, transaction: Transaction, row: Row, notification: Notification, ledger: Ledger | None, now: datetime
    ) -> Projection:
        if ledger is None:
            return self._project(notification, None)
        known = None if ledger.state is None else ShipmentState.load(ledger.state)
        projection = self._project(notification, known)
        is_read = _is_read(row)
        is_held = waits(projection, known, self._read_back, is_read=is_read)
        if is_held or is_read:
            is_told = not self._recorder.fresh(transaction, {ledger.subject: ledger}, projection.facts)
            is_late = is_read and waiting.is_late(row[3], now)
            projection = held_back(projection, waits=is_held, is_told=is_told, is_late=is_late)
        if projection.state is not None:
            ledger.state = projection.state.dump()
        return projection


def _subject(notification: Notification | str) -> Subject | None:
    if isinstance(notification, str) or notification.shipment is None:
        return None
    return Subject.shipment(notification.organization, notification.shipment)


def _is_read(row: Row) -> bool:
    """Say whether the carrier has shown the shipment since this delivery began to wait for that."""
    return bool(row[6] == waiting.READ)


def _read_by(row: Row, now: datetime) -> datetime:
    return now + waiting.AGAIN if _is_read(row) else now


def _state_of(projection: Projection) -> DeliveryState:
    return DeliveryState.failed if projection.verdict == HISTORY_FULL else DeliveryState.done


def _claim(transaction: Transaction, limit: int) -> list[Row]:
    return transaction.run(
        "SELECT id, organization, event, received_at, key_id, data, verdict FROM deliveries"
        " LEFT JOIN sealed ON sealed.owner = deliveries.id"
        f" WHERE state = 0 ORDER BY received_at LIMIT ? {transaction.skip_locked('deliveries')}",
        (limit,),
    )


def _finish(transaction: Transaction, gathered: _Round, now: datetime) -> Projected:
    verdicts, failed = Counter[str](), list[tuple[DeliveryId, str]]()
    for (state, verdict), keys in gathered.done.items():
        closed = transaction.among("id", keys)
        transaction.run(
            f"UPDATE deliveries SET state = ?, verdict = ?, done_at = ? WHERE {closed.sql}",
            [state, verdict, micros(now), *closed.parameters],
        )
        verdicts[verdict] += len(keys)
        failed += [(key, verdict) for key in keys] if state is DeliveryState.failed else []
    return Projected(verdicts, tuple(failed), tuple(gathered.made), len(gathered.work), gathered.unlisted)
