"""Couriers: ordered, called off, asked about and told of, for every organization that has a token."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from bridge.app.carriers import Carriers
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.shipx.dispatching import ShipxDispatcher
from bridge.commands.execute import Operation
from bridge.dispatch.asked import (
    AddDispatchComment,
    CancelDispatchOrder,
    ChangeDispatchComment,
    CreateDispatchOrder,
    PrintDispatchOrder,
)
from bridge.dispatch.keeping import Keeping
from bridge.dispatch.pace import Pace
from bridge.model import OrganizationId
from bridge.shipping.called_off import CalledOff
from bridge.shipping.courier import Courier
from bridge.shipping.remarks import Remarks
from bridge.shipping.signed import Signed


def make_dispatchers(carriers: Carriers) -> Mapping[OrganizationId, ShipxDispatcher]:
    """Make what asks the carrier about couriers."""
    return {one: ShipxDispatcher(client.asker, one) for one, client in carriers.items()}


def make_keeping(shared: Shared, stores: Stores) -> Keeping:
    """Make what keeps orders, and says when the carrier is asked about each."""
    asked = shared.settings.reconcile
    pace = Pace(timedelta(seconds=asked.open_s), timedelta(seconds=asked.tracking_s))
    on_events = partial(shared.bells.ring, "events")
    return Keeping(stores.database, stores.recorder, pace, shared.clock, on_events)


def dispatch_operations(shared: Shared, stores: Stores, carriers: Carriers) -> Mapping[str, Operation]:
    """Make what carries out the commands about couriers."""
    dispatchers, keeping = make_dispatchers(carriers), make_keeping(shared, stores)
    courier, remarks = Courier(dispatchers, keeping, shared.clock), Remarks(dispatchers, shared.clock)
    return {
        CreateDispatchOrder.operation: Operation(courier, last_word=courier.given_up),
        CancelDispatchOrder.operation: Operation(CalledOff(dispatchers, keeping, shared.clock)),
        AddDispatchComment.operation: Operation(remarks.add),
        ChangeDispatchComment.operation: Operation(remarks.change),
        PrintDispatchOrder.operation: Operation(Signed(dispatchers)),
    }
