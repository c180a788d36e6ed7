"""A label as programs read of it: by reference, never itself."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.events.catalogue import LabelReady
from bridge.model import Evidence, Fact, Subject
from bridge.store.labels import Kept


def reference(kept: Kept) -> Mapping[str, object]:
    """Describe a label that is kept."""
    place = kept.place
    return {
        "shipment_id": place.shipment,
        "organization_id": place.organization,
        "format": place.format,
        "type": place.kind,
        "sha256": kept.sha256,
        "size": kept.size,
        "url": place.url,
    }


def ready(kept: Kept, cause: str | None) -> Fact:
    """Tell that it is kept: the same bytes are told once."""
    place = kept.place
    data = LabelReady.model_validate(
        {
            "shipment_id": place.shipment,
            "organization_id": place.organization,
            "evidence": Evidence.carrier,
            "current": True,
            "first_seen": False,
            "format": place.format,
            "label_type": place.kind,
            "sha256": kept.sha256,
            "size": kept.size,
            "path": place.url,
        }
    )
    subject = Subject.shipment(place.organization, place.shipment)
    key = f"{kept.sha256}:{place.format}"
    return Fact(subject, data.type, key, kept.at, data, facet=place.format, causation=cause)
