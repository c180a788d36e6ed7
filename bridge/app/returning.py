"""Returning: what is asked for about returns is done at the provider that is chosen for it, and answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic

from bridge.app.providers.opening import Accounts
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.commands.execute import Operation
from bridge.commands.giving import Giving
from bridge.lifecycle import Clock
from bridge.returns.routing import Route
from bridge.settings import Settings
from bridge.shipping.returns.api import ReturnsApi
from bridge.shipping.returns.asked import CancelReturn, CreateReturn, FetchReturnLabel, SettleReturn
from bridge.shipping.returns.billing.api import BillingApi
from bridge.shipping.returns.billing.asked import MarkRefunded
from bridge.shipping.returns.billing.refunding import Refunding
from bridge.shipping.returns.cancel_api import CancelApi
from bridge.shipping.returns.cancelling import Cancelling
from bridge.shipping.returns.checkout.api import CheckoutApi
from bridge.shipping.returns.codes.activating import Activating
from bridge.shipping.returns.codes.api import CodesApi
from bridge.shipping.returns.codes.asked import ActivateCode, InvalidateCode, MakeCodes
from bridge.shipping.returns.codes.invalidating import Invalidating
from bridge.shipping.returns.codes.stock import Stock
from bridge.shipping.returns.codes.stocking import Stocking
from bridge.shipping.returns.creating import Creating
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.doubting.doubts import Doubts
from bridge.shipping.returns.doubting.settled import Settled
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.labelling import Labels
from bridge.shipping.returns.orders.api import ReturnOrdersApi
from bridge.shipping.returns.orders.asked import AddReturnOrderItems, CreateReturnOrder, DeleteReturnOrder
from bridge.shipping.returns.orders.ordering import Ordering
from bridge.shipping.returns.platforms import Platforms
from bridge.web.access import Access


@dataclass(frozen=True, slots=True)
class Returns:
    """What makes returns, keeps them, ends doubts about them, and keeps codes made in advance."""

    desk: Desk
    keeping: Keeping
    doubts: Doubts
    stock: Stock


def open_returns(shared: Shared, stores: Stores, accounts: Accounts) -> Returns:
    """Make what chooses between the providers, and what keeps what becomes of it."""
    keeping = Keeping(
        stores.database, stores.vault, stores.recorder, shared.clock, partial(shared.bells.ring, "events")
    )
    makers = {name: one.maker(name, keeping) for name, one in accounts.items()}
    doubts = Doubts(stores.database, stores.vault, keeping, shared.clock)
    stock = Stock(stores.database, stores.vault, makers)
    return Returns(Desk(makers, _routes(shared.settings)), keeping, doubts, stock)


def return_operations(returns: Returns, clock: Clock) -> Mapping[str, Operation]:
    """Make what carries out the commands about returns."""
    desk, keeping, stock = returns.desk, returns.keeping, returns.stock
    creating, activating = Creating(desk, keeping, clock), Activating(stock, keeping, clock)
    invalidating, platforms = Invalidating(stock, clock), Platforms.among(desk.makers)
    ordering = Ordering(platforms, clock)
    return {
        CreateReturn.operation: Operation(creating, last_word=creating.given_up),
        CancelReturn.operation: Operation(Cancelling(desk.makers, keeping, clock)),
        SettleReturn.operation: Operation(Settled(returns.doubts)),
        FetchReturnLabel.operation: Operation(Labels(desk, keeping)),
        MakeCodes.operation: Operation(Stocking(stock, clock), at_once=1),
        ActivateCode.operation: Operation(activating, last_word=activating.given_up),
        InvalidateCode.operation: Operation(invalidating, last_word=invalidating.given_up),
        CreateReturnOrder.operation: Operation(ordering.create),
        AddReturnOrderItems.operation: Operation(ordering.add_items),
        DeleteReturnOrder.operation: Operation(ordering.delete),
        MarkRefunded.operation: Operation(Refunding(platforms, keeping, clock)),
    }


def returns_apis(
    returns: Returns, giving: Giving, access: Access
) -> tuple[CheckoutApi, BillingApi, ReturnOrdersApi, CodesApi, CancelApi, ReturnsApi]:
    """Make what answers about returns, and about orders and money before and after."""
    desk, keeping, platforms = returns.desk, returns.keeping, Platforms.among(returns.desk.makers)
    return (
        CheckoutApi(platforms, access, monotonic),
        BillingApi(platforms, keeping, giving, access),
        ReturnOrdersApi(platforms, giving, access),
        CodesApi(returns.stock, giving, access),
        CancelApi(keeping, giving, access),
        ReturnsApi(desk, keeping, giving, access),
    )


def _routes(settings: Settings) -> list[Route]:
    return [
        Route(one.providers, frozenset(one.countries), frozenset(one.parcel_sizes), frozenset(one.organizations))
        for one in settings.returns.routes
    ]
