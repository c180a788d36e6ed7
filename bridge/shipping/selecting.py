"""The command `shipment.select_offer`: an offer is selected at the carrier, which deletes the others.

The policy decides about the one that is left. A repeated call does no harm, so what was lost is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from bridge.commands.handling import Ending, Hand
from bridge.commands.models import SelectOffer
from bridge.commands.refusing import refused
from bridge.lifecycle import Clock
from bridge.model import ClaimedCommand, OfferId, OrganizationId, Outcome
from bridge.ports.shipping import Chooser
from bridge.purchasing.shipment import Choice, Shipment
from bridge.shipping import offering
from bridge.shipping.helm import Helm, Reader, Task
from bridge.shipping.refusals import Refusal
from bridge.store.database import Transaction
from bridge.store.orders import Refused
from bridge.store.steering import SqlSteering
from bridge.store.wanting import WINDOW
from bridge.web.problems import FieldError

_NO_EFFECT: Final = Refusal(
    "not-selected", "the carrier took it in, and did not select the offer: it may be tried again"
)
_LOST: Final = Refusal(
    "not-selected", "the carrier gave no answer, and did not select the offer: it may be tried again"
)


@dataclass(frozen=True, slots=True)
class Selector:
    """Where offers of one organization's shipments are selected, and where that shows."""

    chooser: Chooser
    reader: Reader


class Selecting:
    """Carries out `shipment.select_offer` for the organizations that have a selector."""

    def __init__(
        self, selectors: Mapping[OrganizationId, Selector], helm: Helm, steering: SqlSteering, clock: Clock
    ) -> None:
        self._selectors = selectors
        self._helm = helm
        self._steering = steering
        self._clock = clock

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Select the offer, or go on with it. Raises Unreadable."""
        asked = SelectOffer.read(claimed.body)
        task = self._helm.task(claimed, hand, asked, "select", self._selectors, asked.offer_id)
        if not isinstance(task, Task):
            return task
        shipment = await self._helm.read(task, self._selectors[task.steer.organization].reader)
        if not isinstance(shipment, Shipment):
            return shipment
        return await self._judged(task, shipment, OfferId(asked.offer_id))

    async def _judged(self, task: Task, shipment: Shipment, offer: OfferId) -> Ending:
        """Say what follows from a read."""
        if task.course.sent_at is None:
            return await self._begun(task, shipment, offer)
        if _is_selected(shipment, offer) and offering.settled(shipment) is None:
            return self._selected(task, shipment, offer)
        return await self._unseen(replace(task, course=task.course.read()), shipment, offer)

    async def _begun(self, task: Task, shipment: Shipment, offer: OfferId) -> Ending:
        """Ask for it, unless it is so already."""
        why = offering.against(shipment, offer)
        if why is None and await self._helm.is_contested(task, shipment):
            why = offering.CONTESTED
        if why is not None:
            return self._helm.no(task, why)
        return self._selected(task, shipment, offer) if _is_selected(shipment, offer) else await self._send(task, offer)

    async def _send(self, task: Task, offer: OfferId) -> Ending:
        choice = Choice(task.steer.order.shipment, offer)
        sent = await self._helm.send(task, partial(self._selectors[task.steer.organization].chooser.select, choice))
        if not isinstance(sent, tuple):
            return sent
        task, shipment = sent
        if shipment is not None and _is_selected(shipment, offer):
            return self._selected(task, shipment, offer)
        return task.later()

    async def _unseen(self, task: Task, shipment: Shipment, offer: OfferId) -> Ending:
        """Say what follows from a read that does not show it selected."""
        now, course = self._clock(), task.course
        if course.answer == "refused" and course.is_over(now):
            why = offering.against(shipment, offer)
            return self._helm.no(task, why or _theirs(course.key or "other"))
        if course.may_send_again(now):
            why = offering.against(shipment, offer)
            return await self._send(task, offer) if why is None else self._helm.no(task, why)
        if course.is_over(now):
            return self._helm.no(task, _NO_EFFECT if course.answer == "accepted" else _LOST)
        return task.later()

    def _selected(self, task: Task, shipment: Shipment, offer: OfferId) -> Ending:
        """End it: the policy decides about the offer now."""
        until = _until(shipment, offer, self._clock())

        def write(transaction: Transaction) -> Outcome:
            taken = self._steering.take(transaction, task.steer, self._clock())
            if isinstance(taken, Refused):
                return refused("in-other-hands", taken.why)
            self._steering.selected(transaction, task.steer, until, self._clock())
            self._helm.learn(transaction, task, shipment)
            return self._helm.told(transaction, task, offer_id=offer)

        return self._helm.last(write)


def _is_selected(shipment: Shipment, offer: OfferId) -> bool:
    return shipment.selected is not None and shipment.selected.offer_id == offer


def _until(shipment: Shipment, offer: OfferId, now: datetime) -> datetime:
    ends = [one.expires_at for one in shipment.offers if one.offer_id == offer and one.expires_at]
    return min(ends, default=now + WINDOW)


def _theirs(key: str) -> Refusal:
    error = FieldError(offering.FIELD, key, "the carrier does not take it")
    return Refusal("carrier-refused", f"the carrier refused it: {key}", [error])
