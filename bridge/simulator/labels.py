"""Labels: which file a wish for labels is answered with, and when there is none.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153509 (one), 18153510 and 28639263 (many), 18153511
(return labels)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from bridge.simulator.errors import NullDetails, Refusal, validation_failed, wrong_status
from bridge.simulator.pages import Query
from bridge.simulator.printing import File, Page, epl, pdf, zipped, zpl
from bridge.simulator.services import Service
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World

Format = Literal["Pdf", "Zpl", "Epl"]
Kind = Literal["normal", "A6", "dpi300"]

FORMATS: Final[dict[str, Format]] = {"pdf": "Pdf", "zpl": "Zpl", "epl": "Epl"}
"""Listed as `Pdf, Zpl, Epl`, while the page's own samples ask for `format=zpl`: the case is free."""
KINDS: Final[dict[str, Kind]] = {"normal": "normal", "A6": "A6", "dpi300": "dpi300"}
"""Another spelling is another, unknown type (observed)."""
DPI300: Final = frozenset(
    {
        "inpost_locker_standard",
        "inpost_locker_allegro",
        "inpost_locker_pass_thru",
        "inpost_letter_allegro",
        "inpost_courier_allegro",
        "inpost_courier_c2c",
    }
)


@dataclass(frozen=True)
class Wish:
    """What is asked for; a way back is a return label, which has no types."""

    format: Format
    kind: Kind | None = None
    way_back: bool = False


def wish_in(query: Query, *, way_back: bool = False) -> Wish:
    """Read the format and the type."""
    name, kind = query.get("format", "Pdf"), None if way_back else query.get("type")
    if name.lower() not in FORMATS:
        raise validation_failed({"format": ["invalid"]})
    if kind is not None and kind not in KINDS:
        raise validation_failed({"type": ["invalid"]})
    return Wish(FORMATS[name.lower()], KINDS[kind] if kind else None, way_back)


def labels_of(shipments: Sequence[Shipment], wish: Wish, world: World) -> File:
    """Give one file where all have one service, and an archive with a file for each service otherwise."""
    bought = [_bought(shipment, world) for shipment in shipments]
    by_service: dict[str, list[tuple[Shipment, Service]]] = {}
    for shipment, service in bought:
        by_service.setdefault(service.label.id, []).append((shipment, service))
    files = [_file(group, wish) for group in by_service.values()]
    for shipment in shipments:
        world.did("label_made", shipment.organization, shipment.id, shipment.draft.reference)
    return files[0] if len(files) == 1 else zipped("labels.zip", files)


def bought_as(shipment: Shipment, action: str) -> Service:
    """Give the service that was bought, or refuse what takes one that was."""
    offer = shipment.selected
    if not shipment.bought or offer is None:
        raise wrong_status(action, shipment.status)
    return offer.service


def _bought(shipment: Shipment, world: World) -> tuple[Shipment, Service]:
    """Give the shipment as reads see it, with its service, or refuse its label."""
    seen = world.views.of(shipment)
    if seen.status == "canceled":
        raise validation_failed({"tracking_number": ["you_can_not_generate_labels_for_unpaid_shipments"]})
    service = bought_as(seen, "get_label")
    ready_after = timedelta(seconds=world.scenario.delays.labels)
    if seen.confirmed_at and world.now() < seen.confirmed_at + ready_after:
        raise NullDetails(400, "label_generation_failed")  # seen with no details at all
    return seen, service


def _file(group: Sequence[tuple[Shipment, Service]], wish: Wish) -> File:
    service = group[0][1]
    kind = _kind(wish, service)
    pages = [page for shipment, _ in group for page in _pages(shipment, wish)]
    name = f"{service.label.id}{'_return' if wish.way_back else ''}"
    match wish.format:
        case "Pdf":
            return File(f"{name}.pdf", "application/pdf", pdf(pages, "A4" if kind == "normal" else "A6"))
        case "Zpl":
            return File(f"{name}.zpl", "text/plain", zpl(pages, 12 if kind == "dpi300" else 8))
        case "Epl":
            # EPL for courier parcels, EPL2 for those of lockers and of Allegro.
            second = service.reach == "locker" or service.allegro
            return File(f"{name}.{'epl2' if second else 'epl'}", "text/plain", epl(pages))


def _kind(wish: Wish, service: Service) -> Kind:
    """Settle the type: normal where none is named, or A6 for couriers, which have no normal one.

    What naming `normal` for a courier does is not documented; there is no such template, so the answer says that.
    """
    if wish.way_back and (service.reach != "courier" or service.allegro):
        raise Refusal(400, "label_template_not_found")
    if wish.kind == "normal" and service.reach == "courier":
        raise Refusal(400, "label_template_not_found")
    if wish.kind == "dpi300" and (wish.format != "Zpl" or service.label.id not in DPI300):
        raise validation_failed({"type": ["invalid"]})
    return wish.kind or ("A6" if service.reach == "courier" else "normal")


def _pages(shipment: Shipment, wish: Wish) -> list[Page]:
    """Write a page for each parcel: numbers only, no names."""
    count = len(shipment.draft.parcels)
    return [
        (
            "RETURN" if wish.way_back else str(shipment.service),
            str(shipment.tracking_number),
            f"parcel {number} of {count}",
        )
        for number in range(1, count + 1)
    ]
