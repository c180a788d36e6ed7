"""What happens to a parcel after its purchase."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.simulator.courses import chosen
from bridge.simulator.documents import Document
from bridge.simulator.notices import shipment_status_changed
from bridge.simulator.scenario import JourneyPlan, Step
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World


class Journeys:
    """Deal the scenario's journeys out to the parcels and walk each parcel through its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._offset = world.chance.draw("journeys")

    def start(self, shipment: Shipment) -> None:
        """Send a confirmed parcel on its way."""
        if plan := self.plan_of(shipment):
            self._next(shipment, plan.steps)

    def plan_of(self, shipment: Shipment) -> JourneyPlan | None:
        """Choose by shipment id, so that the order of purchases changes nothing."""
        return chosen(self._world.scenario.journeys, shipment.id, self._offset)

    def move(self, shipment: Shipment, status: str, return_tracking_number: str | None = None) -> None:
        """Enter a status now and announce it; the way back gets its own number."""
        self._world.announce_all([self._enter(shipment, status, return_tracking_number)], shipment)

    def _enter(self, shipment: Shipment, status: str, return_tracking_number: str | None = None) -> Document:
        """Enter a status now, and give the notification of it."""
        self._world.change("status", shipment)
        shipment.return_tracking_number = None
        if status == "returned_to_sender":
            shipment.return_tracking_number = return_tracking_number or f"52{shipment.id:022d}"
        now = self._world.now()
        shipment.move(status, now)
        return shipment_status_changed(shipment, now)

    def _next(self, shipment: Shipment, steps: Sequence[Step]) -> None:
        if steps:
            seconds = steps[0].after / self._world.scenario.speed
            self._world.schedule.after(seconds, lambda: self._take(shipment, steps))

    def _take(self, shipment: Shipment, steps: Sequence[Step]) -> None:
        """Enter the next status, or several at once, which are then announced in another order."""
        size = self._world.trouble.burst(shipment.id, [step.status for step in steps])
        notices = [self._enter(shipment, step.status) for step in steps[:size]]
        if size > 1:
            notices = self._world.chance.shuffled(notices, "burst", "order", shipment.id, len(steps))
        self._world.announce_all(notices, shipment)
        self._next(shipment, steps[size:])
