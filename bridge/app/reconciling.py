"""Reconciling: what never arrived is asked for, an organization by one process at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from bridge.app.carriers import Carriers
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.shipx.client import ShipxClient
from bridge.model import OrganizationId
from bridge.reconciling.backfill import Backfilled
from bridge.reconciling.discovery import Discovery
from bridge.reconciling.hearing import judge
from bridge.reconciling.learning import Learning
from bridge.reconciling.pace import Pace
from bridge.reconciling.reconciler import Reconciler, Round
from bridge.reconciling.sweeping import Sweeping
from bridge.store.hearing import SqlHearing
from bridge.store.leases import SqlLeases
from bridge.store.sweeps import Phase, SqlSweeps

_SLOWEST_DISCOVERY_S: Final = 30.0
_SLOWEST_TRACKING_S: Final = 60.0
"""How long reads of shipments under way are gathered for one call, at most."""
_HEARING_S: Final = 30.0


def open_reconciler(shared: Shared, stores: Stores, carriers: Carriers) -> None:
    """Start asking about the shipments of every organization that can be asked."""
    learning, sweeps = _learning(shared, stores), _sweeps(shared, stores)
    rounds = {
        organization: _rounds(shared, stores, organization, carrier, sweeps, learning)
        for organization, carrier in carriers.items()
    }
    if rounds:
        reconciler = Reconciler(SqlLeases(stores.database, shared.holder), rounds, shared.stop)
        shared.loops.start("reconciler", reconciler.run)


def make_backfill(shared: Shared, stores: Stores, carriers: Carriers) -> Backfilled:
    """Make what carries out `shipments.backfill`."""
    return Backfilled(carriers, _learning(shared, stores), shared.clock, shared.stop)


def _learning(shared: Shared, stores: Stores) -> Learning:
    return Learning(
        _sweeps(shared, stores),
        metrics=shared.metrics,
        clock=shared.clock,
        on_events=partial(shared.bells.ring, "events"),
        on_wanted=partial(shared.bells.ring, "purchases"),
    )


def _sweeps(shared: Shared, stores: Stores) -> SqlSweeps:
    asked = shared.settings.reconcile
    pace = Pace(timedelta(seconds=asked.open_s), timedelta(seconds=asked.tracking_s))
    return SqlSweeps(stores.database, stores.recorder, pace)


def _rounds(
    shared: Shared,
    stores: Stores,
    organization: OrganizationId,
    carrier: ShipxClient,
    sweeps: SqlSweeps,
    learning: Learning,
) -> Sequence[Round]:
    """Say what is done for one organization, and how often. Webhooks are missed only where they are received."""
    asked = shared.settings.reconcile
    receives = any(one.id == organization and one.webhook_secrets for one in shared.settings.shipx.organizations)
    heard_since = shared.clock() if receives else None
    sweeping = Sweeping(
        organization,
        carrier=carrier,
        sweeps=sweeps,
        learning=learning,
        metrics=shared.metrics,
        clock=shared.clock,
        stop=shared.stop,
        heard_since=heard_since,
    )
    discovery = Discovery(
        organization,
        carrier=carrier,
        sweeps=sweeps,
        learning=learning,
        clock=shared.clock,
        heard_since=heard_since,
    )
    hearing = SqlHearing(stores.database, stores.recorder, judge)

    async def review() -> None:
        await hearing.review(organization, shared.clock())

    tracking_s = min(asked.tracking_s / 4, _SLOWEST_TRACKING_S)
    return (
        Round("discovery", min(asked.open_s, _SLOWEST_DISCOVERY_S), discovery.look),
        Round("taking_in", asked.open_s, sweeping.take_in),
        Round("open", asked.open_s, partial(sweeping.sweep, Phase.open, timedelta(seconds=asked.open_s / 2))),
        Round("tracking", tracking_s, partial(sweeping.sweep, Phase.tracking, timedelta(seconds=tracking_s / 2))),
        *([Round("hearing", _HEARING_S, review)] if receives else []),
    )
