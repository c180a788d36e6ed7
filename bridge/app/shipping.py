"""Shipping on demand: what is asked for is done at the carrier."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from time import monotonic
from typing import Final

from bridge.app.carriers import Carriers
from bridge.app.reconciling import make_learning
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.approvals.approving import Approving
from bridge.carriers.shipx.cancelling import ShipxCanceller
from bridge.carriers.shipx.choosing import ShipxChooser
from bridge.carriers.shipx.creating import ShipxCreator
from bridge.carriers.shipx.tracking import ShipxTracker
from bridge.commands.execute import Operation
from bridge.commands.handling import Handler
from bridge.commands.models import Body, BuyShipment, CancelShipment, SelectOffer
from bridge.shipments.asked import CreateShipments
from bridge.shipping.buying import Buying
from bridge.shipping.cancelling import Cancelling, Desk
from bridge.shipping.creating import Creating, Maker
from bridge.shipping.helm import Helm
from bridge.shipping.joining import Joining
from bridge.shipping.selecting import Selecting, Selector
from bridge.shipping.trails import Trails
from bridge.store.steering import SqlSteering

_AT_ONCE: Final = 16
"""Each waits for the carrier most of the time."""


def make_shipping(shared: Shared, stores: Stores, carriers: Carriers, approving: Approving) -> Mapping[str, Operation]:
    """Make what carries out all that is asked for about shipments, for every organization that has a token."""
    steering = SqlSteering(stores.recorder)
    helm = Helm(stores.database, steering, make_learning(shared, stores), shared.clock, partial(_ring, shared))
    selectors = {one: Selector(ShipxChooser(client.asker), client) for one, client in carriers.items()}
    desks = {one: Desk(ShipxCanceller(client.asker), client) for one, client in carriers.items()}
    handlers: Mapping[type[Body], Handler] = {
        CreateShipments: make_creating(shared, stores, carriers),
        BuyShipment: Buying(approving, carriers, helm),
        SelectOffer: Selecting(selectors, helm, steering, shared.clock),
        CancelShipment: Cancelling(desks, helm, steering, shared.clock),
    }
    return {asked.operation: Operation(handle, at_once=_AT_ONCE) for asked, handle in handlers.items()}


def make_trails(carriers: Carriers) -> Trails:
    """Make what knows where parcels are."""
    return Trails([ShipxTracker(client.asker) for client in carriers.values()], monotonic)


def _ring(shared: Shared) -> None:
    shared.bells.ring("events")
    shared.bells.ring("purchases")


def make_creating(shared: Shared, stores: Stores, carriers: Carriers) -> Creating:
    """Make what carries out `shipment.create`, for every organization that has a token."""
    makers = {one: Maker(ShipxCreator(client.asker, one), client) for one, client in carriers.items()}
    joining = Joining(stores.database, make_learning(shared, stores), shared.clock)
    return Creating(makers, joining, shared.clock, partial(_ring, shared))
