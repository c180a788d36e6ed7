"""Retaining: what is kept for how long, and deleted then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.reconciling.retention import Retention
from bridge.settings import Retention as Kept
from bridge.store.leases import SqlLeases
from bridge.store.pruning import SqlPruning, Table


def open_retention(shared: Shared, stores: Stores) -> None:
    """Start deleting what is old."""
    retention = Retention(
        store=SqlPruning(stores.database, shared.holder, stores.shelf.drop),
        leases=SqlLeases(stores.database, shared.holder),
        keep=keep(shared.settings.retention),
        metrics=shared.metrics,
        clock=shared.clock,
        stop=shared.stop,
    )
    shared.loops.start("retention", retention.run)


def keep(kept: Kept) -> Mapping[Table, timedelta]:
    """Say how long each is kept. Commands are the memory of the keys: they outlive what came of them."""
    return {
        "deliveries": kept.deliveries,
        "parked": kept.parked,
        "events": kept.events,
        "journal": kept.events,
        "decisions": kept.events,
        "commands": max(kept.deliveries, kept.events),
        "labels": kept.labels,
        "return_labels": kept.labels,
        "returns": kept.events,
    }
