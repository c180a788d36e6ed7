"""The story of a subject for programs: how it stands, what happened to it, and what is next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, cast

from pydantic import Field
from typing_extensions import TypedDict

from bridge.approvals.document import ShownPurchase
from bridge.approvals.document import document as listed
from bridge.dispatch.document import ShownOrder
from bridge.dispatch.document import document as courier
from bridge.events import statuses
from bridge.events.history import Span
from bridge.events.shipment import SOURCE, ShipmentState
from bridge.events.statuses import TrackingStatus
from bridge.inspection.entries import Entry
from bridge.inspection.labels import ShownLabel
from bridge.inspection.labels import document as label
from bridge.inspection.outlook import outlook
from bridge.inspection.timeline import Moment, timeline
from bridge.store.purchase import PurchaseState
from bridge.store.story import Story

State = Literal["unknown", "created", "bought", "cancelled"]
"""Of a shipment at the carrier, as far as anybody told; `unknown`: nothing that was told has been taken in."""


class PurchaseInDetail(ShownPurchase):
    """A purchase, and what only matters to whoever wants to know why. Null: nothing of the kind has happened."""

    due_at: datetime
    send_before: datetime | None
    left_by: datetime | None
    reads: int
    attempts: int
    regenerations: int
    wanted_again: str | None


class ShownStatus(TypedDict):
    """A stay in one status: the carrier's word, ours for it, and when it was first and last reported."""

    tracking_status: TrackingStatus
    carrier_status: str
    first_at: datetime
    last_at: datetime


class Tracking(TypedDict):
    """Where the parcel is, and where it was."""

    tracking_status: TrackingStatus
    carrier_status: str | None
    tracking_number: str | None
    return_tracking_number: str | None
    statuses: Sequence[ShownStatus]


class Summary(TypedDict):
    """How a subject stands."""

    state: State | None
    tracking_number: str | None
    purchase: PurchaseInDetail | None


class Known(TypedDict):
    """All that is known of a subject; what is only about shipments is null where it is something else."""

    state: State | None
    purchase: PurchaseInDetail | None
    tracking: Tracking | None
    labels: Annotated[Sequence[ShownLabel], Field(description="Those that were ever asked for")]
    timeline: Sequence[Entry]
    dispatch_orders: Annotated[
        Sequence[ShownOrder], Field(description="The orders to couriers to collect it, or the order that it is")
    ]
    deleted_events: Annotated[Sequence[str], Field(description="The types of its events that were deleted for age")]
    outlook: Annotated[Sequence[str], Field(description="What happens next, in sentences for people")]


class ShownShipment(Known):
    """All that is known of a shipment."""

    shipment_id: int
    organization_id: int


class ReturnStory(TypedDict):
    """What happened to a return, and what is next."""

    return_id: str
    timeline: Sequence[Entry]
    deleted_events: Annotated[Sequence[str], Field(description="The types of its events that were deleted for age")]
    outlook: Annotated[Sequence[str], Field(description="What happens next, in sentences for people")]


def document(story: Story, now: datetime, settle: timedelta) -> Known:
    """Describe it; `settle` is over how long a purchase in doubt is read."""
    return {
        "state": _state(story),
        "purchase": _purchase(story, now),
        "tracking": None if story.known is None else _tracking(story.known),
        "labels": [label(one) for one in story.labels],
        "timeline": [_entry(one) for one in timeline(story)],
        "dispatch_orders": [courier(one) for one in story.couriers],
        "deleted_events": story.deleted,
        "outlook": outlook(story, now, settle),
    }


def of_return(story: Story, id_: str, now: datetime, settle: timedelta) -> ReturnStory:
    """Describe what happened to a return."""
    return {
        "return_id": id_,
        "timeline": [_entry(one) for one in timeline(story)],
        "deleted_events": story.deleted,
        "outlook": outlook(story, now, settle),
    }


def summary(story: Story, now: datetime) -> Summary:
    """Describe how it stands, without how it came to that."""
    return {
        "state": _state(story),
        "tracking_number": None if story.known is None else story.known.tracking_number,
        "purchase": _purchase(story, now),
    }


def _entry(one: Moment) -> Entry:
    told = {"at": one.at, "kind": one.kind, "text": one.text, **one.details}
    return cast(Entry, told)  # its kind's, whose further keys are the details


def _state(story: Story) -> State | None:
    known, purchase = story.known, story.purchase
    if story.shipment is None:
        return None
    if known is not None and known.tracking_status is TrackingStatus.cancelled:
        return "cancelled"
    is_bought = purchase is not None and purchase.state == PurchaseState.succeeded
    if is_bought or (known is not None and known.confirmed):
        return "bought"
    was_read = any(step.note.carrier_status is not None for step in story.steps)
    return "created" if known is not None or was_read else "unknown"


def _purchase(story: Story, now: datetime) -> PurchaseInDetail | None:
    one, shown = story.purchase, story.listed
    if one is None or shown is None:
        return None
    return {
        **listed(shown, now),
        "due_at": one.due_at,
        "send_before": one.send_before,
        "left_by": one.left_by,
        "reads": one.reads,
        "attempts": one.attempts,
        "regenerations": one.regenerations,
        "wanted_again": one.wanted_again,
    }


def _tracking(known: ShipmentState) -> Tracking:
    return {
        "tracking_status": known.tracking_status,
        "carrier_status": known.spans[-1].word if known.spans else None,
        "tracking_number": known.tracking_number,
        "return_tracking_number": known.return_tracking_number,
        "statuses": [_status(span) for span in known.spans],
    }


def _status(span: Span) -> ShownStatus:
    return {
        "tracking_status": statuses.lookup(SOURCE, span.word).tracking,
        "carrier_status": span.word,
        "first_at": datetime.fromtimestamp(span.first, UTC),
        "last_at": datetime.fromtimestamp(span.last, UTC),
    }
