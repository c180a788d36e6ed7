"""What was read becomes facts, wanted purchases, and the time of the next look, all in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge.errors import RowRefused, StoreError
from bridge.events.projection import Projection
from bridge.events.shipment import ShipmentState
from bridge.model import Fact, OrganizationId, PurchaseWork, ShipmentId, Subject
from bridge.store import polled, waiting, watched
from bridge.store.database import Row, Transaction
from bridge.store.facts import Ledger, Recorder
from bridge.store.wanting import Adoption, adopt, unreached, want
from bridge.store.watched import Pace

log = structlog.get_logger()

_POISON: Final = timedelta(hours=1)
"""How long what our own code cannot take in is left alone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read of a shipment, as a function of what is known of it; `bought` is what it shows to be bought."""

    shipment: ShipmentId
    project: Callable[[ShipmentState | None], Projection]
    bought: Adoption | None = None


@dataclass(slots=True)
class Learned:
    """What answers brought: new facts by type, purchases wanted and adopted, and what our own code could not take.

    `awaited` are those of the facts that a webhook had told of, and that waited for this.
    """

    facts: Counter[str] = field(default_factory=Counter)
    awaited: Counter[str] = field(default_factory=Counter)
    wanted: int = 0
    adopted: int = 0
    broken: tuple[ShipmentId, ...] = ()

    def add(self, other: Learned) -> None:
        self.facts += other.facts
        self.awaited += other.awaited
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
    bought: dict[ShipmentId, Adoption] = field(default_factory=dict)
    states: dict[ShipmentId, ShipmentState | None] = field(default_factory=dict)
    changed: set[ShipmentId] = field(default_factory=set)

    def ledger(self, shipment: ShipmentId) -> Ledger:
        return self.ledgers[self.subjects[shipment]]

    def subjects_of(self, shipments: Iterable[ShipmentId]) -> set[Subject]:
        return {self.subjects[shipment] for shipment in shipments}

    def about(self, subjects: Iterable[Subject]) -> set[ShipmentId]:
        """Say which shipments these are."""
        those = set(subjects)
        return {shipment for shipment, subject in self.subjects.items() if subject in those}


class Answers:
    """Takes in what was read, in the caller's transaction."""

    def __init__(self, recorder: Recorder, pace: Pace) -> None:
        self._recorder = recorder
        self._pace = pace

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
            except Exception:  # the bug's own answer: it is put off, so that the others are taken in
                log.exception("sweep.bug", shipment=answer.shipment)
                learned.broken += (answer.shipment,)
        watched.put_off(transaction, organization, learned.broken, now + _POISON)
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
        # What is known already was asked for, or taken note of, by whoever brought it; unless an outage ended it.
        asked_for = news | unreached(transaction, organization, sorted(gathered.work))
        wanted = [work for shipment, work in gathered.work.items() if shipment in asked_for]
        want(transaction, wanted, now)
        # A purchase is no news where a webhook told of it, which the ledger does not go by.
        adopted = adopt(transaction, organization, gathered.bought, now)
        # Nor is it one that a webhook would have told.
        told_of = [fact for shipment in adopted if (fact := gathered.bought[shipment].told) is not None]
        self._recorder.record(transaction, gathered.ledgers, told_of, now)
        touched = gathered.changed | news | set(adopted)
        self._recorder.save(transaction, [gathered.ledger(shipment) for shipment in sorted(touched)])
        awaited = gathered.subjects_of(self._watch(transaction, organization, gathered.states, news, now))
        if heard_since is not None:
            untold = [fact for fact in fresh if fact.subject not in awaited]
            polled.keep(transaction, organization, untold, heard_since, now)
        told = Counter(fact.type for fact in fresh if fact.subject in awaited)
        return Learned(Counter(fact.type for fact in fresh), told, len(wanted), len(adopted))

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
                cause = next((cause for cause in causes if cause), None)
                gathered.bought[answer.shipment] = replace(answer.bought or Adoption(None), cause=cause)
        return gathered

    def _watch(
        self,
        transaction: Transaction,
        organization: OrganizationId,
        states: Mapping[ShipmentId, ShipmentState | None],
        news: set[ShipmentId],
        now: datetime,
    ) -> set[ShipmentId]:
        """Write down when to look next, and strike out what is over; gives those that deliveries waited for."""
        before = watched.before(transaction, organization, list(states))
        wanted = watched.wanted(transaction, organization, list(states))
        rows, over = list[Row](), list[ShipmentId]()
        for shipment in sorted(states):
            is_wanted, has_news = shipment in wanted, shipment in news
            row, state = before.get(shipment), states[shipment]
            one = watched.after_read(row, state, is_wanted=is_wanted, has_news=has_news, now=now)
            look = self._pace.look(one, now)
            if look is None:
                over.append(shipment)
            else:
                rows.append(watched.row(organization, shipment, look, one, now))
        transaction.insert(watched.SWEEPS, rows, tail=watched.AGAIN)
        watched.strike_out(transaction, organization, over)
        awaited = waiting.awaited(before.values())
        waiting.take_up(transaction, organization, sorted(awaited))
        return awaited
