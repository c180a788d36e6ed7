"""Buying: by which policy, and in which mode."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from bridge.app.carriers import Carriers, limits_of
from bridge.app.policy import forgoing, read_policy
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.shipx.client import ShipxClient
from bridge.connections.watch import Watch
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
    " BRIDGE_PURCHASING__SCOPE lets them be made unasked: of the shipments made here (created_by_bridge), or of all"
)


async def make_buyer(shared: Shared, stores: Stores, clients: Carriers) -> Buyer:
    """Make the buyer, for every organization that has a token. Raises SettingsError."""
    settings, mode = shared.settings, real_mode(shared.settings)
    if clients and mode != settings.purchasing.mode:
        shared.warnings.append(APPROVES)
    without = await forgoing(settings)
    shared.loops.start("connections.watch", _make_watch(shared, stores, clients, without).run)
    return Buyer(
        purchases=SqlPurchases(stores.database, stores.recorder, shared.holder, forgoing=without),
        accounts={organization: await _account(settings, mode, client) for organization, client in clients.items()},
        others=_terms(settings, mode, await read_policy(settings)),
        metrics=shared.metrics,
        clock=shared.clock,
        stop=shared.stop,
        on_events=partial(shared.bells.ring, "events"),
    )


async def _account(settings: Settings, mode: Mode, client: ShipxClient) -> Account:
    """Give an organization's own policy and limits."""
    policy = await read_policy(settings, client.organization)
    return Account(client, _terms(settings, mode, policy), limits_of(settings, client.organization))


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
        only_created=purchasing.scope == "created_by_bridge",
    )


def _make_watch(shared: Shared, stores: Stores, clients: Carriers, without: Collection[OrganizationId]) -> Watch:
    return Watch(
        stores.connections,
        SqlRefusals(stores.database, stores.recorder, forgoing=without),
        {shipx(organization): client for organization, client in clients.items()},
        shared.stop,
        on_resumed=partial(shared.bells.ring, "purchases"),
    )


def real_mode(settings: Settings) -> Mode:
    """Say what the buyer really does: money is only spent unasked where somebody said for which shipments.

    A carrier on this machine is a stand-in.
    """
    mode, scope = settings.purchasing.mode, settings.purchasing.scope
    is_free = scope is not None or is_loopback(settings.shipx.base_url)
    return mode if mode != "auto" or is_free else "approve"
