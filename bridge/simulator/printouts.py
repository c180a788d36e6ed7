"""Printouts of dispatch orders: what a courier signs for.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/11731059
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.simulator.dispatch_drafts import held
from bridge.simulator.errors import Refusal, validation_failed
from bridge.simulator.labels import bought_as
from bridge.simulator.pages import Query
from bridge.simulator.printing import File, pdf, zipped
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World


def printout(shipments: Sequence[Shipment], query: Query) -> File:
    """Print what a courier signs for: one file where all have one service, and an archive of them otherwise."""
    if query.get("format", "Pdf").lower() != "pdf":
        raise validation_failed({"format": ["invalid"]})
    by_service: dict[str, list[str]] = {}
    for shipment in shipments:
        service = bought_as(shipment, "get_printout")
        by_service.setdefault(service.label.id, []).append(str(shipment.tracking_number))
    files = [
        File(f"{name}_printout.pdf", "application/pdf", pdf([(name, *numbers)], "A4"))
        for name, numbers in by_service.items()
    ]
    return files[0] if len(files) == 1 else zipped("printouts.zip", files)


def refuse_a_mixture(shipments: Sequence[Shipment], world: World) -> None:
    """Refuse shipments with and without an order in one printout, as the older page of printouts documents."""
    if len({held(shipment, world) for shipment in shipments}) > 1:
        raise Refusal(400, "cannot_mix_shipments_with_and_without_dispatch_order")
