"""Labels are fetched once a shipment is confirmed, or when somebody asks, however often there is none yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from bridge.commands.execute import Operation
from bridge.errors import NoPermit
from bridge.model import CommandState, ShipmentId
from bridge.observability import Metrics
from bridge.shipments.asked_label import FetchLabel, KeepLabel
from bridge.shipments.label import Label, LabelFormat, LabelKind, LabelWish
from bridge.shipping.labels.fetching import Fetching
from bridge.store.labels import Place
from tests.unit.purchasing.stage import ORGANIZATION, Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.labelling import COURIER, FullShelf, bought, calls, desk, fetching, hear, key, rows
from tests.unit.shipping.stage import Parts, Stage, places

FETCH, KEEP = FetchLabel.operation, KeepLabel.operation
PDF = LabelWish()
LABEL = "/v1/shipments/*/label"


def asked(shipment: ShipmentId, **changes: Any) -> bytes:
    return FetchLabel(shipment_id=shipment, **changes).canonical


def events(stage: Stage, shipment: ShipmentId) -> list[dict[str, Any]]:
    return [document for kind, document in stage.told(f"shipment/{shipment}") if kind == "shipment.label_ready"]


def test_a_confirmed_shipment_has_its_label_kept_and_told_of() -> None:
    async def story() -> None:
        metrics = Metrics()
        async with Stage(fetching(metrics)).open() as stage:
            parts = stage.start().parts
            shipment = await bought(stage)
            await hear(stage, parts, shipment, wish=PDF)
            await stage.done(KEEP, key(shipment))
            at_the_desk = desk(parts)
            kept = await at_the_desk.look(Place(ORGANIZATION, shipment, "pdf", None))
            content = await at_the_desk.content(kept)
            assert kept is not None
            assert content is not None
            assert content.startswith(b"%PDF-")
            [event] = events(stage, shipment)
            assert event["causationid"] == key(shipment)
            data = event["data"]
            assert (data["format"], data["label_type"], data["size"]) == ("pdf", None, len(content))
            assert data["sha256"] == kept.sha256 == sha256(content).hexdigest()
            assert data["path"] == f"/v1/shipments/{shipment}/label?organization_id={ORGANIZATION}&format=pdf"
            assert rows(stage) == [("kept", 0, None)]
            told = {"format": "pdf", "outcome": "kept"}
            assert metrics.registry.get_sample_value("bridge_labels_total", told) == 1
            assert calls(stage) == 1

    in_virtual_time(story())


def test_a_confirmation_that_is_heard_twice_has_one_label() -> None:
    async def story() -> None:
        async with Stage(fetching()).open() as stage:
            parts = stage.start().parts
            shipment = await bought(stage)
            for _ in range(2):
                await hear(stage, parts, shipment, wish=PDF)
                await stage.done(KEEP, key(shipment))
            assert (len(events(stage, shipment)), calls(stage)) == (1, 1)

    in_virtual_time(story())


def test_without_a_wish_nothing_is_fetched() -> None:
    async def story() -> None:
        async with Stage(fetching()).open() as stage:
            parts = stage.start().parts
            await hear(stage, parts, await bought(stage))
            await pass_time(60)
            assert stage.disk.rows("SELECT count(*) FROM commands") == [(0,)]

    in_virtual_time(story())


def test_a_parcel_that_was_under_way_when_first_heard_of_needs_no_label() -> None:
    async def story() -> None:
        steps = [{"status": "taken_by_courier", "after": 1}]
        async with Stage(fetching(), journeys=[{"name": "out", "steps": steps}]).open() as stage:
            parts = stage.start().parts
            shipment = await bought(stage)
            await pass_time(10)
            await hear(stage, parts, shipment, wish=PDF)
            assert "shipment.confirmed" in [kind for kind, _ in stage.told(f"shipment/{shipment}")]
            assert stage.disk.rows("SELECT count(*) FROM commands") == [(0,)]

    in_virtual_time(story())


@pytest.mark.parametrize("kind", ["unready", "garbled", "page", "unavailable", "dropped", "limited"])
def test_what_is_not_there_or_no_label_is_asked_for_again_until_it_is(kind: str) -> None:
    async def story() -> None:
        async with Stage(fetching()).open() as stage:
            parts = stage.start().parts
            shipment = await bought(stage)
            await stage.fault(kind, method="GET", path=LABEL, times=2)
            await hear(stage, parts, shipment, wish=PDF)
            await stage.done(KEEP, key(shipment))
            assert rows(stage) == [("kept", 0, None)]
            assert calls(stage) == 3
            assert len(events(stage, shipment)) == 1

    in_virtual_time(story())


def test_a_label_that_takes_its_time_is_asked_for_after_longer_and_longer() -> None:
    async def story() -> None:
        async with Stage(fetching(), delays={"answer": [0, 0], "labels": 600}).open() as stage:
            parts = stage.start().parts
            shipment = await bought(stage)
            await hear(stage, parts, shipment, wish=PDF)
            await pass_time(60)
            [(state, tries, reason)] = rows(stage)
            assert (state, reason) == ("waiting", "label_generation_failed")
            assert 4 <= tries <= 6
            await stage.done(KEEP, key(shipment))
            assert rows(stage) == [("kept", 0, None)]
            assert calls(stage) < 15

    in_virtual_time(story())


def test_a_label_that_finds_no_room_is_fetched_again_when_there_is_some() -> None:
    async def story() -> None:
        full: list[FullShelf] = []
        async with Stage(fetching(full=full)).open() as stage:
            parts = stage.start().parts
            shipment = await bought(stage)
            await hear(stage, parts, shipment, wish=PDF)
            await pass_time(10)
            [(state, _, reason)] = rows(stage)
            assert (state, reason, events(stage, shipment)) == ("waiting", "not_stored", [])
            full[0].is_full = False
            await stage.done(KEEP, key(shipment))
            assert (rows(stage), len(events(stage, shipment))) == ([("kept", 0, None)], 1)

    in_virtual_time(story())


def test_a_label_that_never_comes_is_given_up_and_keeps_no_other_waiting() -> None:
    async def story() -> None:
        metrics = Metrics()
        async with Stage(fetching(metrics, timedelta(hours=1))).open() as stage:
            parts = stage.start().parts
            never, other = await bought(stage), await bought(stage)
            await stage.fault("unready", method="GET", path=f"/v1/shipments/{never}/label", times=1000)
            await hear(stage, parts, never, other, wish=PDF)
            await pass_time(10)
            assert len(events(stage, other)) == 1
            await pass_time(2 * 3600)
            standing = await stage.standing(KEEP, key(never))
            assert standing.state is CommandState.failed
            [(state, tries, reason)] = [one for one in rows(stage) if one[0] != "kept"]
            assert (state, reason) == ("failed", "label_generation_failed")
            assert 10 < tries < 15
            told = {"format": "pdf", "outcome": "given_up"}
            assert metrics.registry.get_sample_value("bridge_labels_total", told) == 1
            await pass_time(3600)
            assert calls(stage) == tries + 1

    in_virtual_time(story())


def test_a_label_that_nobody_was_asked_for_in_time_is_shown_as_given_up() -> None:
    def denied(parts: Parts) -> Mapping[str, Operation]:
        found = desk(parts)
        found.carriers = {ORGANIZATION: Denied()}
        return {KEEP: Operation(Fetching(found, timedelta(minutes=5)))}

    async def story() -> None:
        async with Stage(denied).open() as stage:
            parts = stage.start().parts
            shipment = await bought(stage)
            await hear(stage, parts, shipment, wish=PDF)
            standing = await stage.ended(KEEP, key(shipment))
            assert (standing.state, rows(stage)) == (CommandState.withdrawn, [("failed", 0, "breaker_open")])

    in_virtual_time(story())


class Denied:
    """May never be asked."""

    async def fetch(self, shipment: ShipmentId, wish: LabelWish) -> Label:
        raise NoPermit("breaker_open")

    async def fetch_many(self, shipments: Sequence[ShipmentId], wish: LabelWish) -> Label:
        raise AssertionError("one at a time")

    async def fetch_returns(self, shipments: Sequence[ShipmentId], form: LabelFormat) -> Label:
        raise AssertionError("none for the way back")


def test_a_courier_whose_service_lacks_the_size_that_lockers_get_has_its_own() -> None:
    async def story() -> None:
        async with Stage(fetching()).open() as stage:
            parts = stage.start().parts
            shipment = await bought(stage, COURIER, insurance={"amount": "1", "currency": "PLN"})
            with stage.disk.writing(stage.clock) as transaction:
                transaction.run(
                    "INSERT INTO purchases (organization, shipment, state, deadline, due_at, updated_at, service_id)"
                    " VALUES (?, ?, 'succeeded', 0, 0, 0, ?)",
                    (ORGANIZATION, shipment, COURIER),
                )
            await hear(stage, parts, shipment, wish=LabelWish(LabelFormat.zpl, LabelKind.dpi300))
            result = await stage.done(KEEP, key(shipment, "zpl/dpi300"))
            assert (result["format"], result["type"], rows(stage)) == ("zpl", None, [("kept", 0, None)])

    in_virtual_time(story())


def test_what_somebody_asks_for_is_kept_in_the_form_that_was_asked_for() -> None:
    async def story() -> None:
        async with Stage(fetching()).open() as stage:
            stage.start()
            shipment = await bought(stage)
            await stage.give(FETCH, asked(shipment, format=LabelFormat.zpl, type=LabelKind.dpi300))
            result = await stage.done(FETCH)
            assert (result["shipment_id"], result["organization_id"]) == (shipment, ORGANIZATION)
            assert (result["format"], result["type"]) == ("zpl", "dpi300")
            assert result["url"].endswith("&format=zpl&type=dpi300")
            [event] = events(stage, shipment)
            assert (event["causationid"], event["data"]["sha256"]) == ("one", result["sha256"])
            await stage.give(FETCH, asked(shipment, format=LabelFormat.zpl, type=LabelKind.dpi300), "another")
            assert await stage.done(FETCH, "another") == result
            assert calls(stage) == 1

    in_virtual_time(story())


def test_nobody_waits_for_a_label_for_longer_than_a_minute() -> None:
    async def story() -> None:
        async with Stage(fetching(), delays={"answer": [0, 0], "labels": 3600}).open() as stage:
            stage.start()
            await stage.give(FETCH, asked(await bought(stage)))
            standing = await stage.ended(FETCH, seconds=150)
            assert standing.state is CommandState.failed
            assert "label_generation_failed" in (standing.error or "")

    in_virtual_time(story())


def test_what_is_not_bought_has_no_label_and_is_not_asked_for_again() -> None:
    async def story() -> None:
        async with Stage(fetching()).open() as stage:
            stage.start()
            shipment = await bought(stage, service="inpost_locker_standard", only_choice_of_offer=True)
            await stage.give(FETCH, asked(shipment))
            standing = await stage.ended(FETCH)
            assert (standing.state, (standing.result or {})["problem"]) == (CommandState.rejected, "carrier-refused")
            assert rows(stage) == [("failed", 1, "invalid_action")]
            assert calls(stage) == 1

    in_virtual_time(story())


def test_no_label_of_a_shipment_that_the_carrier_does_not_know() -> None:
    async def story() -> None:
        async with Stage(fetching()).open() as stage:
            stage.start()
            await stage.give(FETCH, asked(ShipmentId(7)))
            assert (await stage.ended(FETCH)).state is CommandState.rejected

    in_virtual_time(story())


def test_a_courier_s_label_comes_in_the_courier_s_size_whatever_lockers_get() -> None:
    async def story() -> None:
        async with Stage(fetching()).open() as stage:
            parts = stage.start().parts
            shipment = await bought(stage, COURIER, insurance={"amount": "1", "currency": "PLN"})
            await hear(stage, parts, shipment, wish=LabelWish.of(LabelFormat.pdf, LabelKind.normal))
            await stage.done(KEEP, key(shipment))
            assert calls(stage) == 1

    in_virtual_time(story())


def test_whatever_place_a_process_dies_at_the_label_is_kept_and_told_of_once() -> None:
    async def story(points: Points) -> None:
        async with Stage(fetching()).open() as stage:
            shipment = await bought(stage)
            stage.start(points)
            await stage.give(FETCH, asked(shipment))
            await stage.done(FETCH)
            assert rows(stage) == [("kept", 0, None)]
            assert len(events(stage, shipment)) == 1

    seen = Points()
    in_virtual_time(story(seen))
    assert len(places(seen.names)) > 5
    for at in places(seen.names):
        in_virtual_time(story(Points(at)))
