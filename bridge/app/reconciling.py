"""Reconciling: what never arrived is asked for, an organization or a connection by one process at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bridge.app.carriers import Carriers
from bridge.app.dispatching import make_keeping
from bridge.app.providers.opening import Accounts, return_rounds
from bridge.app.returning import Returns
from bridge.app.settling import settling_rounds
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.shipx.client import ShipxClient
from bridge.carriers.shipx.dispatching import ShipxDispatcher
from bridge.carriers.shipx.tracking import ShipxTracker
from bridge.dispatch.keeping import Keeping
from bridge.events import statuses
from bridge.events.shipment import SOURCE
from bridge.model import OrganizationId
from bridge.reconciling.abandoned import Abandoned
from bridge.reconciling.backfill import Backfilled
from bridge.reconciling.collecting import Collecting
from bridge.reconciling.discovery import Discovery
from bridge.reconciling.hearing import judge
from bridge.reconciling.learning import Learning
from bridge.reconciling.pace import Pace
from bridge.reconciling.reconciler import Reconciler, Round
from bridge.reconciling.sweeping import ALONE, Sweeping
from bridge.reconciling.vocabulary import Vocabulary
from bridge.store.hearing import SqlHearing
from bridge.store.leases import SqlLeases
from bridge.store.steering import SqlSteering
from bridge.store.sweeps import SqlSweeps
from bridge.store.watched import Phase

_SLOWEST_DISCOVERY_S: Final = 30.0
_SLOWEST_TRACKING_S: Final = 60.0
"""How long reads of shipments under way are gathered for one call, at most."""
_HEARING_S: Final = 30.0
_WAITING_S: Final = 2.0
"""How long reads that facts of webhooks wait for are gathered for one call."""
_WAITING_ALONE: Final = 1
"""How many of them one round reads alone: rounds are many, and ids may be forged."""
_VOCABULARY_S: Final = 900.0
"""How often it is seen whether the day is over after which the carrier's words are compared again."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the rounds of all organizations share."""

    shared: Shared
    sweeps: SqlSweeps
    learning: Learning
    hearing: SqlHearing
    keeping: Keeping
    abandoned: Abandoned


def open_reconciler(shared: Shared, stores: Stores, carriers: Carriers, accounts: Accounts, returns: Returns) -> None:
    """Start asking about the shipments of every organization, and the returns of every provider, that can be asked."""
    settling = settling_rounds(shared, returns)
    rounds: dict[str, Sequence[Round]] = {
        name: [*return_rounds(shared, stores, name, one), *settling[name]] for name, one in accounts.items()
    }
    rounds |= _organizations(shared, stores, carriers)
    if rounds:
        reconciler = Reconciler(SqlLeases(stores.database, shared.holder), rounds, shared.stop)
        shared.loops.start("reconciler", reconciler.run)


def _organizations(shared: Shared, stores: Stores, carriers: Carriers) -> dict[str, Sequence[Round]]:
    """Have nothing asked without a token, but see how the webhooks do all the same."""
    parts = _parts(shared, stores)
    organizations = [OrganizationId(one.id) for one in shared.settings.shipx.organizations]
    rounds: dict[str, Sequence[Round]] = {
        str(one): (*(_rounds(parts, one, carriers[one]) if one in carriers else ()), _hearing(parts, one))
        for one in organizations
    }
    if not carriers:
        return rounds
    first = min(carriers)  # the words are everybody's, so they are asked for under one organization's lease
    words = Round("vocabulary", _VOCABULARY_S, _vocabulary(parts, stores, carriers[first]))
    return rounds | {str(first): (*rounds[str(first)], words)}


def _hearing(parts: _Parts, organization: OrganizationId) -> Round:
    async def review() -> None:
        await parts.hearing.review(organization, parts.shared.clock())

    return Round("hearing", _HEARING_S, review)


def make_learning(shared: Shared, stores: Stores) -> Learning:
    """Make what takes reads in."""
    return _parts(shared, stores).learning


def make_backfill(shared: Shared, stores: Stores, carriers: Carriers) -> Backfilled:
    """Make what carries out `shipments.backfill`."""
    return Backfilled(carriers, _parts(shared, stores).learning, shared.clock, shared.stop)


def _parts(shared: Shared, stores: Stores) -> _Parts:
    asked = shared.settings.reconcile
    pace = Pace(timedelta(seconds=asked.open_s), timedelta(seconds=asked.tracking_s))
    sweeps = SqlSweeps(stores.database, stores.recorder, pace)
    learning = Learning(
        sweeps,
        metrics=shared.metrics,
        clock=shared.clock,
        on_events=partial(shared.bells.ring, "events"),
        on_wanted=partial(shared.bells.ring, "purchases"),
    )
    hearing = SqlHearing(stores.database, stores.recorder, judge)
    abandoned = Abandoned(stores.database, SqlSteering(stores.recorder), shared.clock)
    return _Parts(shared, sweeps, learning, hearing, make_keeping(shared, stores), abandoned)


def _rounds(parts: _Parts, organization: OrganizationId, carrier: ShipxClient) -> Sequence[Round]:
    """Say what is done for one organization, and how often.

    Whether its webhooks are received is no matter of this process's settings: receivers say so (`store.received`).
    """
    settings, heard_since = parts.shared.settings, parts.shared.clock()
    sweeping = _sweeping(parts, organization, carrier, heard_since)
    awaited = _sweeping(parts, organization, carrier, heard_since, _WAITING_ALONE)
    discovery = _discovery(parts, organization, carrier, heard_since)
    open_s = settings.reconcile.open_s
    tracking_s = min(settings.reconcile.tracking_s / 4, _SLOWEST_TRACKING_S)
    return (
        Round("discovery", min(open_s, _SLOWEST_DISCOVERY_S), discovery.look),
        Round("taking_in", open_s, sweeping.take_in),
        Round("waiting", _WAITING_S, partial(awaited.sweep, Phase.waiting, timedelta(0))),
        Round("open", open_s, partial(sweeping.sweep, Phase.open, timedelta(seconds=open_s / 2))),
        Round("tracking", tracking_s, partial(sweeping.sweep, Phase.tracking, timedelta(seconds=tracking_s / 2))),
        Round("couriers", open_s, _collecting(parts, organization, carrier).look),
        Round("abandoned", open_s, partial(parts.abandoned.let_go, organization)),
    )


def _collecting(parts: _Parts, organization: OrganizationId, carrier: ShipxClient) -> Collecting:
    shared, dispatcher = parts.shared, ShipxDispatcher(carrier.asker, organization)
    return Collecting(organization, dispatcher, parts.keeping, shared.clock, shared.stop)


def _vocabulary(parts: _Parts, stores: Stores, carrier: ShipxClient) -> Callable[[], Awaitable[None]]:
    tracker = ShipxTracker(carrier.asker)
    return Vocabulary(stores.database, tracker, partial(statuses.words, SOURCE), parts.shared.clock).compare


def _sweeping(
    parts: _Parts,
    organization: OrganizationId,
    carrier: ShipxClient,
    heard_since: datetime,
    alone: int = ALONE,
) -> Sweeping:
    return Sweeping(
        organization,
        carrier=carrier,
        sweeps=parts.sweeps,
        learning=parts.learning,
        metrics=parts.shared.metrics,
        clock=parts.shared.clock,
        stop=parts.shared.stop,
        heard_since=heard_since,
        alone=alone,
    )


def _discovery(parts: _Parts, organization: OrganizationId, carrier: ShipxClient, heard_since: datetime) -> Discovery:
    return Discovery(
        organization,
        carrier=carrier,
        sweeps=parts.sweeps,
        learning=parts.learning,
        clock=parts.shared.clock,
        heard_since=heard_since,
    )
