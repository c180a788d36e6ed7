"""Shipping on demand: what is asked for is done at the carrier."""

from __future__ import annotations

from functools import partial

from bridge.app.carriers import Carriers
from bridge.app.reconciling import make_learning
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.shipx.creating import ShipxCreator
from bridge.shipping.creating import Creating, Maker
from bridge.shipping.joining import Joining


def make_creating(shared: Shared, stores: Stores, carriers: Carriers) -> Creating:
    """Make what carries out `shipment.create`, for every organization that has a token."""
    makers = {one: Maker(ShipxCreator(client.asker, one), client) for one, client in carriers.items()}
    joining = Joining(stores.database, make_learning(shared, stores), shared.clock)
    return Creating(makers, joining, shared.clock, partial(shared.bells.ring, "events"))
