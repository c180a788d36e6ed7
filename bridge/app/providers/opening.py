"""Opening the accounts that are set up, each behind a gate that all replicas share, and what is asked for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import assert_never

from bridge.app.providers.account import Account, Means, Watch
from bridge.app.shared import Shared
from bridge.app.stores import Stores, return_connection
from bridge.carriers.http import make_http
from bridge.connections.gate import Gate
from bridge.limits.connection import Limits
from bridge.reconciling.reconciler import Round
from bridge.reconciling.returns.expiring import Expiring
from bridge.settings import Settings
from bridge.settings.model import ReturnProvider

Accounts = Mapping[str, Account]
"""The accounts by the names of their connections."""


def open_accounts(stack: AsyncExitStack, shared: Shared, stores: Stores) -> Accounts:
    """Open an account at every provider that is set up."""
    return {
        return_connection(one): account(one, shared.settings, _means(stack, shared, stores, one))
        for one in shared.settings.return_providers
    }


def account(provider: ReturnProvider, settings: Settings, means: Means) -> Account:
    """Open an account; its provider's client is loaded only here, for most processes need none."""
    match provider:
        case "inpost_returns":
            from bridge.app.providers import inpost_returns

            return inpost_returns.account(settings, means)
        case "szybkie_zwroty":
            from bridge.app.providers import szybkie_zwroty

            return szybkie_zwroty.account(settings, means)
        case "intelligentreturns":
            from bridge.app.providers import intelligentreturns

            return intelligentreturns.account(settings, means)
        case _:
            assert_never(provider)


def limits_of(settings: Settings, provider: ReturnProvider) -> Limits:
    """Say how much a provider may be asked: after a refused login nothing more, until a person says so."""
    told = settings.return_provider(provider)
    return Limits(told.requests_per_minute, told.max_in_flight, stops_all=True, pauses_on_refusal=True)


def return_rounds(shared: Shared, stores: Stores, connection: str, one: Account) -> Sequence[Round]:
    """Say what is done for one account, and how often: what became of returns, and what will soon expire."""
    watch = Watch(shared, stores, connection, timedelta(seconds=shared.settings.returns.poll_s))
    looks = {**one.looks(watch), "expiring": _expiring(watch).look}
    return [Round(name, watch.every.total_seconds(), look) for name, look in looks.items()]


def _expiring(watch: Watch) -> Expiring:
    return Expiring(
        watch.connection,
        database=watch.stores.database,
        recorder=watch.stores.recorder,
        clock=watch.shared.clock,
        stop=watch.shared.stop,
        on_events=watch.on_events,
    )


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
