"""Working: what webhooks say becomes state and events, and wanted purchases are made."""

from __future__ import annotations

from functools import partial

from bridge.app.buying import make_buyer
from bridge.app.carriers import Carriers
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.shipx import webhook as shipx_webhook
from bridge.events.projection import project
from bridge.ingress.worker import Worker
from bridge.store.projecting import SqlProjector


async def open_worker(shared: Shared, stores: Stores, carriers: Carriers) -> None:
    """Start the worker, and the buyer that it wakes."""
    buyer = await make_buyer(shared, stores, carriers)
    worker = Worker(
        SqlProjector(stores.database, stores.vault, stores.recorder, shipx_webhook.notification, project),
        metrics=shared.metrics,
        clock=shared.clock,
        stop=shared.stop,
        on_events=partial(shared.bells.ring, "events"),
        on_wanted=buyer.bell.ring,
    )
    shared.bells.hang("deliveries", worker.bell.ring)
    shared.bells.hang("purchases", buyer.bell.ring)
    shared.loops.start("worker", worker.run)
    shared.loops.start("buyer", buyer.run)
