"""What all commands have in common that change something about a shipment that is there.

Each begins with a read; takes the shipment in its hand before it sends anything, so that nothing is bought meanwhile;
sends; and goes by reads from there on, whatever was answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol, TypeVar

import structlog

from bridge.commands.handling import Ending, Hand, Last, Later
from bridge.commands.models import ShipmentOrder, done
from bridge.commands.refusing import nothing_sent, refused, unprocessable
from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.inspection.document import summary
from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.model import ClaimedCommand, CommandState, OfferId, OrganizationId, Outcome, ShipmentId
from bridge.purchasing.policy import may_be_bought_yet
from bridge.purchasing.shipment import Shipment
from bridge.reconciling.learning import Learning
from bridge.shipping import refusals
from bridge.shipping.attempt import AGAIN, LIMITED
from bridge.shipping.course import Course
from bridge.shipping.refusals import Refusal
from bridge.store.database import Database, Transaction, Unit
from bridge.store.orders import Order, Refused
from bridge.store.steering import Deed, SqlSteering, Steer, selected_here
from bridge.store.story import story

log = structlog.get_logger()
T = TypeVar("T")

_NOT_FOUND: Final = 404
_PURPOSES: Final[Mapping[Deed, Purpose]] = {"select": Purpose.select, "cancel": Purpose.cancel}


class Reader(Protocol):
    """Where a shipment is read."""

    async def read(self, shipment: ShipmentId, purpose: Purpose = Purpose.read) -> Shipment:
        """Read one. Raises CarrierUnavailable or CarrierRefused."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """A command in hand: what it is to do, and how far it has come."""

    steer: Steer
    hand: Hand
    course: Course

    def later(self, after: timedelta | None = None) -> Later:
        return Later(after or self.course.look_in, self.course.progress)


class Helm:
    """Carries out what they have in common. `on_changed` wakes who waits for events or purchases."""

    def __init__(
        self,
        database: Database,
        steering: SqlSteering,
        learning: Learning,
        clock: Clock,
        on_changed: Callable[[], None],
    ) -> None:
        self._database = database
        self._steering = steering
        self._learning = learning
        self._clock = clock
        self._on_changed = on_changed

    def task(
        self,
        claimed: ClaimedCommand,
        hand: Hand,
        asked: ShipmentOrder,
        deed: Deed,
        known: Mapping[OrganizationId, object],
        offer: int | None = None,
    ) -> Task | Outcome:
        """Say what is to be done; `known` are the organizations that have a token."""
        organization = refusals.organization(asked.organization_id, known)
        if not isinstance(organization, int):
            return unprocessable([organization])
        order = Order(ShipmentId(asked.shipment_id), organization, claimed.given_by, claimed.id)
        steer = Steer(order, organization, deed, None if offer is None else OfferId(offer))
        return Task(steer, hand, Course.of(claimed.progress.at, self._clock()))

    # -- reading -------------------------------------------------------------------------------------------------------

    async def read(self, task: Task, reader: Reader, purpose: Purpose | None = None) -> Shipment | Ending:
        """Read the shipment, for the deed unless told otherwise, or say what follows where that is not to be had."""
        try:
            return await reader.read(task.steer.order.shipment, purpose or _PURPOSES[task.steer.deed])
        except CarrierRefused as refusal:
            if task.course.sent_at is not None:
                return self._unread(task, str(refusal))
            if refusal.status == _NOT_FOUND:
                return refused("not-found", "the carrier knows no such shipment of this organization")
            return refused("carrier-refused", f"the carrier does not show it: {refusal.key}")
        except CarrierUnavailable as error:
            return self._unread(task, str(error))

    async def is_contested(self, task: Task, shipment: Shipment) -> bool:
        """Say whether the carrier may be about to buy it by itself; what was selected here is not its own choice."""
        if not may_be_bought_yet(shipment):
            return False
        steer = task.steer
        mine = await self._database.read(lambda it: selected_here(it, steer.organization, steer.order.shipment))
        return shipment.selected is None or shipment.selected.offer_id != mine

    def _unread(self, task: Task, why: str) -> Ending:
        now = self._clock()
        if task.course.sent_at is None:
            return task.later(AGAIN) if task.course.is_patient(now) else _not_asked(why)
        if not task.course.is_hopeless(now):
            return task.later()
        log.warning("shipment.unclear", shipment=task.steer.order.shipment, deed=task.steer.deed)
        told = f"nobody knows what came of it: the carrier could not be asked any more ({why})"
        return self._given_up(task, Outcome(CommandState.unknown, error=told))

    # -- sending -------------------------------------------------------------------------------------------------------

    async def send(self, task: Task, call: Callable[[], Awaitable[T]]) -> tuple[Task, T | None] | Ending:
        """Take the shipment in hand, and make the call; it is written down first."""
        sending = replace(task, course=task.course.sending(self._clock()))
        taken = await task.hand.step(
            lambda it: self._steering.take(it, task.steer, self._clock()),
            lambda found: (task if isinstance(found, Refused) else sending).course.progress,
        )
        if isinstance(taken, Refused):
            return refused("in-other-hands", taken.why)
        try:
            found = await call()
        except NoPermit as error:
            return await self._unsent(task, str(error))
        except CarrierRefused as refusal:
            log.info("shipment.refused", deed=task.steer.deed, key=refusal.key, status=refusal.status)
            return replace(sending, course=sending.course.answered("refused", refusal.key)), None
        except CarrierUnavailable as error:
            if error.status == LIMITED:
                return await self._unsent(task, str(error))
            log.warning("shipment.in_doubt", deed=task.steer.deed, reason=str(error))
            return sending, None
        return replace(sending, course=sending.course.answered("accepted")), found

    async def _unsent(self, task: Task, why: str) -> Ending:
        """Try again in a moment, for a while; what was not sent at all is let go of until then."""
        if task.course.sent_at is None:
            await task.hand.step(lambda it: self._put_back(it, task), lambda _: task.course.progress)
            if not task.course.is_patient(self._clock()):
                return _not_asked(why)
        return task.later(AGAIN)

    # -- ending --------------------------------------------------------------------------------------------------------

    def back(self, task: Task, outcome: Outcome) -> Ending:
        """End it with nothing done; what was never taken in hand needs no letting go."""
        if task.course.sent_at is None:
            return outcome

        def write(transaction: Transaction) -> Outcome:
            self._put_back(transaction, task)
            return outcome

        return self.last(write)

    def last(self, write: Unit[Outcome]) -> Last:
        """End it by a last unit."""
        return Last(write, lambda _: self._on_changed())

    def learn(self, transaction: Transaction, task: Task, shipment: Shipment) -> None:
        """Take in what a read showed."""
        steer = task.steer
        self._learning.write(transaction, steer.organization, [shipment], steer.order.cause)

    def told(self, transaction: Transaction, task: Task, **more: object) -> Outcome:
        """Say that it is done, and how the shipment stands now."""
        steer = task.steer
        known = story(transaction, steer.subject.source, steer.subject.name)
        about = {"shipment_id": steer.order.shipment, "organization_id": steer.organization, **more}
        return done(**about, **summary(known, self._clock()))

    def no(self, task: Task, why: Refusal) -> Ending:
        """End it with a no, which is a definite one where a call was made."""
        return self.back(task, refused(why.kind, why.why, why.errors) if task.course.sent else why.outcome)

    def _given_up(self, task: Task, outcome: Outcome) -> Ending:
        def write(transaction: Transaction) -> Outcome:
            self._steering.give_up(transaction, task.steer, self._clock())
            return outcome

        return self.last(write)

    def _put_back(self, transaction: Transaction, task: Task) -> None:
        self._steering.put_back(transaction, task.steer, self._clock())


def _not_asked(why: str) -> Outcome:
    return nothing_sent(f"the carrier could not be asked ({why}), so nothing was sent")
