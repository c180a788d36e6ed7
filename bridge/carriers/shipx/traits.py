"""What a policy may go by, beside the offers, in our words. It is matched and forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from bridge.carriers.shipx import wire
from bridge.carriers.shipx.offers import money, utc
from bridge.purchasing.shipment import Traits


def traits(found: wire.Shipment) -> Traits:
    """Give what a shipment is like."""
    points = found.custom_attributes
    return Traits(
        mpk=found.mpk.name if found.mpk else None,
        external_customer_id=found.external_customer_id,
        reference=found.reference,
        cod=money(found.cod.amount, found.cod.currency) if found.cod else None,
        insurance=money(found.insurance.amount, found.insurance.currency) if found.insurance else None,
        receiver=None if points is None else "locker" if points.target_point else "address",
        weight_kg=_weight(found.parcels or ()),
        created_at=utc(found.created_at),
    )


def _weight(parcels: Sequence[wire.Parcel]) -> Decimal | None:
    """Add up what the parcels weigh; None where that is not known of each."""
    known = [one.weight.amount for one in parcels if one.weight is not None and one.weight.unit == "kg"]
    return sum(known, Decimal(0)) if known and len(known) == len(parcels) else None
