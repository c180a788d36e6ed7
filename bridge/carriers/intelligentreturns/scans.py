"""Their answers about parcels become ours."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from bridge.carriers.intelligentreturns import answers
from bridge.returns.progress import Place, Progress, Scan


def progress(found: answers.Tracked, number: str) -> Progress:
    """Give a parcel's scans; one that cannot be read spoils no other."""
    raw = found.events or found.track
    scans = tuple(scan for one in raw if (scan := _scan(one)) is not None)
    return Progress(
        tracking_number=number,
        scans=scans,
        external_id=found.external_id,
        reference=found.order_reference,
        carrier=found.carrier_name,
        service_id=found.service_id,
        source_country=found.source_country,
        pallet_number=found.pallet_number,
        unread=len(raw) - len(scans),
    )


def _scan(raw: Any) -> Scan | None:
    try:
        found = answers.Event.model_validate(raw)
    except ValidationError:
        return None
    where = found.location or answers.Location()
    return Scan(found.status, found.dt, Place(where.country, where.state, where.city), found.date_added)
