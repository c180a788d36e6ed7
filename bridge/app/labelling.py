"""Labels: where they come from, where they lie, and which are fetched unasked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bridge.app.carriers import Carriers
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.shipx.labels import ShipxLabels
from bridge.commands.execute import Operation
from bridge.shipments.asked_label import FetchLabel, KeepLabel
from bridge.shipping.labels.desk import Desk
from bridge.shipping.labels.fetching import ASKED_FOR, ON_CONFIRMATION, Fetching


def make_desk(shared: Shared, stores: Stores, carriers: Carriers) -> Desk:
    """Make what looks labels up, fetches and keeps them, for every organization that has a token."""
    return Desk(
        {one: ShipxLabels(client.asker, one) for one, client in carriers.items()},
        database=stores.database,
        recorder=stores.recorder,
        shelf=stores.shelf,
        metrics=shared.metrics,
        clock=shared.clock,
        on_told=partial(shared.bells.ring, "events"),
    )


def label_operations(desk: Desk) -> Mapping[str, Operation]:
    """Say how labels are fetched: those that nobody waits for, a few at once, so that they leave room for others."""
    return {
        FetchLabel.operation: Operation(Fetching(desk, ASKED_FOR), at_once=8),
        KeepLabel.operation: Operation(Fetching(desk, ON_CONFIRMATION), at_once=2),
    }
