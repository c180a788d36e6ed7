"""Shipments are made once each, whatever becomes of the calls and of the process that makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bridge.carriers.shipx.creating import ShipxCreator
from bridge.commands.execute import Operation
from bridge.limits.connection import Purpose
from bridge.model import BatchId, CommandState
from bridge.shipments.asked import CreateShipments
from bridge.shipments.created import Batch
from bridge.shipping.creating import Creating, Maker
from bridge.shipping.joining import Joining
from tests.unit.purchasing.stage import DRAFT, ORGANIZATION, Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.stage import Parts, Stage, places

CREATE = CreateShipments.operation
ASKED = DRAFT | {"reference": "ORDER-1"}
MANY = {"shipments": [ASKED | {"reference": f"ORDER-{number}"} for number in range(5)]}
SAME = {"shipments": [ASKED] * 4}
UNANSWERED = ["lost", "crashed", "hung_up", "cut", "page"]
"""The carrier did it, and nobody heard."""
UNDONE = ["dropped", "unavailable", "failed"]
"""The carrier never heard of it; nobody can tell."""


def creating(parts: Parts, creator: type[ShipxCreator] = ShipxCreator) -> Mapping[str, Operation]:
    maker = Maker(creator(parts.client.asker, ORGANIZATION), parts.client)
    joining = Joining(parts.database, parts.learning, parts.stage.clock)
    return {CREATE: Operation(Creating({ORGANIZATION: maker}, joining, parts.stage.clock, lambda: None))}


def body(asked: Mapping[str, Any]) -> bytes:
    return CreateShipments.model_validate_json(json.dumps(asked)).canonical


async def give(stage: Stage, asked: Mapping[str, Any] = ASKED, key: str = "one") -> None:
    await stage.give(CREATE, body(asked), key)


def made(stage: Stage) -> list[int]:
    """List what the carrier has."""
    return [one.id for one in stage.simulator.world.shipments]


def test_a_shipment_is_made_and_its_number_is_told() -> None:
    async def story() -> None:
        async with Stage(creating).open() as stage:
            stage.start()
            await give(stage)
            result = await stage.done(CREATE)
            [shipment] = made(stage)
            assert (result["shipment_id"], result["organization_id"]) == (shipment, ORGANIZATION)
            assert (result["state"], result["tracking_number"], result["purchase"]) == ("created", None, None)
            [(kind, event)] = stage.told(f"shipment/{shipment}")
            assert (kind, event["causationid"]) == ("shipment.status_changed", "one")
            assert event["data"]["carrier_status"] == "created"
            assert stage.disk.rows("SELECT shipment, command, item FROM creations") == [(shipment, "one", 0)]

    in_virtual_time(story())


@pytest.mark.parametrize("asked", [ASKED, MANY, SAME], ids=["one", "five", "four that are alike"])
@pytest.mark.parametrize("kind", [*UNANSWERED, *UNDONE, "limited"])
def test_whatever_becomes_of_the_answer_each_is_made_once(asked: dict[str, Any], kind: str) -> None:
    async def story() -> None:
        async with Stage(creating).open() as stage:
            stage.start()
            await stage.fault(kind, method="POST")
            await give(stage, asked)
            result = await stage.done(CREATE)
            told = result.get("items", [result])
            assert sorted(one["shipment_id"] for one in told) == made(stage)
            assert len(told) == len(asked.get("shipments", [asked]))

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [None, "hung_up", "dropped"])
@pytest.mark.parametrize("asked", [ASKED, SAME], ids=["one", "four that are alike"])
def test_wherever_a_process_dies_each_is_made_once(asked: dict[str, Any], kind: str | None) -> None:
    names = in_virtual_time(_dying(asked, kind, Points()))
    assert {"before POST", "before a commit", "after a commit"} <= set(names)
    for at in places(names):
        in_virtual_time(_dying(asked, kind, Points(at)))


async def _dying(asked: dict[str, Any], kind: str | None, points: Points) -> list[str]:
    async with Stage(creating).open() as stage:
        stage.start(points)
        if kind is not None:
            await stage.fault(kind, method="POST")
        await give(stage, asked)
        result = await stage.done(CREATE)
        told = result.get("items", [result])
        assert sorted(one["shipment_id"] for one in told) == made(stage)
        assert len(made(stage)) == len(asked.get("shipments", [asked]))
        for shipment in made(stage):
            told_of = [(kind, event["causationid"]) for kind, event in stage.told(f"shipment/{shipment}")]
            assert len(set(told_of)) == len(told_of)
            assert {cause for _, cause in told_of} == {"one"}
        await pass_time(1)
    return points.names


def test_what_the_carrier_does_not_take_is_told_by_field() -> None:
    async def story() -> None:
        async with Stage(creating).open() as stage:
            stage.start()
            await give(stage, ASKED | {"mpk": "nowhere"})
            standing = await stage.ended(CREATE)
            assert standing.state is CommandState.rejected
            assert standing.result is not None
            assert standing.result["problem"] == "carrier-refused"
            assert [one["field"] for one in standing.result["errors"]] == ["mpk"]  # type: ignore[attr-defined]
            assert made(stage) == []

    in_virtual_time(story())


def test_a_bad_item_blocks_no_other() -> None:
    async def story() -> None:
        async with Stage(creating).open() as stage:
            stage.start()
            await give(stage, {"shipments": [ASKED, {"parcels": []}, ASKED | {"mpk": "nowhere"}, ASKED]})
            items = (await stage.done(CREATE))["items"]
            assert [one["outcome"] for one in items] == ["done", "rejected", "rejected", "done"]
            assert [one["errors"][0]["field"] for one in items[1:3]] == ["parcels", "mpk"]
            assert sorted(one["shipment_id"] for one in items if one["outcome"] == "done") == made(stage)

    in_virtual_time(story())


def test_two_that_are_alike_and_in_doubt_never_claim_the_same_shipment() -> None:
    async def story() -> None:
        async with Stage(creating).open() as stage:
            stage.start()
            await stage.fault("hung_up", method="POST")
            await stage.fault("dropped", method="POST")
            await give(stage, key="one")
            await give(stage, key="two")
            results = [await stage.done(CREATE, key) for key in ("one", "two")]
            assert sorted(one["shipment_id"] for one in results) == made(stage)

    in_virtual_time(story())


def test_nothing_is_sent_while_the_carrier_is_left_alone_and_the_key_stays_free() -> None:
    async def story() -> None:
        async with Stage(creating).open() as stage:
            worker = stage.start()
            await stage.fault("dropped", method="GET", times=1000)
            for _ in range(10):
                with pytest.raises(Exception, match=r"."):
                    await worker.parts.client.read(1)  # type: ignore[arg-type]
            await give(stage)
            standing = await stage.ended(CREATE)
            assert (standing.state, made(stage)) == (CommandState.withdrawn, [])
            assert standing.result == {"problem": "nothing-sent"}

    in_virtual_time(story())


class Working(ShipxCreator):
    """A carrier that shows half of every batch, until it has done it."""

    is_done = False

    async def read_batch(self, batch: BatchId, purpose: Purpose = Purpose.create) -> Batch:
        found = await super().read_batch(batch, purpose)
        half = found.shipments[: len(found.shipments) // 2]
        return found if self.is_done else replace(found, status="in_progress", shipments=half)


def test_a_batch_that_the_carrier_still_works_on_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with Stage(partial(creating, creator=Working)).open() as stage:
            stage.start()
            await give(stage, SAME)
            await pass_time(900)
            batches = [one for one in stage.simulator.world.calls.after(0) if one.path.endswith("/batches")]
            assert (len(made(stage)), len(batches)) == (4, 1)
            monkeypatch.setattr(Working, "is_done", True)
            items = (await stage.done(CREATE))["items"]
            assert sorted(one["shipment_id"] for one in items) == made(stage)

    in_virtual_time(story())


def test_what_may_have_been_sent_is_never_said_not_to_have_been() -> None:
    async def story() -> None:
        async with Stage(creating).open() as stage:
            stage.start()
            await stage.fault("dropped", method="POST")
            await give(stage)
            await pass_time(300)
            await stage.fault("limited", method="POST", times=1000, seconds=[100, 100])
            standing = await stage.ended(CREATE, seconds=9000)
            assert (standing.state, made(stage)) == (CommandState.unknown, [])

    in_virtual_time(story())
