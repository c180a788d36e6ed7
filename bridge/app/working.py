"""Working: what webhooks say becomes state and events, and wanted purchases are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from bridge.app.buying import make_buyer
from bridge.app.carriers import Carriers
from bridge.app.shared import Bells, Shared
from bridge.app.stores import Stores
from bridge.carriers.shipx import webhook as shipx_webhook
from bridge.egress.relay import Relay
from bridge.events.projection import project
from bridge.ingress.worker import Worker
from bridge.store.database import Dialect
from bridge.store.outbox import Made
from bridge.store.projecting import SqlProjector

_HANDS: Final[Mapping[Dialect, int]] = {"sqlite": 1, "postgres": 2}
"""How many rounds are written at once in a backlog: SQLite has one writer."""


async def open_worker(shared: Shared, stores: Stores, carriers: Carriers, relay: Relay | None) -> None:
    """Start the worker, and the buyer that it wakes; a relay in the same process is handed what the worker made."""
    buyer = await make_buyer(shared, stores, carriers)
    worker = Worker(
        _projector(shared, stores),
        metrics=shared.metrics,
        clock=shared.clock,
        stop=shared.stop,
        on_events=partial(_hand_over, shared.bells, relay),
        on_wanted=buyer.bell.ring,
        hands=_HANDS[stores.database.dialect],
    )
    shared.bells.hang("deliveries", worker.bell.ring)
    shared.bells.hang("purchases", buyer.bell.ring)
    shared.loops.start("worker", worker.run)
    shared.loops.start("buyer", buyer.run)


def _projector(shared: Shared, stores: Stores) -> SqlProjector:
    return SqlProjector(
        stores.database,
        stores.vault,
        stores.recorder,
        shipx_webhook.notification,
        project,
        read_back=shared.settings.shipx.read_back,
        known=shared.readings.take,
    )


def _hand_over(bells: Bells, relay: Relay | None, made: Sequence[Made]) -> None:
    if relay is not None:
        relay.offer(made)
    bells.ring("events", but=None if relay is None else relay.bell.ring)
