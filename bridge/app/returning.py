"""Returning: a client for every provider of returns that is set up, behind a gate that all replicas share."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

import httpx
from pydantic import SecretStr

from bridge.app import VERSION
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.http import make_http
from bridge.carriers.inpost_returns.client import InPostReturnsClient
from bridge.carriers.inpost_returns.tokens import Credentials
from bridge.carriers.intelligentreturns.client import IntelligentReturns
from bridge.carriers.intelligentreturns.platform import IntelligentPlatform
from bridge.carriers.szybkie_zwroty.caller import Login
from bridge.carriers.szybkie_zwroty.client import SzybkieZwrotyClient
from bridge.commands.execute import Operation
from bridge.connections.gate import Gate
from bridge.limits.connection import Limits
from bridge.returns.routing import Route
from bridge.settings import Settings
from bridge.shipping.returns.asked import CreateReturn
from bridge.shipping.returns.creating import Creating
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.makers import CodeMaker, Maker, PlatformMaker, TicketMaker

LIMITS: Final = Limits(per_minute=60, at_once=2)
"""None of them says how much it takes."""
TIMEOUT_S: Final = 10.0
INPOST_RETURNS: Final = "inpost_returns/main"
SZYBKIE_ZWROTY: Final = "szybkie_zwroty/main"
INTELLIGENTRETURNS: Final = "intelligentreturns/main"


def open_returns(stack: AsyncExitStack, shared: Shared, stores: Stores) -> tuple[Desk, Keeping]:
    """Make the clients, what chooses between them, and what keeps returns."""
    keeping = Keeping(
        stores.database, stores.vault, stores.recorder, shared.clock, partial(shared.bells.ring, "events")
    )
    return Desk(_makers(stack, shared, stores, keeping), _routes(shared.settings)), keeping


def return_operations(shared: Shared, desk: Desk, keeping: Keeping) -> Mapping[str, Operation]:
    """Make what carries out the commands about returns."""
    return {CreateReturn.operation: Operation(Creating(desk, keeping, shared.clock))}


def _makers(stack: AsyncExitStack, shared: Shared, stores: Stores, keeping: Keeping) -> Mapping[str, Maker]:
    found: dict[str, Maker] = {}
    if (tickets := _tickets(stack, shared, stores)) is not None:
        found[INPOST_RETURNS] = TicketMaker(tickets, partial(keeping.linked, INPOST_RETURNS))
    if (codes := _codes(stack, shared, stores)) is not None:
        found[SZYBKIE_ZWROTY] = CodeMaker(codes)
    if (platform := _platform(stack, shared, stores)) is not None:
        found[INTELLIGENTRETURNS] = PlatformMaker(platform)
    return found


def _tickets(stack: AsyncExitStack, shared: Shared, stores: Stores) -> InPostReturnsClient | None:
    told = shared.settings.inpost_returns
    if told.client_id is None or told.client_secret is None:
        return None
    return InPostReturnsClient(
        _open_http(stack),
        base_url=told.base_url,
        token_url=told.token_url,
        credentials=Credentials(told.client_id, told.client_secret),
        permits=_open_gate(stack, shared, stores, INPOST_RETURNS),
        metrics=shared.metrics,
        clock=shared.clock,
        version=VERSION,
    )


def _codes(stack: AsyncExitStack, shared: Shared, stores: Stores) -> SzybkieZwrotyClient | None:
    told = shared.settings.szybkie_zwroty
    if told.email is None or told.password is None:
        return None
    return SzybkieZwrotyClient(
        _open_http(stack),
        base_url=told.base_url,
        login=Login(SecretStr(told.email), told.password),
        permits=_open_gate(stack, shared, stores, SZYBKIE_ZWROTY),
        metrics=shared.metrics,
        clock=shared.clock,
        version=VERSION,
    )


def _platform(stack: AsyncExitStack, shared: Shared, stores: Stores) -> IntelligentPlatform | None:
    told = shared.settings.intelligentreturns
    if told.login is None or told.api_key is None:
        return None
    client = IntelligentReturns(
        _open_http(stack),
        base_url=told.base_url,
        login=told.login,
        api_key=told.api_key,
        form=told.format,
        permits=_open_gate(stack, shared, stores, INTELLIGENTRETURNS),
        metrics=shared.metrics,
        clock=shared.clock,
    )
    return IntelligentPlatform(client)


def _open_http(stack: AsyncExitStack) -> httpx.AsyncClient:
    http = make_http(timeout_s=TIMEOUT_S, at_once=LIMITS.at_once)
    stack.push_async_callback(http.aclose)
    return http


def _open_gate(stack: AsyncExitStack, shared: Shared, stores: Stores, name: str) -> Gate:
    gate = Gate(stores.connections, name, LIMITS, holder=shared.holder, clock=shared.clock)
    stack.push_async_callback(gate.close)
    shared.bells.hang("connections", gate.wake)
    return gate


def _routes(settings: Settings) -> list[Route]:
    return [
        Route(one.providers, frozenset(one.countries), frozenset(one.parcel_sizes), frozenset(one.organizations))
        for one in settings.returns.routes
    ]
