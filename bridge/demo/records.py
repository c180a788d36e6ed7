"""What the demo sees: webhooks that the carrier sent, and events that a consumer received. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

Mode = Literal["offer", "simplified"]
Outcome = Literal["accepted", "duplicate", "parked"]
OUTCOMES: tuple[Outcome, ...] = ("accepted", "duplicate", "parked")

OFFERS = "offers_prepared"
"""The carrier's own word for the webhook that a purchase begins with."""
CONFIRMED = "shipment_confirmed", "confirmed"
"""The carrier's two ways to tell that a shipment is bought: as an event, and as a status."""
NEVER_SENT = "missing"
"""The simulator's word for a webhook that it kept to itself."""

OFFERED = "shipment.offers_prepared"
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
    happened_at: datetime
    """What the carrier says of when it happened, to the second."""
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
            happened_at=datetime.strptime(attempt["body"]["event_ts"], "%Y-%m-%d %H:%M:%S %z"),
            repeat=attempt["repeat"],
            error=attempt["error"],
        )

    @property
    def was_told(self) -> bool:
        """Say whether the bridge knows it: it was answered as the carrier expects."""
        return self.status == 200


@dataclass(frozen=True, slots=True)
class Mishap:
    """A fault that was met at the carrier: by a call, by an effect, or by a webhook, as `about` names it."""

    kind: str
    about: str
    shipment: int | None
    reached: bool
    """Whether the call, or the webhook, got where it was going."""
    seconds: float | None
    at: datetime

    @classmethod
    def of(cls, met: Mapping[str, Any]) -> Mishap:
        """Read a fault that the simulator recorded."""
        at = datetime.fromisoformat(met["at"])
        return cls(met["kind"], met["about"], met["shipment_id"], met["reached"], met["seconds"], at)


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
