"""What the demo sees: webhooks that the carrier sent, and events that a consumer received. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

Mode = Literal["offer", "simplified"]
Outcome = Literal["accepted", "duplicate", "parked"]
OUTCOMES: tuple[Outcome, ...] = ("accepted", "duplicate", "parked")

DECIDED = "shipment.offer_selected"
DECLINED = "shipment.offer_selection_failed"
EXPIRED = "shipment.offers_expired"
HELD = "shipment.purchase_held"
REQUESTED = "shipment.purchase_requested"
SUCCEEDED = "shipment.purchase_succeeded"
FAILED = "shipment.purchase_failed"
STATUS_CHANGED = "shipment.status_changed"
UNKNOWN = "shipment.purchase_unknown"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook that the carrier sent, and the answer it got. `outcome` is None for an answer of another kind."""

    id: int
    event: str
    organization: int
    shipment: int
    sent_at: datetime
    status: int | None
    outcome: Outcome | None
    delivery_id: str | None
    repeat: bool = False
    error: str | None = None

    @classmethod
    def of(cls, attempt: Mapping[str, Any]) -> Delivery:
        """Read an answered attempt of the simulator."""
        answer = attempt["answer"] if isinstance(attempt["answer"], dict) else {}
        outcome = answer.get("outcome")
        return cls(
            id=attempt["id"],
            event=attempt["body"]["payload"].get("status") or attempt["event"],
            organization=attempt["organization_id"],
            shipment=attempt["shipment_id"],
            sent_at=datetime.fromisoformat(attempt["sent_at"]),
            status=attempt["status"],
            outcome=cast(Outcome, outcome) if outcome in OUTCOMES else None,
            delivery_id=answer.get("delivery_id"),
            repeat=attempt["repeat"],
            error=attempt["error"],
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """One event as a consumer received it. `route` is the routing key, where a broker carried it."""

    id: str
    type: str
    """Without prefix and version: `shipment.confirmed`."""
    source: str
    subject: str
    sequence: int
    cause: str | None
    data: Mapping[str, Any]
    at: datetime
    """When the consumer had it."""
    route: str | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any], at: datetime, route: str | None = None) -> Seen:
        """Read a CloudEvent."""
        return cls(
            id=document["id"],
            type=document["type"].removeprefix("bridge.").rsplit(".", 1)[0],
            source=document["source"],
            subject=document["subject"],
            sequence=int(document["sequence"]),
            cause=document.get("correlationid"),
            data=document["data"],
            at=at,
            route=route,
        )

    @property
    def shipment(self) -> int:
        """The shipment's number."""
        return int(self.data["shipment_id"])


@dataclass(frozen=True, slots=True)
class Order:
    """A shipment that the merchant created. In `simplified` mode the carrier buys it by itself."""

    shipment: int
    organization: int
    mode: Mode


@dataclass(frozen=True, slots=True)
class Parcel:
    """A shipment as the carrier sees it in the end."""

    shipment: int
    status: str
