"""Retaining: what is kept for how long, and deleted then."""

from __future__ import annotations

from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.reconciling.retention import Retention
from bridge.store.leases import SqlLeases
from bridge.store.pruning import SqlPruning


def open_retention(shared: Shared, stores: Stores) -> None:
    """Start deleting what is old."""
    kept = shared.settings.retention
    retention = Retention(
        store=SqlPruning(stores.database, shared.holder, stores.shelf.drop),
        leases=SqlLeases(stores.database, shared.holder),
        keep={
            "deliveries": kept.deliveries,
            "parked": kept.parked,
            "events": kept.events,
            "journal": kept.events,
            "decisions": kept.events,
            "commands": kept.deliveries,
            "labels": kept.labels,
            "return_labels": kept.labels,
            "returns": kept.events,
        },
        metrics=shared.metrics,
        clock=shared.clock,
        stop=shared.stop,
    )
    shared.loops.start("retention", retention.run)
