"""What was ordered, sent and received so far, and whether anything is still to come."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.demo.records import (
    DECIDED,
    DECLINED,
    EXPIRED,
    FAILED,
    HELD,
    NEVER_SENT,
    OFFERED,
    OFFERS,
    REQUESTED,
    STATUS_CHANGED,
    SUCCEEDED,
    Delivery,
    Mishap,
    Order,
    Parcel,
    Seen,
)

_DECISIONS = (DECIDED, DECLINED, EXPIRED, SUCCEEDED)
_OUTCOMES = (SUCCEEDED, FAILED, HELD)


class Ledger:
    """Remembers everything, in the order in which it was learned."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.deliveries: list[Delivery] = []
        self.events: list[Seen] = []
        self.mishaps: list[Mishap] = []
        self._ordered: set[int] = set()
        self._untold: set[int] = set()
        self._told: set[tuple[int, str]] = set()
        self._decided: set[int] = set()
        self._purchases: set[str] = set()
        self._settled: set[str] = set()
        self._statuses: dict[int, tuple[int, str]] = {}

    def order(self, order: Order) -> None:
        """Remember a shipment."""
        self.orders.append(order)
        self._ordered.add(order.shipment)

    def deliver(self, delivery: Delivery) -> None:
        """Remember an answered webhook."""
        self.deliveries.append(delivery)
        if delivery.was_told and delivery.event != OFFERS:
            self._told.add((delivery.shipment, delivery.event))

    def mishap(self, mishap: Mishap) -> None:
        """Remember a fault that was met."""
        self.mishaps.append(mishap)
        if mishap.kind == NEVER_SENT and mishap.about == OFFERS and mishap.shipment is not None:
            self._untold.add(mishap.shipment)

    def receive(self, event: Seen) -> None:
        """Remember an event."""
        self.events.append(event)
        if event.type in _DECISIONS or (event.type == OFFERED and not event.data["current"]):
            self._decided.add(event.shipment)
        if event.type == REQUESTED:
            self._purchases.add(event.data["intent_id"])
        if event.type in _OUTCOMES:
            self._settled.add(event.data["intent_id"])
        if event.type == STATUS_CHANGED and event.data["current"]:
            known, _ = self._statuses.get(event.shipment, (0, ""))
            if event.sequence > known:
                self._statuses[event.shipment] = event.sequence, event.data["carrier_status"]

    @property
    def progress(self) -> tuple[int, int, int, int]:
        """What grows while something happens: orders, deliveries, events, faults."""
        return len(self.orders), len(self.deliveries), len(self.events), len(self.mishaps)

    @property
    def open(self) -> int:
        """How many orders whose offers are told have no decision yet, or a purchase whose outcome nobody knows."""
        return len(self._ordered - self._decided - self._untold) + len(self._purchases - self._settled)

    @property
    def statuses(self) -> dict[int, str]:
        """The last status of each shipment, as a consumer that keeps state knows it."""
        return {shipment: status for shipment, (_, status) in self._statuses.items()}

    def is_complete(self, parcels: Iterable[Parcel]) -> bool:
        """Say whether every order is decided and settled, and every last status that was told has come."""
        told = [one for one in parcels if (one.shipment, one.status) in self._told]
        return self.open == 0 and all(self.statuses.get(one.shipment) == one.status for one in told)
