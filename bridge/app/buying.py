"""Buying: by which policy, in which mode, and by which carrier client of each organization."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from pydantic import SecretStr

from bridge.app import VERSION
from bridge.app.policy import read_policy
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.shipx.client import ShipxClient, make_http
from bridge.connections.gate import Gate
from bridge.connections.watch import Watch
from bridge.limits.connection import Limits
from bridge.model import OrganizationId
from bridge.purchasing.buyer import Buyer
from bridge.purchasing.hand import Account
from bridge.purchasing.policy import Policy
from bridge.purchasing.terms import Mode, Terms
from bridge.settings import Settings, is_loopback
from bridge.store.budget import Caps
from bridge.store.connections import shipx
from bridge.store.purchases import SqlPurchases
from bridge.store.refusals import SqlRefusals

APPROVES: Final = (
    "purchases are decided and held until a person approves them;"
    " BRIDGE_PURCHASING__SCOPE=all lets them be made unasked"
)


async def make_buyer(stack: AsyncExitStack, shared: Shared, stores: Stores) -> Buyer:
    """Make the buyer, for every organization that has a token. Raises SettingsError."""
    settings, mode = shared.settings, real_mode(shared.settings)
    clients = _open_clients(stack, shared, stores)
    if clients and mode != settings.purchasing.mode:
        shared.warnings.append(APPROVES)
    policy = await read_policy(settings)
    regenerate = policy.regenerate_after_pause
    shared.loops.start("connections.watch", _make_watch(shared, stores, clients, regenerate=regenerate).run)
    terms = _terms(settings, mode, policy)
    return Buyer(
        purchases=SqlPurchases(stores.database, stores.recorder, shared.holder, regenerate=regenerate),
        accounts={organization: Account(client, terms) for organization, client in clients.items()},
        others=terms,
        limits=Limits(settings.shipx.requests_per_minute, settings.shipx.max_in_flight),
        metrics=shared.metrics,
        clock=shared.clock,
        stop=shared.stop,
        on_events=partial(shared.bells.ring, "events"),
    )


def _terms(settings: Settings, mode: Mode, policy: Policy) -> Terms:
    purchasing = settings.purchasing
    spend = None if purchasing.max_spend_per_day is None else Decimal(purchasing.max_spend_per_day)
    return Terms(
        mode=mode,
        policy=policy,
        caps=Caps(purchasing.max_per_day, spend, purchasing.max_per_minute),
        settle=timedelta(seconds=purchasing.settle_s),
        call_within=timedelta(seconds=settings.shipx.timeout_s),
        regenerations=purchasing.regenerations,
    )


def _make_watch(
    shared: Shared, stores: Stores, clients: Mapping[OrganizationId, ShipxClient], *, regenerate: bool
) -> Watch:
    return Watch(
        stores.connections,
        SqlRefusals(stores.database, stores.recorder, regenerate=regenerate),
        {shipx(organization): client for organization, client in clients.items()},
        shared.stop,
        on_resumed=partial(shared.bells.ring, "purchases"),
    )


def real_mode(settings: Settings) -> Mode:
    """Say what the buyer really does: money is only spent unasked where somebody said for which shipments.

    A carrier on this machine is a stand-in. This version creates no shipments, so none is `created_by_bridge`.
    """
    mode, scope = settings.purchasing.mode, settings.purchasing.scope
    is_free = scope == "all" or (scope is None and is_loopback(settings.shipx.base_url))
    return mode if mode != "auto" or is_free else "approve"


def _open_clients(stack: AsyncExitStack, shared: Shared, stores: Stores) -> dict[OrganizationId, ShipxClient]:
    return {
        OrganizationId(one.id): _open_client(stack, shared, stores, OrganizationId(one.id), one.token)
        for one in shared.settings.shipx.organizations
        if one.token is not None
    }


def _open_client(
    stack: AsyncExitStack, shared: Shared, stores: Stores, organization: OrganizationId, token: SecretStr
) -> ShipxClient:
    """Make the client of one organization, behind a gate that all replicas share."""
    carrier = shared.settings.shipx
    http = make_http(timeout_s=carrier.timeout_s, at_once=carrier.max_in_flight)
    stack.push_async_callback(http.aclose)
    return ShipxClient(
        http,
        base_url=carrier.base_url,
        organization=organization,
        token=token,
        permits=_open_gate(stack, shared, stores, organization),
        metrics=shared.metrics,
        clock=shared.clock,
        version=VERSION,
    )


def _open_gate(stack: AsyncExitStack, shared: Shared, stores: Stores, organization: OrganizationId) -> Gate:
    carrier = shared.settings.shipx
    limits = Limits(carrier.requests_per_minute, carrier.max_in_flight)
    gate = Gate(stores.connections, shipx(organization), limits, holder=shared.holder, clock=shared.clock)
    stack.push_async_callback(gate.close)
    shared.bells.hang("connections", gate.wake)
    return gate
