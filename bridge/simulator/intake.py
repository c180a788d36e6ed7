"""Taking in shipments: create, edit, cancel, and the preparation of offers that follows.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153501 (create), 18153506 (edit), 18153504 (cancel)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bridge.simulator.draft_rules import draft_of
from bridge.simulator.drafts import Draft
from bridge.simulator.errors import validation_failed
from bridge.simulator.notices import offers_prepared
from bridge.simulator.offers import Offer, candidates, offer
from bridge.simulator.organizations import Organization
from bridge.simulator.purchasing import Purchasing
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World

Attributes = Mapping[str, object]


@dataclass(frozen=True)
class Order:
    """A shipment that passed every check and may be taken in."""

    organization: Organization
    attributes: dict[str, object]
    draft: Draft


class Intake:
    """Accept shipments and prepare their offers a moment later."""

    def __init__(self, world: World, purchasing: Purchasing) -> None:
        self._world = world
        self._purchasing = purchasing

    def checked(self, organization: Organization, attributes: Attributes) -> Order:
        """Check a shipment, or refuse it."""
        given = _given(attributes)
        return Order(organization, given, draft_of(given, organization, self._world.scenario.creates))

    def take(self, order: Order) -> Shipment:
        """Take a shipment in; the answer shows it in `created`, the rest follows."""
        organization, now = order.organization, self._world.now()
        organization.refuse_if_in_debt()
        shipment = Shipment(next(organization.shipment_ids), organization, order.attributes, order.draft, now, now)
        self._world.shipments.add(shipment)
        self._world.did("shipment_created", organization, shipment.id, order.draft.reference)
        self._world.announce_status(shipment)
        self._prepare_soon(shipment)
        return shipment

    def edit(self, shipment: Shipment, changes: Attributes) -> None:
        """Change attributes (null deletes one) and prepare new offers; without changes it only renews them."""
        shipment.refuse_edit_if_busy()
        if not changes and self._world.scenario.purchases.empty_edit == "refuse":
            raise validation_failed({"shipment": ["required"]})
        order = self.checked(shipment.organization, {**shipment.attributes, **changes})
        self._world.change("edit", shipment)
        shipment.edit(order.attributes, order.draft, self._world.now())
        self._world.did("shipment_edited", shipment.organization, shipment.id, order.draft.reference)
        self._prepare_soon(shipment)

    def cancel(self, shipment: Shipment) -> None:
        """Cancel; a purchase that is already running will overwrite it."""
        shipment.refuse_cancel()
        self._world.change("cancel", shipment)
        shipment.cancel(self._world.now())
        self._world.did("shipment_cancelled", shipment.organization, shipment.id, shipment.draft.reference)
        self._world.announce_status(shipment)

    def _prepare_soon(self, shipment: Shipment) -> None:
        shipment.preparing = True
        self._world.soon(self._world.scenario.delays.offers, "offers", shipment, lambda: self._prepare(shipment))

    def _prepare(self, shipment: Shipment) -> None:
        shipment.preparing = False
        if shipment.status != "created" and not self._world.overwrites(shipment):  # cancelled meanwhile
            return
        self._world.change("offers", shipment)
        shipment.prepared(self._offers(shipment), self._world.now())
        self._world.announce(offers_prepared, shipment)
        self._world.announce_status(shipment)
        self._choose_the_requested_service(shipment)

    def _offers(self, shipment: Shipment) -> list[Offer]:
        expires_at = self._world.now() + timedelta(seconds=self._world.scenario.delays.offers_valid)
        draft, organization = shipment.draft, shipment.organization
        return [
            offer(next(self._world.ids.offers), terms, draft, organization, expires_at)
            for terms in candidates(draft, organization)
        ]

    def _choose_the_requested_service(self, shipment: Shipment) -> None:
        """Select and, unless parked, buy: what the carrier does by itself when a service was named."""
        wanted = next((one for one in shipment.offers if one.status == "available"), None)
        if shipment.draft.service is None or wanted is None:
            return
        self._purchasing.select(shipment, wanted.id)
        if not shipment.draft.only_choice_of_offer:
            self._purchasing.buy(shipment, wanted.id)


def _given(attributes: Attributes) -> dict[str, object]:
    """Drop what is null, and `is_return` where it is empty: both mean "not given"."""
    return {
        key: value
        for key, value in attributes.items()
        if value is not None and not (key == "is_return" and value == "")
    }
