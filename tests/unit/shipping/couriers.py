"""What is needed to order couriers on a stage: shipments that are bought, and the processes that carry it out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from bridge.carriers.shipx.dispatching import ShipxDispatcher
from bridge.commands.execute import Operation
from bridge.commands.models import Body
from bridge.dispatch.asked import (
    AddDispatchComment,
    CancelDispatchOrder,
    ChangeDispatchComment,
    CreateDispatchOrder,
    PrintDispatchOrder,
)
from bridge.dispatch.keeping import Keeping
from bridge.dispatch.pace import Pace
from bridge.shipping.called_off import CalledOff
from bridge.shipping.courier import Courier
from bridge.shipping.remarks import Remarks
from bridge.shipping.signed import Signed
from tests.unit.purchasing.stage import DRAFT, ORGANIZATION
from tests.unit.purchasing.virtual_time import pass_time
from tests.unit.shipping.stage import Parts, Stage

CREATE: Final = CreateDispatchOrder.operation
CANCEL: Final = CancelDispatchOrder.operation
ADD: Final = AddDispatchComment.operation
ADDRESS: Final = {"street": "Lwowska", "building_number": "10", "city": "Kraków", "post_code": "30-300"}
ORDERS: Final = f"/v1/organizations/{ORGANIZATION}/dispatch_orders"
PACE: Final = Pace(timedelta(seconds=15), timedelta(seconds=1800))


def keeping(parts: Parts) -> Keeping:
    return Keeping(parts.database, parts.recorder, PACE, parts.stage.clock, lambda: None)


def couriers(parts: Parts) -> Mapping[str, Operation]:
    """What a process carries out."""
    dispatchers, clock = {ORGANIZATION: ShipxDispatcher(parts.client.asker, ORGANIZATION)}, parts.stage.clock
    courier, remarks = Courier(dispatchers, keeping(parts), clock), Remarks(dispatchers, clock)
    return {
        CREATE: Operation(courier, last_word=courier.given_up),
        CANCEL: Operation(CalledOff(dispatchers, keeping(parts), clock)),
        ADD: Operation(remarks.add),
        ChangeDispatchComment.operation: Operation(remarks.change),
        PrintDispatchOrder.operation: Operation(Signed(dispatchers)),
    }


async def bought(stage: Stage, number: int = 2) -> list[int]:
    """Have shipments that the carrier bought by itself."""
    draft = DRAFT | {"service": "inpost_courier_standard"}
    made = [await stage.merchant.post(f"/v1/organizations/{ORGANIZATION}/shipments", json=draft) for _ in range(number)]
    await pass_time(10)
    assert {one.status for one in stage.simulator.world.shipments} == {"confirmed"}
    return [one.json()["id"] for one in made]


async def order(stage: Stage, shipments: Sequence[int], key: str = "one", **changes: Any) -> None:
    """Give the command."""
    asked = {"shipments": shipments, "address": ADDRESS} | changes
    await stage.give(CREATE, CreateDispatchOrder.model_validate_json(json.dumps(asked)).canonical, key)


async def ordered(stage: Stage, shipments: Sequence[int], key: str = "the order", **changes: Any) -> int:
    """Have a courier ordered, and give the order's number."""
    await order(stage, shipments, key, **changes)
    number = (await stage.done(CREATE, key))["dispatch_order_id"]
    assert isinstance(number, int)
    return number


async def give(stage: Stage, asked: Body, key: str = "one") -> None:
    await stage.give(asked.operation, asked.canonical, key)


def orders(stage: Stage) -> list[int]:
    """List the orders that the carrier has."""
    return [one.id for one in stage.simulator.world.dispatch_orders]


def at_carrier(stage: Stage, number: int) -> Any:
    """Give an order as the carrier has it."""
    return stage.simulator.world.dispatch_orders.get(number)


def told(stage: Stage, number: int) -> list[tuple[str, dict[str, Any]]]:
    """List the events about an order."""
    return stage.told(f"dispatch_order/{number}")
