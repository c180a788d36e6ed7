"""Carriers: a client for every organization that has a token, behind a gate that all replicas share."""

from __future__ import annotations

from contextlib import AsyncExitStack

from pydantic import SecretStr

from bridge.app import VERSION
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.http import make_http
from bridge.carriers.shipx.client import ShipxClient
from bridge.connections.gate import Gate
from bridge.limits.connection import Limits
from bridge.model import OrganizationId
from bridge.settings import Settings
from bridge.store.connections import shipx

Carriers = dict[OrganizationId, ShipxClient]


def open_carriers(stack: AsyncExitStack, shared: Shared, stores: Stores) -> Carriers:
    """Make the clients; one process asks an organization's carrier through one gate, whatever for."""
    return {
        OrganizationId(one.id): _open_client(stack, shared, stores, OrganizationId(one.id), one.token)
        for one in shared.settings.shipx.organizations
        if one.token is not None
    }


def _open_client(
    stack: AsyncExitStack, shared: Shared, stores: Stores, organization: OrganizationId, token: SecretStr
) -> ShipxClient:
    carrier = shared.settings.shipx
    http = make_http(timeout_s=carrier.timeout_s, at_once=limits_of(shared.settings, organization).at_once)
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
    limits = limits_of(shared.settings, organization)
    gate = Gate(stores.connections, shipx(organization), limits, holder=shared.holder, clock=shared.clock)
    stack.push_async_callback(gate.close)
    shared.bells.hang("connections", gate.wake)
    return gate


def limits_of(settings: Settings, organization: OrganizationId) -> Limits:
    """Say how much an organization's carrier may be asked: its own limits, or everybody's."""
    [one] = [one for one in settings.shipx.organizations if one.id == organization]
    return Limits(*settings.shipx.limits_of(one))
