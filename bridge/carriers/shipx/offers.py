"""ShipX's offers in our words: chosen by service id alone, a missing rate is unknown, free text stays behind."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bridge.carriers.shipx import wire
from bridge.events.catalogue import Money, Offer

_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)
_CENT = Decimal("0.01")


def read_offer(offer: wire.Offer) -> Offer:
    """Turn one offer into ours."""
    return Offer(
        offer_id=offer.id,
        status=offer.status,
        service_id=offer.service.id,
        carrier_id=offer.carrier.id if offer.carrier else None,
        rate=money(offer.rate, offer.currency),
        expires_at=utc(offer.expires_at),
        additional_services=tuple(offer.additional_services or ()),
        unavailability_reasons=tuple(reasons(offer.unavailability_reasons or ())),
    )


def money(rate: Decimal | None, currency: str | None) -> Money | None:
    """Give a price, or None where either half of it is missing."""
    if rate is None or currency is None:
        return None
    exponent = rate.as_tuple().exponent
    is_coarse = isinstance(exponent, int) and exponent > -2
    return Money(amount=rate.quantize(_CENT) if is_coarse else rate, currency=currency)


def reasons(found: Iterable[Any]) -> Iterable[str]:
    """Give the keys of the reasons; older documents had other shapes, whose words are not ours to pass on."""
    for reason in found:
        key = reason.get("key") if isinstance(reason, dict) else reason
        yield key if isinstance(key, str) and _WORD.fullmatch(key) else "other"


def utc(moment: datetime | None) -> datetime | None:
    """Give the same moment in UTC."""
    return None if moment is None else moment.astimezone(UTC)
