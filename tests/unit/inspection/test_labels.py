"""Labels in the story of a shipment: what is kept, what is asked for again, what was given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bridge.inspection.document import document
from bridge.inspection.outlook import outlook
from bridge.inspection.timeline import timeline
from bridge.model import OrganizationId, ShipmentId
from bridge.store.labels import Kept, Place
from bridge.store.story import Story, Told

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SETTLE = timedelta(seconds=20)
PLACE = Place(OrganizationId(1), ShipmentId(5), "zpl", "dpi300")
KEPT = Kept(PLACE, "kept", NOW, sha256="00ff", size=7)
WAITING = Kept(replace(PLACE, kind=None), "waiting", NOW, 3, "label_generation_failed")
GIVEN_UP = Kept(PLACE, "failed", NOW, 1, "invalid_action")
READY = Told(
    id="an-event",
    type="shipment.label_ready",
    sequence=4,
    occurred_at=NOW,
    recorded_at=NOW,
    cause="1/5/zpl/dpi300",
    data={"format": "zpl", "evidence": "carrier", "current": True},
    publishing="feed",
    published_at=None,
)


def story(*labels: Kept) -> Story:
    return Story("/shipx/1", "shipment/5", (), (READY,), (), None, (), labels=labels)


def test_every_label_is_shown_as_it_stands_and_never_itself() -> None:
    assert document(story(KEPT, WAITING), NOW, SETTLE)["labels"] == [
        {
            "format": "zpl",
            "type": "dpi300",
            "state": "kept",
            "at": NOW,
            "tries": 0,
            "reason": None,
            "sha256": "00ff",
            "size": 7,
            "url": "/v1/shipments/5/label?organization_id=1&format=zpl&type=dpi300",
        },
        {
            "format": "zpl",
            "type": None,
            "state": "waiting",
            "at": NOW,
            "tries": 3,
            "reason": "label_generation_failed",
            "sha256": None,
            "size": None,
            "url": None,
        },
    ]


def test_what_happens_next_to_a_label_that_is_not_there() -> None:
    told = " | ".join(outlook(story(KEPT, WAITING, GIVEN_UP), NOW, SETTLE))
    assert "its zpl label is not there yet (label_generation_failed, asked 3 times): it is asked for again" in told
    assert (
        "its zpl/dpi300 label was given up (invalid_action, asked once):"
        " `bridge shipments label 5 --format zpl --type dpi300` asks once more" in told
    )


def test_a_label_that_is_ready_stands_in_the_timeline_with_its_format() -> None:
    assert [one.text for one in timeline(story(KEPT))] == ["#4 shipment.label_ready: zpl"]
