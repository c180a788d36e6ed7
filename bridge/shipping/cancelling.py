"""The command `shipment.cancel`: a shipment that was not bought is cancelled, and is read until that lasts.

That the carrier takes it in proves nothing: a purchase that runs there overwrites it. So it counts as cancelled once
reads over some seconds show nothing else, and may be revised even then, as every fact may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from bridge.commands.handling import Ending, Hand
from bridge.commands.models import CancelShipment
from bridge.commands.refusing import refused
from bridge.events import statuses
from bridge.events.catalogue import CancelFailed, Cancelled, Published
from bridge.events.shipment import SOURCE, ShipmentState
from bridge.events.statuses import TrackingStatus
from bridge.lifecycle import Clock
from bridge.model import ClaimedCommand, Evidence, Fact, OrganizationId, Outcome
from bridge.ports.shipping import Canceller
from bridge.purchasing.evidence import Bought, evidence
from bridge.purchasing.shipment import Shipment
from bridge.shipping import offering
from bridge.shipping.course import LASTS
from bridge.shipping.helm import Helm, Reader, Task
from bridge.shipping.refusals import Refusal
from bridge.store.database import Transaction
from bridge.store.orders import Refused
from bridge.store.steering import SqlSteering

_ELSEWHERE: Final = (
    "what is bought is not cancelled over the API: a locker parcel in the Manager, a courier's in WebTrucker;"
    " the carrier cancels a label that is not used after 45 days"
)
_BOUGHT: Final = Refusal("not-cancellable", f"it is bought: {_ELSEWHERE}")
_WHY: Final = {
    "bought": f"it was bought meanwhile: {_ELSEWHERE}",
    "overwritten": "it was cancelled, and the carrier's own purchase went on with it: look at it again in a minute",
    "refused": "the carrier did not take it",
    "no_effect": "the carrier took it in, and it is not cancelled: it may be tried again",
    "lost": "the carrier gave no answer, and it is not cancelled: it may be tried again",
}
"""Why it is not cancelled, by the reason that its event tells."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where shipments of one organization are cancelled, and where that shows."""

    canceller: Canceller
    reader: Reader


class Cancelling:
    """Carries out `shipment.cancel` for the organizations that have a desk."""

    def __init__(self, desks: Mapping[OrganizationId, Desk], helm: Helm, steering: SqlSteering, clock: Clock) -> None:
        self._desks = desks
        self._helm = helm
        self._steering = steering
        self._clock = clock

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Cancel the shipment, or go on with it. Raises Unreadable."""
        task = self._helm.task(claimed, hand, CancelShipment.read(claimed.body), "cancel", self._desks)
        if not isinstance(task, Task):
            return task
        shipment = await self._helm.read(task, self._desks[task.steer.organization].reader)
        if not isinstance(shipment, Shipment):
            return shipment
        if task.course.sent_at is None:
            return await self._begun(task, shipment)
        return await self._seen(task, shipment)

    # -- beginning -----------------------------------------------------------------------------------------------------

    async def _begun(self, task: Task, shipment: Shipment) -> Ending:
        """Ask for it; where it is cancelled already, see whether that lasts."""
        if _is_cancelled(shipment):
            is_old = shipment.at >= shipment.changed_at + LASTS
            return self._cancelled(task, shipment) if is_old else await self._send(task, already=True)
        if isinstance(evidence(shipment, ()), Bought):
            return self._helm.no(task, _BOUGHT)
        why = offering.settled(shipment)
        return await self._send(task) if why is None else self._helm.no(task, replace(why, kind="not-cancellable"))

    async def _send(self, task: Task, *, already: bool = False) -> Ending:
        canceller = self._desks[task.steer.organization].canceller
        if already:  # seen once before anything is noted as sent: should it come back, that is not for want of a call
            sent = await self._helm.send(replace(task, course=task.course.saw(self._clock())), _nothing)
        else:
            sent = await self._helm.send(task, partial(canceller.cancel, task.steer.order.shipment))
        return sent[0].later() if isinstance(sent, tuple) else sent

    # -- looking -------------------------------------------------------------------------------------------------------

    async def _seen(self, task: Task, shipment: Shipment) -> Ending:
        """Say what follows from a read after it was sent."""
        now = self._clock()
        if _is_cancelled(shipment):
            task = replace(task, course=task.course.saw(now))
            return self._cancelled(task, shipment) if task.course.lasts(now) else task.later()
        task = replace(task, course=task.course.read())
        if isinstance(evidence(shipment, ()), Bought):
            return self._failed(task, shipment, "bought")
        if task.course.seen:
            return self._failed(task, shipment, "overwritten")
        if task.course.may_send_again(now):
            return await self._send(task)
        if not task.course.is_over(now):
            return task.later()
        reasons = {"accepted": "no_effect", "refused": "refused", "lost": "lost"}
        return self._failed(task, shipment, reasons[task.course.answer])

    # -- ending --------------------------------------------------------------------------------------------------------

    def _cancelled(self, task: Task, shipment: Shipment) -> Ending:
        def tell(known: ShipmentState | None) -> Sequence[Fact]:
            return [_fact(task, shipment, Cancelled.model_validate(_about(task)), _occurrence(known, shipment))]

        def write(transaction: Transaction) -> Outcome:
            now = self._clock()
            taken = self._steering.take(transaction, task.steer, now)
            if isinstance(taken, Refused):
                return refused("in-other-hands", taken.why)
            self._helm.learn(transaction, task, shipment)
            self._steering.cancelled(transaction, task.steer, tell, now)
            return self._helm.told(transaction, task)

        return self._helm.last(write)

    def _failed(self, task: Task, shipment: Shipment, reason: str) -> Ending:
        data = CancelFailed.model_validate(_about(task) | {"reason": reason})

        def write(transaction: Transaction) -> Outcome:
            # Let go first: what the read shows to be bought is entered into the ledger only where nobody has it.
            fact = _fact(task, shipment, data, task.steer.order.cause, facet=reason)
            self._steering.not_cancelled(transaction, task.steer, lambda _: [fact], self._clock())
            self._helm.learn(transaction, task, shipment)
            key = f" ({task.course.key})" if reason == "refused" else ""
            return refused("cancel-failed", _WHY[reason] + key)

        return self._helm.last(write)


async def _nothing() -> None:
    """Send nothing."""


def _is_cancelled(shipment: Shipment) -> bool:
    return statuses.lookup(SOURCE, shipment.status).tracking is TrackingStatus.cancelled


def _occurrence(known: ShipmentState | None, shipment: Shipment) -> str:
    """Name this cancellation of the shipment, like its status: the same is told once, whoever asks for it again."""
    spans = [] if known is None else [one for one in known.spans if one.word == shipment.status]
    return f"{shipment.status}#{max((one.occurrence for one in spans), default=1)}"


def _about(task: Task) -> dict[str, object]:
    return {
        "shipment_id": task.steer.order.shipment,
        "organization_id": task.steer.organization,
        "evidence": Evidence.carrier,
        "current": True,
        "first_seen": False,
    }


def _fact(task: Task, shipment: Shipment, data: Published, key: str, *, facet: str | None = None) -> Fact:
    steer = task.steer
    return Fact(steer.subject, data.type, key, shipment.changed_at, data, facet, steer.order.cause)
