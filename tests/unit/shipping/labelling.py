"""Processes that fetch labels: shipments are bought at the stand-in carrier, and heard of by a read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bridge.carriers.shipx.labels import ShipxLabels
from bridge.commands.execute import Operation
from bridge.errors import StoreUnavailable
from bridge.events.cloudevents import Envelope
from bridge.model import ShipmentId
from bridge.observability import Metrics
from bridge.reconciling.learning import Learning
from bridge.reconciling.pace import Pace
from bridge.shipments.asked_label import FetchLabel, KeepLabel
from bridge.shipments.label import LabelWish
from bridge.shipping.labels.desk import Desk
from bridge.shipping.labels.fetching import ASKED_FOR, ON_CONFIRMATION, Fetching
from bridge.shipping.labels.following import Following
from bridge.store.database import Unit
from bridge.store.facts import Recorder
from bridge.store.shelf import SealedShelf, Shelf
from bridge.store.sweeps import SqlSweeps
from tests.support.metrics import METRICS
from tests.unit.purchasing.stage import DRAFT, ORGANIZATION
from tests.unit.purchasing.virtual_time import pass_time
from tests.unit.shipping.stage import VAULT, Operations, Parts, Stage

LOCKER, COURIER = "inpost_locker_standard", "inpost_courier_standard"


class FullShelf(SealedShelf):
    """Has no room for anything, until there is some again."""

    is_full = True

    async def put(self, name: str, content: bytes) -> Unit[None]:
        if self.is_full:
            raise StoreUnavailable("a label cannot be written to its folder: No space left on device")
        return await super().put(name, content)


def desk(parts: Parts, metrics: Metrics = METRICS, shelf: Shelf | None = None) -> Desk:
    """Make the desk of one process."""
    return Desk(
        {ORGANIZATION: ShipxLabels(parts.client.asker, ORGANIZATION)},
        database=parts.database,
        recorder=parts.recorder,
        shelf=shelf or SealedShelf(parts.database, VAULT),
        metrics=metrics,
        clock=parts.stage.clock,
        on_told=lambda: None,
    )


def fetching(
    metrics: Metrics = METRICS, patience: timedelta = ON_CONFIRMATION, full: list[FullShelf] | None = None
) -> Operations:
    """Carry out what is about labels; shelves without room are put into `full`."""

    def operations(parts: Parts) -> Mapping[str, Operation]:
        if full is not None:
            full.append(FullShelf(parts.database, VAULT))
        found = desk(parts, metrics, full[-1] if full else None)
        return {
            FetchLabel.operation: Operation(Fetching(found, ASKED_FOR)),
            KeepLabel.operation: Operation(Fetching(found, patience), at_once=2),
        }

    return operations


async def bought(stage: Stage, service: str = LOCKER, **changes: Any) -> ShipmentId:
    """Have a shipment made that the carrier buys by itself, and wait for that."""
    asked = {**DRAFT, "service": service, **changes}
    answer = await stage.merchant.post(f"/v1/organizations/{ORGANIZATION}/shipments", json=asked)
    assert answer.status_code == 201, answer.text
    await pass_time(3)
    return ShipmentId(answer.json()["id"])


async def hear(stage: Stage, parts: Parts, *shipments: ShipmentId, wish: LabelWish | None = None) -> None:
    """Read shipments and take in what that shows; where there is a wish, confirmations are followed by labels."""
    wishes = {} if wish is None else {ORGANIZATION: wish}
    recorder = Recorder(Envelope("test"), Following(wishes, VAULT))
    sweeps = SqlSweeps(parts.database, recorder, Pace(timedelta(seconds=15), timedelta(seconds=1800)))
    learning = Learning(sweeps, metrics=METRICS, clock=stage.clock, on_events=lambda: None, on_wanted=lambda: None)
    await learning.take(ORGANIZATION, [await parts.client.read(one) for one in shipments])
    stage.ring()


def key(shipment: ShipmentId, name: str = "pdf") -> str:
    """Say under which key a label is fetched unasked."""
    return f"{ORGANIZATION}/{shipment}/{name}"


def rows(stage: Stage) -> list[tuple[str, int, str | None]]:
    """List labels: state, tries, reason."""
    return [(row[0], row[1], row[2]) for row in stage.disk.rows("SELECT state, tries, reason FROM labels ORDER BY id")]


def calls(stage: Stage) -> int:
    """Count how often the carrier was asked for labels."""
    return sum("label" in one.path for one in stage.simulator.world.calls.after(0))
