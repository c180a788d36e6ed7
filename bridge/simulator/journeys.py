"""What happens to a parcel after its purchase."""

from __future__ import annotations

from itertools import accumulate

from bridge.simulator.notices import shipment_status_changed
from bridge.simulator.scenario import JourneyPlan, Step
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World

GOLDEN = 0.6180339887498949


class Journeys:
    """Deal the scenario's journeys out to the parcels and walk each parcel through its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._offset = world.random.random()

    def start(self, shipment: Shipment) -> None:
        """Send a confirmed parcel on its way."""
        if plan := self.plan_of(shipment):
            self._next(shipment, plan.steps)

    def plan_of(self, shipment: Shipment) -> JourneyPlan | None:
        """Choose by shipment id, so that the order of purchases changes nothing.

        Multiples of the golden ratio spread evenly: few parcels show the shares well (every fifth within eight).
        """
        plans = self._world.scenario.journeys
        shares = list(accumulate(plan.share for plan in plans))
        if not shares:
            return None
        point = (self._offset + shipment.id * GOLDEN) % 1 * shares[-1]
        return next(plan for plan, upto in zip(plans, shares, strict=True) if point < upto)

    def move(self, shipment: Shipment, status: str, return_tracking_number: str | None = None) -> None:
        """Enter a status now and announce it; the way back gets its own number."""
        shipment.return_tracking_number = None
        if status == "returned_to_sender":
            shipment.return_tracking_number = return_tracking_number or f"52{shipment.id:022d}"
        shipment.move(status, self._world.now())
        self._world.announce(shipment_status_changed, shipment)

    def _next(self, shipment: Shipment, steps: tuple[Step, ...]) -> None:
        if steps:
            step, *rest = steps
            seconds = step.after / self._world.scenario.speed
            self._world.schedule.after(seconds, lambda: self._take(shipment, step, tuple(rest)))

    def _take(self, shipment: Shipment, step: Step, rest: tuple[Step, ...]) -> None:
        self.move(shipment, step.status)
        self._next(shipment, rest)
