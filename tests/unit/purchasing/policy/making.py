"""Shipments, offers and policies for the tests of what is decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from bridge.events.catalogue import Money, Offer, RejectedOffer
from bridge.model import OfferId, OrganizationId, ShipmentId
from bridge.purchasing.policy import Policy, load
from bridge.purchasing.shipment import Payment, PaymentState, Shipment, Traits

AT: Final = datetime(2026, 3, 18, 11, 32, tzinfo=UTC)
"""12:32 in Warsaw."""
ORGANIZATION: Final = OrganizationId(4821)
LOCKER: Final = "inpost_locker_standard"
POP: Final = "inpost_locker_customer_service_point"
COURIER: Final = "inpost_courier_standard"
C2C: Final = "inpost_courier_c2c"
ALLEGRO: Final = "inpost_locker_allegro"


def pln(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="PLN")


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def offer(
    number: int,
    service: str = LOCKER,
    price: str | Money | None = "12.99",
    status: str = "available",
    left: float | None = 200,
    extra: Sequence[str] = (),
) -> Offer:
    return Offer(
        offer_id=number,
        status=status,
        service_id=service,
        carrier_id=None,
        rate=pln(price) if isinstance(price, str) else price,
        expires_at=None if left is None else AT + timedelta(seconds=left),
        additional_services=tuple(extra),
        unavailability_reasons=(),
    )


def shipment(
    *offers: Offer,
    status: str = "offers_prepared",
    service: str | None = None,
    payments: Sequence[Payment] = (),
    selected: Offer | None = None,
    traits: Traits | None = None,
    at: datetime = AT,
) -> Shipment:
    known = (ShipmentId(1), status, at, AT, None, None, service, selected)
    return Shipment(*known, offers, tuple(payments), traits or Traits())


def payment(state: PaymentState) -> Payment:
    return Payment(5, state, OfferId(1), None)


def rejected(**reasons: str) -> tuple[RejectedOffer, ...]:
    return tuple(RejectedOffer(offer_id=int(number[1:]), reason=reason) for number, reason in reasons.items())


def policy(*rules: str, head: str = "") -> Policy:
    """Make a policy of rules that are written without their ids: they are called a, b, c."""
    written = [f"[[rules]]\nid = '{name}'\n{rule}\n" for name, rule in zip("abcdefgh", rules, strict=False)]
    return load("\n".join([head, *written]).encode())


def rule(*services: str, more: str = "") -> str:
    """Write a rule that prefers these services."""
    return f"prefer_services = {list(services)}\n{more}"


def preferring(*services: str, rule: str = "default") -> Policy:
    """Make a policy of one rule for every shipment."""
    return load(f"[[rules]]\nid = '{rule}'\nprefer_services = {list(services)}\n".encode())
