"""Buying: by which policy, and in which mode."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Final

from bridge.app.carriers import Carriers
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.connections.watch import Watch
from bridge.errors import SettingsError
from bridge.purchasing.buyer import Account, Buyer, Mode
from bridge.purchasing.policy import load as load_policy
from bridge.settings import Settings, is_loopback
from bridge.store.connections import shipx
from bridge.store.purchases import SqlPurchases

APPROVES: Final = (
    "purchases are decided and announced as held, not made: this version buys by itself only at a carrier on loopback"
)


async def make_buyer(shared: Shared, stores: Stores, clients: Carriers) -> Buyer:
    """Make the buyer, for every organization that has a token. Raises SettingsError."""
    settings, mode = shared.settings, real_mode(shared.settings)
    if clients and mode != settings.purchasing.mode:
        shared.warnings.append(APPROVES)
    watch = Watch(stores.connections, {shipx(number): client for number, client in clients.items()}, shared.stop)
    shared.loops.start("connections.watch", watch.run)
    return Buyer(
        purchases=SqlPurchases(stores.database, stores.recorder, shared.holder),
        accounts={organization: Account(client, mode) for organization, client in clients.items()},
        policy=load_policy(await asyncio.to_thread(policy_text, settings)),
        settle=timedelta(seconds=settings.purchasing.settle_s),
        call_within=timedelta(seconds=settings.shipx.timeout_s),
        at_once=settings.shipx.max_in_flight,
        metrics=shared.metrics,
        clock=shared.clock,
        stop=shared.stop,
        on_events=partial(shared.bells.ring, "events"),
    )


def real_mode(settings: Settings) -> Mode:
    """Say what the buyer really does: money is only spent unasked at a carrier on this machine."""
    mode = settings.purchasing.mode
    return mode if mode != "auto" or is_loopback(settings.shipx.base_url) else "approve"


def policy_text(settings: Settings) -> bytes:
    """Read the policy file. Raises SettingsError."""
    try:
        return settings.policy.read_bytes()
    except OSError as error:
        raise SettingsError([("BRIDGE_POLICY", f"cannot be read: {error.strerror}")]) from error
