"""Returning: a client for every provider of returns that is set up, behind a gate that all replicas share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final, assert_never

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
from bridge.connections.gate import Gate
from bridge.lifecycle import Clock
from bridge.limits.connection import Limits
from bridge.observability import Metrics
from bridge.ports import Permits
from bridge.returns.routing import Route
from bridge.settings import Settings
from bridge.settings.model import ReturnProvider
from bridge.shipping.returns.asked import CreateReturn
from bridge.shipping.returns.creating import Creating
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.makers import CodeMaker, Maker, PlatformMaker, TicketMaker

LIMITS: Final = Limits(per_minute=60, at_once=2)
"""None of them says how much it takes."""
TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Means:
    """What a client asks with."""

    http: httpx.AsyncClient
    permits: Permits
    metrics: Metrics
    clock: Clock


@dataclass(frozen=True, slots=True)
class ReturnAccount:
    """Our account at a provider of returns: the name of the connection, and the client that asks over it."""

    connection: str
    client: InPostReturnsClient | SzybkieZwrotyClient | IntelligentPlatform


def open_accounts(stack: AsyncExitStack, shared: Shared, stores: Stores) -> Sequence[ReturnAccount]:
    """Make a client for every provider that is set up."""
    return [
        ReturnAccount(
            return_connection(one), _client(one, shared.settings, _means(stack, shared, stores, return_connection(one)))
        )
        for one in shared.settings.return_providers
    ]


def open_returns(shared: Shared, stores: Stores, accounts: Sequence[ReturnAccount]) -> tuple[Desk, Keeping]:
    """Make what chooses between the providers, and what keeps returns."""
    keeping = Keeping(
        stores.database, stores.vault, stores.recorder, shared.clock, partial(shared.bells.ring, "events")
    )
    makers = {one.connection: maker(one, keeping) for one in accounts}
    return Desk(makers, _routes(shared.settings)), keeping


def return_operations(shared: Shared, desk: Desk, keeping: Keeping) -> Mapping[str, Operation]:
    """Make what carries out the commands about returns."""
    creating = Creating(desk, keeping, shared.clock)
    return {CreateReturn.operation: Operation(creating, last_word=creating.given_up)}


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


def maker(account: ReturnAccount, keeping: Keeping) -> Maker:
    """Make what makes returns at a provider."""
    match account.client:
        case InPostReturnsClient() as client:
            return TicketMaker(client, partial(keeping.linked, account.connection))
        case SzybkieZwrotyClient() as client:
            return CodeMaker(client)
        case IntelligentPlatform() as client:
            return PlatformMaker(client)
        case _:
            assert_never(account.client)


def _client(
    provider: ReturnProvider, settings: Settings, means: Means
) -> InPostReturnsClient | SzybkieZwrotyClient | IntelligentPlatform:
    match provider:
        case "inpost_returns":
            return ticket_desk(settings, means)
        case "szybkie_zwroty":
            return code_desk(settings, means)
        case "intelligentreturns":
            return return_platform(settings, means)
        case _:
            assert_never(provider)


def _means(stack: AsyncExitStack, shared: Shared, stores: Stores, name: str) -> Means:
    return Means(_open_http(stack), _open_gate(stack, shared, stores, name), shared.metrics, shared.clock)


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
