"""Shipments that are asked about, and what the answers brought: facts, wanted purchases and the next look together.

Which shipments those are is read off the subjects; whoever makes subjects writes nothing here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

import structlog

from bridge.errors import RowRefused, StoreError
from bridge.events.projection import Projection
from bridge.events.shipment import ShipmentState
from bridge.model import Fact, OrganizationId, PurchaseWork, ShipmentId, Subject, micros, moment
from bridge.store import polled
from bridge.store.database import Database, Row, Transaction
from bridge.store.facts import Ledger, Recorder
from bridge.store.wanting import adopt_unread, want

log = structlog.get_logger()

_PAGE: Final = 500
"""Subjects that are looked at together for new shipments."""
_SETTLED: Final = timedelta(seconds=30)
"""After this nobody adds a subject any more whose id was given out before."""
_POISON: Final = timedelta(hours=1)
"""How long what our own code cannot take in is left alone."""


class Phase(StrEnum):
    """How urgent a shipment is."""

    open = "open"
    """Offers, or the outcome of a purchase, are awaited."""
    tracking = "tracking"
    """It is under way, or nothing is open for now."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A shipment that is asked about, and what is known of it.

    `is_wanted`: a purchase is to be made or settled. `quiet` is how many reads in a row brought no news.
    """

    state: ShipmentState | None
    is_wanted: bool
    since: datetime
    news_at: datetime
    quiet: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """How urgent a shipment is, and after how long it is to be asked about again."""

    phase: Phase
    after: timedelta


class Pace(Protocol):
    """When to look; None where no more is expected."""

    def look(self, watched: Watched, now: datetime) -> Look | None: ...

    def missed(self, misses: int, for_so_long: timedelta) -> Look | None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read of a shipment, as a function of what is known of it."""

    shipment: ShipmentId
    project: Callable[[ShipmentState | None], Projection]


@dataclass(slots=True)
class Learned:
    """What answers brought: new facts by type, purchases wanted and adopted, and what our own code could not take."""

    facts: Counter[str] = field(default_factory=Counter)
    wanted: int = 0
    adopted: int = 0
    broken: tuple[ShipmentId, ...] = ()

    def add(self, other: Learned) -> None:
        self.facts += other.facts
        self.wanted += other.wanted
        self.adopted += other.adopted
        self.broken += other.broken


@dataclass(slots=True)
class _Gathered:
    """What the answers of one transaction come to, before it is written. `changed` are those with another state."""

    subjects: dict[ShipmentId, Subject]
    ledgers: dict[Subject, Ledger]
    facts: list[Fact] = field(default_factory=list)
    work: dict[ShipmentId, PurchaseWork] = field(default_factory=dict)
    bought: dict[ShipmentId, str | None] = field(default_factory=dict)
    states: dict[ShipmentId, ShipmentState | None] = field(default_factory=dict)
    changed: set[ShipmentId] = field(default_factory=set)

    def ledger(self, shipment: ShipmentId) -> Ledger:
        return self.ledgers[self.subjects[shipment]]

    def about(self, subjects: Iterable[Subject]) -> set[ShipmentId]:
        """Say which shipments these are."""
        those = set(subjects)
        return {shipment for shipment, subject in self.subjects.items() if subject in those}


class SqlSweeps:
    """Keeps the shipments of organizations that are asked about."""

    def __init__(self, database: Database, recorder: Recorder, pace: Pace) -> None:
        self._database = database
        self._recorder = recorder
        self._pace = pace

    async def take_in(self, organization: OrganizationId, now: datetime) -> bool:
        """Take in some of the shipments that became known; gives whether there are more to look through at once."""
        found = await self._database.read(lambda transaction: self._unwatched(transaction, organization, now))
        if found.rows or found.place != found.before:
            await self._database.write(lambda transaction: _enter(transaction, organization, found))
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
        """Take answers in, as `write` does, in a transaction of their own."""
        if not answers:
            return Learned()
        return await self._database.write(
            lambda transaction: self.write(transaction, organization, answers, now, heard_since)
        )

    def write(
        self,
        transaction: Transaction,
        organization: OrganizationId,
        answers: Sequence[Answer],
        now: datetime,
        heard_since: datetime | None = None,
    ) -> Learned:
        """Take answers in; what cannot be taken in is left alone for a while, and the others are not.

        News since `heard_since` is kept until it is clear whether a webhook tells it, too.
        """
        told = {answer.shipment: answer for answer in answers}
        chosen = [told[shipment] for shipment in sorted(told)]
        try:
            with transaction.savepoint():
                return self._together(transaction, organization, chosen, now, heard_since)
        except StoreError as error:
            if not isinstance(error, RowRefused):
                raise
        except Exception:  # a bug met by one answer must not stop the others: which one, `_apart` finds out
            log.exception("sweep.bug")
        return self._apart(transaction, organization, chosen, now, heard_since)

    async def absent(self, organization: OrganizationId, shipments: Sequence[ShipmentId], now: datetime) -> int:
        """Take note that the carrier does not know these; gives how many are given up."""
        return await self._database.write(
            lambda transaction: sum(
                self._absent(transaction, organization, shipment, now) for shipment in sorted(shipments)
            )
        )

    async def put_off(self, organization: OrganizationId, shipments: Sequence[ShipmentId], until: datetime) -> None:
        """Ask about these later."""
        await self._database.write(lambda transaction: _put_off(transaction, organization, shipments, until))

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

    # -- answers -------------------------------------------------------------------------------------------------------

    def _apart(
        self,
        transaction: Transaction,
        organization: OrganizationId,
        answers: Sequence[Answer],
        now: datetime,
        heard_since: datetime | None,
    ) -> Learned:
        """Take answers in one by one, so that what the database refuses, or a bug, fails alone."""
        learned = Learned()
        for answer in answers:
            try:
                with transaction.savepoint():
                    learned.add(self._together(transaction, organization, [answer], now, heard_since))
            except RowRefused:
                learned.broken += (answer.shipment,)
            except StoreError:
                raise
            except Exception:
                log.exception("sweep.bug", shipment=answer.shipment)
                learned.broken += (answer.shipment,)
        _put_off(transaction, organization, learned.broken, now + _POISON)
        return learned

    def _together(
        self,
        transaction: Transaction,
        organization: OrganizationId,
        answers: Sequence[Answer],
        now: datetime,
        heard_since: datetime | None,
    ) -> Learned:
        gathered = self._gather(transaction, organization, answers)
        fresh = self._recorder.fresh(transaction, gathered.ledgers, gathered.facts)
        self._recorder.record(transaction, gathered.ledgers, fresh, now)
        news = gathered.about(fact.subject for fact in fresh)
        self._recorder.save(transaction, [gathered.ledger(shipment) for shipment in gathered.changed | news])
        # What is known already was asked for, or taken note of, by whoever brought it.
        wanted = [work for shipment, work in gathered.work.items() if shipment in news]
        want(transaction, wanted, now)
        bought = [(organization, shipment, by) for shipment, by in gathered.bought.items() if shipment in news]
        adopted = adopt_unread(transaction, bought, now)
        self._watch(transaction, organization, gathered.states, news, now)
        if heard_since is not None:
            polled.keep(transaction, organization, fresh, heard_since, now)
        return Learned(Counter(fact.type for fact in fresh), len(wanted), adopted)

    def _gather(self, transaction: Transaction, organization: OrganizationId, answers: Sequence[Answer]) -> _Gathered:
        subjects = {answer.shipment: Subject.shipment(organization, answer.shipment) for answer in answers}
        gathered = _Gathered(subjects, self._recorder.lock(transaction, set(subjects.values())))
        for answer in answers:
            ledger = gathered.ledger(answer.shipment)
            known = None if ledger.state is None else ShipmentState.load(ledger.state)
            projection = answer.project(known)
            gathered.states[answer.shipment] = projection.state or known
            gathered.facts += projection.facts
            if projection.state is not None and projection.state != known:
                ledger.state = projection.state.dump()
                gathered.changed.add(answer.shipment)
            if projection.work is not None:
                gathered.work[answer.shipment] = projection.work
            if projection.is_bought:
                causes = (fact.causation for fact in projection.facts)
                gathered.bought[answer.shipment] = next((cause for cause in causes if cause), None)
        return gathered

    # -- the next look -------------------------------------------------------------------------------------------------

    def _watch(
        self,
        transaction: Transaction,
        organization: OrganizationId,
        states: Mapping[ShipmentId, ShipmentState | None],
        news: set[ShipmentId],
        now: datetime,
    ) -> None:
        """Write down when to look next, and strike out what is over."""
        before = _before(transaction, organization, list(states))
        wanted = _wanted(transaction, organization, list(states))
        rows, over = list[Row](), list[ShipmentId]()
        for shipment in sorted(states):
            is_wanted, has_news = shipment in wanted, shipment in news
            row, state = before.get(shipment), states[shipment]
            watched = _watched(row, state, is_wanted=is_wanted, has_news=has_news, now=now)
            look = self._pace.look(watched, now)
            if look is None:
                over.append(shipment)
            else:
                rows.append(_row(organization, shipment, look, watched, now))
        transaction.insert(_SWEEPS, rows, tail=_AGAIN)
        _strike_out(transaction, organization, over)

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
            _strike_out(transaction, organization, [shipment])
            return True
        transaction.run(
            "UPDATE sweeps SET misses = ?, missed_since = ?, phase = ?, due_at = ?"
            " WHERE organization = ? AND shipment = ?",
            (misses, since, look.phase.value, micros(now + look.after), organization, shipment),
        )
        return False

    # -- shipments that became known -----------------------------------------------------------------------------------

    def _unwatched(self, transaction: Transaction, organization: OrganizationId, now: datetime) -> _Unwatched:
        before = _Place.read(transaction, organization)
        subjects = transaction.run(
            "SELECT id, source, name, state FROM subjects WHERE id > ? ORDER BY id LIMIT ?", (before.low, _PAGE)
        )
        highest = transaction.run("SELECT coalesce(max(id), 0) FROM subjects")[0][0]
        last = subjects[-1][0] if subjects else before.low
        known = _shipments(organization, subjects)
        watched = _before(transaction, organization, list(known))
        wanted = _wanted(transaction, organization, list(known))
        rows = []
        for shipment in sorted(known.keys() - watched.keys()):
            one = Watched(known[shipment], shipment in wanted, since=now, news_at=moment(0))
            look = self._pace.look(one, now)
            if look is not None:
                rows.append(_row(organization, shipment, replace(look, after=timedelta(0)), one, now))
        return _Unwatched(before, before.after(last, highest, now), rows)


@dataclass(frozen=True, slots=True)
class _Place:
    """How far the subjects were looked through: up to `low` for good, because up to `high` all were there at `at`.

    Ids are given out before their rows are committed, so that a lower one may appear after a higher one.
    """

    low: int = 0
    high: int = 0
    at: int | None = None

    @classmethod
    def read(cls, transaction: Transaction, organization: OrganizationId) -> _Place:
        rows = transaction.run("SELECT value FROM meta WHERE name = ?", (_subjects(organization),))
        return cls(*map(int, rows[0][0].split(":"))) if rows else cls()

    def after(self, last: int, highest: int, now: datetime) -> _Place:
        """Go on after having looked at everything up to `last`."""
        at = micros(now)
        if self.at is None:
            return _Place(self.low, highest, at)
        if now - moment(self.at) < _SETTLED:
            return self
        low = max(self.low, min(last, self.high))
        return _Place(low, highest, at) if low >= self.high and highest > self.high else replace(self, low=low)

    def write(self, transaction: Transaction, organization: OrganizationId) -> None:
        transaction.run(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (_subjects(organization), f"{self.low}:{self.high}:{self.at}"),
        )


@dataclass(frozen=True, slots=True)
class _Unwatched:
    """Shipments that nobody asks about yet, and how far the subjects were looked through before and after."""

    before: _Place
    place: _Place
    rows: Sequence[Row]


_SWEEPS: Final = "sweeps (organization, shipment, phase, due_at, quiet, since, news_at, misses, missed_since)"
_AGAIN: Final = (
    "ON CONFLICT (organization, shipment) DO UPDATE SET phase = excluded.phase, due_at = excluded.due_at,"
    " quiet = excluded.quiet, news_at = excluded.news_at, misses = 0, missed_since = NULL"
)


def _subjects(organization: OrganizationId) -> str:
    return f"sweeps/{organization}"


def _discovery(organization: OrganizationId) -> str:
    return f"discovery/{organization}"


def _shipments(organization: OrganizationId, subjects: Sequence[Row]) -> dict[ShipmentId, ShipmentState]:
    """Choose the shipments of an organization of which something is known."""
    first = Subject.shipment(organization, ShipmentId(0))
    prefix = first.name.removesuffix("0")
    return {
        ShipmentId(int(name.removeprefix(prefix))): ShipmentState.load(state)
        for _, source, name, state in subjects
        if source == first.source and name.startswith(prefix) and state is not None
    }


def _before(
    transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId]
) -> dict[ShipmentId, Row]:
    if not shipments:
        return {}
    those = transaction.among("shipment", shipments)
    rows = transaction.run(
        f"SELECT shipment, quiet, since, news_at FROM sweeps WHERE organization = ? AND {those.sql}",
        (organization, *those.parameters),
    )
    return {ShipmentId(row[0]): row for row in rows}


def _wanted(transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId]) -> set[ShipmentId]:
    """Say of which shipments a purchase is to be made or settled."""
    if not shipments:
        return set()
    those = transaction.among("shipment", shipments)
    rows = transaction.run(
        f"SELECT shipment FROM purchases WHERE organization = ? AND {those.sql}"
        " AND state IN ('wanted', 'intended', 'doubt')",
        (organization, *those.parameters),
    )
    return {ShipmentId(row[0]) for row in rows}


def _watched(
    row: Row | None, state: ShipmentState | None, *, is_wanted: bool, has_news: bool, now: datetime
) -> Watched:
    """Say how a shipment stands after a read."""
    since = now if row is None else moment(row[2])
    if has_news or row is None:
        return Watched(state, is_wanted, since, now if has_news else moment(0))
    return Watched(state, is_wanted, since, moment(row[3]), row[1] + 1)


def _row(organization: OrganizationId, shipment: ShipmentId, look: Look, one: Watched, now: datetime) -> Row:
    due_at = micros(now + look.after)
    return organization, shipment, look.phase.value, due_at, one.quiet, micros(one.since), micros(one.news_at), 0, None


def _enter(transaction: Transaction, organization: OrganizationId, found: _Unwatched) -> None:
    transaction.insert(_SWEEPS, found.rows, tail="ON CONFLICT DO NOTHING")
    found.place.write(transaction, organization)


def _strike_out(transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId]) -> None:
    if shipments:
        those = transaction.among("shipment", shipments)
        transaction.run(f"DELETE FROM sweeps WHERE organization = ? AND {those.sql}", (organization, *those.parameters))


def _put_off(
    transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId], until: datetime
) -> None:
    if shipments:
        those = transaction.among("shipment", shipments)
        transaction.run(
            f"UPDATE sweeps SET due_at = ? WHERE organization = ? AND {those.sql}",
            (micros(until), organization, *those.parameters),
        )
