"""Accounts at providers of returns: a client for every one that is set up, behind a gate that all replicas share."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
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
from bridge.connections.gate import Gate
from bridge.lifecycle import Clock
from bridge.limits.connection import Limits
from bridge.observability import Metrics
from bridge.ports import Permits
from bridge.settings import Settings
from bridge.settings.model import ReturnProvider

_BLOCKING: Final = frozenset[ReturnProvider]({"intelligentreturns"})
"""Who blocks an address after some wrong logins."""
ReturnClient = InPostReturnsClient | SzybkieZwrotyClient | IntelligentPlatform


@dataclass(frozen=True, slots=True)
class ReturnAccount:
    """Our account at a provider of returns: the name of the connection, and the client that asks over it."""

    connection: str
    client: ReturnClient


@dataclass(frozen=True, slots=True)
class Means:
    """What a client asks with."""

    http: httpx.AsyncClient
    permits: Permits
    metrics: Metrics
    clock: Clock


def open_accounts(stack: AsyncExitStack, shared: Shared, stores: Stores) -> Sequence[ReturnAccount]:
    """Make a client for every provider that is set up."""
    return [
        ReturnAccount(return_connection(one), _client(one, shared.settings, _means(stack, shared, stores, one)))
        for one in shared.settings.return_providers
    ]


def limits_of(settings: Settings, provider: ReturnProvider) -> Limits:
    """Say how much a provider may be asked."""
    told = settings.return_provider(provider)
    return Limits(told.requests_per_minute, told.max_in_flight, stops_all=True, pauses_on_refusal=provider in _BLOCKING)


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


def _client(provider: ReturnProvider, settings: Settings, means: Means) -> ReturnClient:
    match provider:
        case "inpost_returns":
            return ticket_desk(settings, means)
        case "szybkie_zwroty":
            return code_desk(settings, means)
        case "intelligentreturns":
            return return_platform(settings, means)
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
