"""What a policy may go by, beside the offers, in our words. It is matched and forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

from bridge.carriers.shipx import wire
from bridge.carriers.shipx.offers import money, utc
from bridge.events.catalogue import Money
from bridge.purchasing.shipment import Traits


def traits(found: wire.Shipment) -> Traits:
    """Give what a shipment is like."""
    return Traits(
        mpk=found.mpk.name if found.mpk else None,
        external_customer_id=found.external_customer_id,
        reference=found.reference,
        cod=_amount(found.cod) or _amount(found.cod_amount),
        insurance=_amount(found.insurance),
        receiver=_receiver(found),
        weight_kg=_weight(found.parcels or ()),
        parcels=len(found.parcels or ()) or 1,
        target_point=found.custom_attributes.target_point if found.custom_attributes else None,
        is_return=found.is_return or False,
        templates=_templates(found.parcels or ()),
        people=frozenset(one.digest for one in (found.receiver, found.sender) if one is not None),
        created_at=utc(found.created_at),
    )


def _amount(found: wire.Amount | None) -> Money | None:
    """Give an amount that is there; 0 is none to collect or to insure."""
    known = money(found.amount, found.currency) if found else None
    return known if known is not None and known.amount > 0 else None


def _receiver(found: wire.Shipment) -> Literal["locker", "address"] | None:
    """Say where it goes. In offer mode both may be given, and both kinds are offered: the point was chosen by hand."""
    if found.custom_attributes and found.custom_attributes.target_point:
        return "locker"
    return "address" if found.receiver and found.receiver.address else None


def _templates(parcels: Sequence[wire.Parcel]) -> tuple[str, ...] | None:
    known = [one.template for one in parcels if one.template is not None]
    return tuple(sorted(known)) if known and len(known) == len(parcels) else None


def _weight(parcels: Sequence[wire.Parcel]) -> Decimal | None:
    """Add the weights up, where each is known."""
    each = [_kilograms(one.weight) for one in parcels]
    known = [one for one in each if one is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(each) else None


def _kilograms(weight: wire.ParcelWeight | None) -> Decimal | None:
    factor = _UNITS.get(weight.unit) if weight else None
    return weight.amount * factor if weight and factor else None


_UNITS: Final = {"kg": Decimal(1), "g": Decimal("0.001")}
