"""Which labels there are of what: the documents' rules, checked before the carrier is asked.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153509 (one), …/18153511 (returns)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from bridge.shipments.label import LabelFormat, LabelKind
from bridge.shipments.rules import Broken
from bridge.shipments.services import Kind, kind

_FINE_COURIERS: Final = ("_allegro", "_c2c")
"""Couriers whose labels come for printers of 300 dpi, as those of lockers do: by how the service is called."""
_ALLEGRO: Final = "_allegro"


def broken(form: LabelFormat, wanted: LabelKind | None, services: Collection[str] = ()) -> Sequence[Broken]:
    """Say what is wrong with a wish. `services` are those of the shipments, as far as they are known."""
    if wanted is LabelKind.dpi300 and form is not LabelFormat.zpl:
        return [_type("dpi300 is for zpl alone")]
    if wanted is LabelKind.dpi300 and any(_is_courier(one) and not one.endswith(_FINE_COURIERS) for one in services):
        return [_type("dpi300 is for lockers, Allegro and c2c: leave the type out")]
    if wanted is LabelKind.normal and any(map(_is_courier, services)):
        return [_type("couriers have no normal label: leave the type out, and theirs comes as A6")]
    return []


def broken_way_back(services: Collection[str]) -> Sequence[Broken]:
    """Say for which of these services there is no label for the way back."""
    if any(kind(one) is Kind.locker or one.endswith(_ALLEGRO) for one in services):
        return [Broken(("shipment_id",), "invalid", "only couriers have labels for the way back, and not Allegro's")]
    return []


def _is_courier(service: str) -> bool:
    return kind(service) is Kind.courier


def _type(why: str) -> Broken:
    return Broken(("type",), "invalid", why)
