"""Selecting and buying offers, one or many.

A 200 or 204 means accepted: the purchase runs afterwards, and only then the shipment shows it.
https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153611 (pay), 18153613 (select), 47186686 (bulk)
"""

from __future__ import annotations

from bridge.simulator.journeys import Journeys
from bridge.simulator.ledger import Charge
from bridge.simulator.notices import shipment_confirmed
from bridge.simulator.offers import Offer
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World


class Purchasing:
    """Take purchases in, and settle them after a while."""

    def __init__(self, world: World, journeys: Journeys) -> None:
        self._world = world
        self._journeys = journeys

    def select(self, shipment: Shipment, offer_id: int) -> None:
        """Choose an offer without paying; the others are deleted at once."""
        shipment.buyable_offer(offer_id, self._world.now())
        self._world.change("select", shipment)
        shipment.select(offer_id, self._world.now())
        self._world.announce_status(shipment)

    def buy(self, shipment: Shipment, offer_id: int) -> None:
        """Accept a purchase; its effect comes later."""
        shipment.organization.refuse_if_in_debt()
        offer = shipment.offer(offer_id)
        again = self._world.scenario.purchases.again
        if offer and again != "refuse" and (shipment.bought or shipment.purchases_running):
            if again == "charge":
                self._settle_soon(shipment, offer)
            return
        self._settle_soon(shipment, shipment.buyable_offer(offer_id, self._world.now()))

    def _settle_soon(self, shipment: Shipment, offer: Offer) -> None:
        shipment.purchases_running += 1
        seconds = self._world.scenario.delays.purchase
        self._world.soon(seconds, "purchase", shipment, lambda: self._settle(shipment, offer))

    def _settle(self, shipment: Shipment, offer: Offer) -> None:
        shipment.purchases_running -= 1
        self._world.change("purchase", shipment)
        transaction_id, now = next(self._world.ids.transactions), self._world.now()
        if error := _payment_error(shipment, offer):
            if not shipment.bought:
                shipment.unpaid(offer, transaction_id, error, now)
            return
        self._world.ledger.charge(Charge(shipment.id, offer.id, offer.rate, now))
        if shipment.bought:
            shipment.paid_again(offer, transaction_id, now)
            return
        number = f"62{shipment.id:022d}"
        shipment.paid(offer, transaction_id, number, now)
        self._world.shipments.number(shipment, number)
        self._confirmed(shipment)

    def _confirmed(self, shipment: Shipment) -> None:
        self._world.announce(shipment_confirmed, shipment)
        self._world.announce_status(shipment)
        self._journeys.start(shipment)


def _payment_error(shipment: Shipment, offer: Offer) -> str | None:
    """Collect the price, or say why it was not."""
    if shipment.draft.cod and not shipment.organization.terms.company_data:
        return "company_data_missing"
    return None if shipment.organization.pay(offer.rate) else "debt_collection"
