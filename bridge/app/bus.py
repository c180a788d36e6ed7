"""What may be asked for over RabbitMQ, by the name that is its routing key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bridge.approvals.evaluating import EvaluateOffers
from bridge.commands.models import ApprovePurchase, Body, BuyShipment, CancelShipment, HoldPurchase, SelectOffer
from bridge.dispatch.asked import CreateDispatchOrder
from bridge.shipments.asked import CreateShipments
from bridge.shipments.asked_label import FetchLabel
from bridge.shipping.returns.asked import CancelReturn, CreateReturn
from bridge.shipping.returns.codes.asked import ActivateCode

ON_THE_BUS: Final[Mapping[str, type[Body]]] = {
    one.operation: one
    for one in (
        ActivateCode,
        ApprovePurchase,
        BuyShipment,
        CreateDispatchOrder,
        CancelReturn,
        CancelShipment,
        CreateReturn,
        CreateShipments,
        EvaluateOffers,
        FetchLabel,
        HoldPurchase,
        SelectOffer,
    )
}
