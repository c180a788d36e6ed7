"""The commands `label.fetch` and `label.keep`: a label is fetched and kept, however often it is not there yet.

Right after a purchase ShipX has no label, or answers something else with 200: it is asked again, after longer and
longer. A call of this kind changes nothing, so it may be made as often as it takes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge.commands.handling import Ending, Hand, Last, Later
from bridge.commands.models import done
from bridge.commands.refusing import nothing_sent, unprocessable
from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit, StoreUnavailable
from bridge.model import ClaimedCommand, CommandState, Outcome, Progress, ShipmentId, micros, moment
from bridge.shipments import label_rules
from bridge.shipments.asked_label import FetchLabel, KeepLabel
from bridge.shipments.label import Label, LabelWish
from bridge.shipping import refusals
from bridge.shipping.labels.desk import Desk
from bridge.shipping.labels.document import reference
from bridge.shipping.labels.reasons import not_yet
from bridge.store import labels
from bridge.store.bought import Known
from bridge.store.database import Transaction
from bridge.store.labels import Kept, Place
from bridge.web.problems import FieldError

log = structlog.get_logger()

ASKED_FOR: Final = timedelta(seconds=60)
"""Somebody who asks for a label does not wait for it longer than this."""
ON_CONFIRMATION: Final = timedelta(hours=72)
"""Nobody waits for these; some of the carrier's labels exist 48 hours after the shipment was made."""
_SOON: Final = timedelta(seconds=1)
_SHORTEST_S: Final = 2.0
_LONGEST_S: Final = 3600.0
_NOT_STORED: Final = "not_stored"


@dataclass(frozen=True, slots=True)
class _Task:
    """A command in hand: what it asks for, since when, and how often the carrier was asked in vain."""

    claimed: ClaimedCommand
    known: Known
    wish: LabelWish
    since: datetime
    tries: int

    @property
    def place(self) -> Place:
        return Place(self.known.organization, self.known.shipment, self.wish.format, self.wish.kind)

    @property
    def progress(self) -> Progress:
        return Progress(0, None, {"since": micros(self.since), "tries": self.tries})

    @property
    def pause(self) -> timedelta:
        """Say how long the carrier is left alone: twice as long as the time before."""
        return timedelta(seconds=min(_SHORTEST_S * 2 ** min(self.tries - 1, 12), _LONGEST_S))


class Fetching:
    """Carries them out. What is not there within `patience` is given up."""

    def __init__(self, desk: Desk, patience: timedelta) -> None:
        self._desk = desk
        self._patience = patience

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Fetch what is asked for, or give what is kept of it. Raises Unreadable."""
        asked = FetchLabel.read(claimed.body)
        found = await self._desk.find([ShipmentId(asked.shipment_id)], asked.organization_id, self._desk.carriers)
        if isinstance(found, FieldError):
            return unprocessable([found])
        (known,) = found
        wish, errors = asked.wish, _broken(asked, known)
        if errors and claimed.operation != KeepLabel.operation:
            return refusals.ours(errors).outcome
        if errors:  # nobody chose that size for this shipment: it gets what its service has
            wish = LabelWish(asked.format)
        at = claimed.progress.at
        since = moment(int(str(at["since"]))) if "since" in at else self._desk.clock()
        task = _Task(claimed, known, wish, since, int(str(at.get("tries", 0))))
        kept = await self._desk.look(task.place)
        if kept is not None and await self._desk.content(kept) is not None:
            return done(**reference(kept))
        return await self._fetch(task, hand)

    async def _fetch(self, task: _Task, hand: Hand) -> Ending:
        try:
            label = await self._desk.fetch(task.known, task.wish)
        except NoPermit as error:
            return self._unasked(task, error)
        except CarrierUnavailable as error:
            return await self._missed(task, error.reason, hand)
        except CarrierRefused as refusal:
            why = not_yet(refusal, is_bought=task.known.is_bought)
            return self._refused(task, refusal) if why is None else await self._missed(task, why, hand)
        return await self._keep(task, label, hand)

    async def _keep(self, task: _Task, label: Label, hand: Hand) -> Ending:
        try:
            write = await self._desk.keeping(task.known, label, task.claimed.id)
        except StoreUnavailable as error:
            log.warning("labels.not_stored", reason=str(error))
            return await self._missed(task, _NOT_STORED, hand)
        return Last(lambda transaction: done(**reference(write(transaction))), lambda _: self._told(label))

    def _told(self, label: Label) -> None:
        self._desk.count(label.format, "kept")
        self._desk.on_told()

    def _unasked(self, task: _Task, error: NoPermit) -> Ending:
        """Wait for a turn: nobody was asked."""
        if self._is_over(task):
            self._desk.count(task.wish.format, "given_up")
            return self._failed(task, error.reason, nothing_sent(f"the carrier could not be asked ({error})"))
        after = _SOON if error.retry_after is None else max(timedelta(seconds=error.retry_after), _SOON)
        return Later(after, task.progress)

    def _refused(self, task: _Task, refusal: CarrierRefused) -> Ending:
        """End it: what the carrier says now it will say again."""
        self._desk.count(task.wish.format, "refused")
        outcome = refusals.theirs(refusal, [0])[0].outcome
        return self._failed(replace(task, tries=task.tries + 1), refusal.key, outcome)

    async def _missed(self, task: _Task, why: str, hand: Hand) -> Ending:
        """Ask again later, for a while; how it stands is there to be seen meanwhile."""
        missed = replace(task, tries=task.tries + 1)
        log.info("labels.not_yet", shipment=task.known.shipment, reason=why, tries=missed.tries)
        if self._is_over(task):
            self._desk.count(task.wish.format, "given_up")
            told = f"there was no label after {missed.tries} tries: {why}"
            return self._failed(missed, why, Outcome(CommandState.failed, error=told))
        one = Kept(missed.place, "waiting", self._desk.clock(), missed.tries, why)
        await hand.step(lambda transaction: labels.miss(transaction, one), lambda _: missed.progress)
        return Later(missed.pause, missed.progress)

    def _failed(self, task: _Task, why: str, outcome: Outcome) -> Last:
        one = Kept(task.place, "failed", self._desk.clock(), task.tries, why)

        def write(transaction: Transaction) -> Outcome:
            labels.miss(transaction, one)
            return outcome

        return Last(write, lambda _: None)

    def _is_over(self, task: _Task) -> bool:
        return self._desk.clock() >= task.since + self._patience


def _broken(asked: FetchLabel, known: Known) -> list[FieldError]:
    """Say what is wrong with it for the service that is known."""
    services = [] if known.service is None else [known.service]
    found = label_rules.broken(asked.format, asked.type, services)
    return [FieldError(".".join(map(str, one.where)), one.code, one.message) for one in found]
