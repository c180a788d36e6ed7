"""Returning: a client for every provider of returns that is set up, behind a gate that all replicas share."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import assert_never

import httpx
from pydantic import SecretStr

from bridge.app import VERSION
from bridge.app.shared import Shared
from bridge.app.stores import Stores, return_connection
from bridge.carriers.http import make_http
from bridge.carriers.inpost_returns.client import InPostReturnsClient
from bridge.carriers.inpost_returns.tokens import Credentials
from bridge.carriers.intelligentreturns.client import IntelligentReturns
from bridge.carriers.intelligentreturns.platform import IntelligentPlatform
from bridge.carriers.szybkie_zwroty.caller import Login
from bridge.carriers.szybkie_zwroty.client import SzybkieZwrotyClient
from bridge.commands.execute import Operation
from bridge.commands.giving import Giving
from bridge.connections.gate import Gate
from bridge.lifecycle import Clock
from bridge.limits.connection import Limits
from bridge.observability import Metrics
from bridge.ports import Permits
from bridge.returns.routing import Route
from bridge.settings import Settings
from bridge.settings.model import ReturnProvider
from bridge.shipping.returns.activating import Activating
from bridge.shipping.returns.api import ReturnsApi
from bridge.shipping.returns.asked import CreateReturn, SettleReturn
from bridge.shipping.returns.asked_codes import (
    ActivateCode,
    CancelReturn,
    FetchReturnLabel,
    InvalidateCode,
    MakeCodes,
)
from bridge.shipping.returns.billing.api import BillingApi
from bridge.shipping.returns.billing.asked import MarkRefunded
from bridge.shipping.returns.billing.refunding import Refunding
from bridge.shipping.returns.cancel_api import CancelApi
from bridge.shipping.returns.cancelling import Cancelling
from bridge.shipping.returns.checkout.api import CheckoutApi
from bridge.shipping.returns.codes_api import CodesApi
from bridge.shipping.returns.creating import Creating
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.doubts import Doubts
from bridge.shipping.returns.invalidating import Invalidating
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.labelling import Labels
from bridge.shipping.returns.makers import CodeMaker, Maker, PlatformMaker, TicketMaker
from bridge.shipping.returns.orders.api import ReturnOrdersApi
from bridge.shipping.returns.orders.asked import AddReturnOrderItems, CreateReturnOrder, DeleteReturnOrder
from bridge.shipping.returns.orders.ordering import Ordering
from bridge.shipping.returns.platforms import Platforms
from bridge.shipping.returns.settled import Settled
from bridge.shipping.returns.stock import Stock
from bridge.shipping.returns.stocking import Stocking
from bridge.web.access import Access


@dataclass(frozen=True, slots=True)
class Means:
    """What a client asks with."""

    http: httpx.AsyncClient
    permits: Permits
    metrics: Metrics
    clock: Clock


@dataclass(frozen=True, slots=True)
class Returns:
    """What makes returns, keeps them, ends doubts about them, and keeps codes made in advance."""

    desk: Desk
    keeping: Keeping
    doubts: Doubts
    stock: Stock


def open_returns(stack: AsyncExitStack, shared: Shared, stores: Stores) -> Returns:
    """Make the clients, what chooses between them, and what keeps what becomes of it."""
    keeping = Keeping(
        stores.database, stores.vault, stores.recorder, shared.clock, partial(shared.bells.ring, "events")
    )
    settings = shared.settings
    makers = {
        return_connection(one): _maker(one, settings, _means(stack, shared, stores, one), keeping)
        for one in settings.return_providers
    }
    doubts = Doubts(stores.database, stores.vault, keeping, shared.clock)
    return Returns(Desk(makers, _routes(settings)), keeping, doubts, Stock(stores.database, stores.vault, makers))


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


def limits_of(settings: Settings, provider: ReturnProvider) -> Limits:
    """Say how much a provider may be asked."""
    told = settings.return_provider(provider)
    return Limits(per_minute=told.requests_per_minute, at_once=told.max_in_flight)


def ticket_desk(settings: Settings, means: Means) -> InPostReturnsClient:
    """Make the client of InPost Returns, which has credentials."""
    told = settings.inpost_returns
    assert told.client_id is not None
    assert told.client_secret is not None
    return InPostReturnsClient(
        means.http,
        base_url=told.base_url,
        token_url=told.token_url,
        credentials=Credentials(told.client_id, told.client_secret),
        permits=means.permits,
        metrics=means.metrics,
        clock=means.clock,
        version=VERSION,
    )


def code_desk(settings: Settings, means: Means) -> SzybkieZwrotyClient:
    """Make the client of Szybkie Zwroty, which has credentials."""
    told = settings.szybkie_zwroty
    assert told.email is not None
    assert told.password is not None
    return SzybkieZwrotyClient(
        means.http,
        base_url=told.base_url,
        login=Login(SecretStr(told.email), told.password),
        permits=means.permits,
        metrics=means.metrics,
        clock=means.clock,
        version=VERSION,
    )


def return_platform(settings: Settings, means: Means) -> IntelligentPlatform:
    """Make the client of Intelligentreturns, which has credentials."""
    told = settings.intelligentreturns
    assert told.login is not None
    assert told.api_key is not None
    client = IntelligentReturns(
        means.http,
        base_url=told.base_url,
        login=told.login,
        api_key=told.api_key,
        form=told.format,
        permits=means.permits,
        metrics=means.metrics,
        clock=means.clock,
    )
    return IntelligentPlatform(client)


def _maker(provider: ReturnProvider, settings: Settings, means: Means, keeping: Keeping) -> Maker:
    match provider:
        case "inpost_returns":
            return TicketMaker(ticket_desk(settings, means), partial(keeping.linked, return_connection(provider)))
        case "szybkie_zwroty":
            return CodeMaker(code_desk(settings, means))
        case "intelligentreturns":
            return PlatformMaker(return_platform(settings, means))
        case _:
            assert_never(provider)


def _means(stack: AsyncExitStack, shared: Shared, stores: Stores, provider: ReturnProvider) -> Means:
    limits = limits_of(shared.settings, provider)
    gate = _open_gate(stack, shared, stores, return_connection(provider), limits)
    http = make_http(timeout_s=shared.settings.return_provider(provider).timeout_s, at_once=limits.at_once)
    stack.push_async_callback(http.aclose)
    return Means(http, gate, shared.metrics, shared.clock)


def _open_gate(stack: AsyncExitStack, shared: Shared, stores: Stores, name: str, limits: Limits) -> Gate:
    gate = Gate(stores.connections, name, limits, holder=shared.holder, clock=shared.clock)
    stack.push_async_callback(gate.close)
    shared.bells.hang("connections", gate.wake)
    return gate


def _routes(settings: Settings) -> list[Route]:
    return [
        Route(one.providers, frozenset(one.countries), frozenset(one.parcel_sizes), frozenset(one.organizations))
        for one in settings.returns.routes
    ]
