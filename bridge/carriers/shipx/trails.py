"""Trails and status words as ShipX tells everybody, by allow-list.

`GET /v1/tracking/:number`; the locker stands under `target_machine_id`, in older answers under `target_point_id`.
https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153478 (statuses)
"""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from pydantic import Field

from bridge.carriers.shapes import Lenient, Moment, Shape, Text, Word
from bridge.carriers.shipx.offers import utc
from bridge.tracking.dictionary import Dictionary, StatusText
from bridge.tracking.trail import Step, Tracking

Prose = Annotated[Annotated[str, Field(max_length=4000)] | None, Lenient]


class StepShape(Shape):
    """One thing that happened."""

    status: Word
    datetime: Moment
    origin_status: Annotated[Word | None, Lenient] = None
    agency: Annotated[Word | None, Lenient] = None


class TargetShape(Shape):
    """Where it goes, if to a locker or a point."""

    target_machine_id: Annotated[Text | None, Lenient] = None
    target_point_id: Annotated[Text | None, Lenient] = None


class TrackingShape(Shape):
    """A parcel's trail."""

    tracking_number: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,40}$")]
    status: Word
    service: Annotated[Word | None, Lenient] = None
    custom_attributes: Annotated[TargetShape | None, Lenient] = None
    tracking_details: Annotated[list[Annotated[StepShape | None, Lenient]] | None, Lenient] = None
    created_at: Annotated[Moment | None, Lenient] = None
    updated_at: Annotated[Moment | None, Lenient] = None


class TextShape(Shape):
    """A status word and its texts; `missing` has none."""

    name: Word
    title: Prose = None
    description: Prose = None


class DictionaryShape(Shape):
    """All of them: an object, not a bare list."""

    items: list[Annotated[TextShape | None, Lenient]]


def tracking(found: TrackingShape) -> Tracking:
    """Turn a trail into ours."""
    listed = found.tracking_details or []
    steps = tuple(_step(one) for one in listed if one is not None)
    target = found.custom_attributes
    return Tracking(
        number=found.tracking_number,
        status=found.status,
        service=found.service,
        steps=steps,
        target_point=(target.target_machine_id or target.target_point_id) if target else None,
        unread=len(listed) - len(steps),
        created_at=utc(found.created_at),
        updated_at=utc(found.updated_at),
    )


def dictionary(found: DictionaryShape) -> Dictionary:
    """Turn the list of words into ours."""
    texts = tuple(StatusText(one.name, one.title, one.description) for one in found.items if one is not None)
    return Dictionary(texts, unread=len(found.items) - len(texts))


def _step(found: StepShape) -> Step:
    return Step(found.status, found.datetime.astimezone(UTC), found.origin_status, found.agency)
