"""The story of a subject for programs: how it stands, what happened to it, and what is next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from bridge.approvals.words import document as listed
from bridge.events import statuses
from bridge.events.history import Span
from bridge.events.shipment import SOURCE, ShipmentState
from bridge.events.statuses import TrackingStatus
from bridge.inspection.outlook import outlook
from bridge.inspection.timeline import timeline
from bridge.store.purchase import PurchaseState
from bridge.store.story import Story

State = Literal["unknown", "created", "bought", "cancelled"]
"""Of a shipment at the carrier, as far as anybody told; `unknown`: nothing that was told has been taken in."""


def document(story: Story, now: datetime, settle: timedelta) -> dict[str, object]:
    """Describe it; `settle` is over how long a purchase in doubt is read."""
    return {
        "state": _state(story),
        "purchase": _purchase(story, now),
        "tracking": None if story.known is None else _tracking(story.known),
        "timeline": [{"at": one.at, "kind": one.kind, "text": one.text, **one.details} for one in timeline(story)],
        "deleted_events": story.deleted,
        "outlook": outlook(story, now, settle),
    }


def summary(story: Story, now: datetime) -> dict[str, object]:
    """Describe how it stands, without how it came to that."""
    return {
        "state": _state(story),
        "tracking_number": None if story.known is None else story.known.tracking_number,
        "purchase": _purchase(story, now),
    }


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


def _purchase(story: Story, now: datetime) -> dict[str, object] | None:
    """Describe a purchase as it is listed, and what only matters to whoever wants to know why."""
    one, shown = story.purchase, story.listed
    if one is None or shown is None:
        return None
    return listed(shown, now) | {
        "due_at": one.due_at,
        "send_before": one.send_before,
        "left_by": one.left_by,
        "reads": one.reads,
        "attempts": one.attempts,
        "regenerations": one.regenerations,
        "wanted_again": one.wanted_again,
    }


def _tracking(known: ShipmentState) -> dict[str, object]:
    return {
        "tracking_status": known.tracking_status,
        "carrier_status": known.spans[-1].word if known.spans else None,
        "tracking_number": known.tracking_number,
        "return_tracking_number": known.return_tracking_number,
        "statuses": [_status(span) for span in known.spans],
    }


def _status(span: Span) -> dict[str, object]:
    return {
        "tracking_status": statuses.lookup(SOURCE, span.word).tracking,
        "carrier_status": span.word,
        "first_at": datetime.fromtimestamp(span.first, UTC),
        "last_at": datetime.fromtimestamp(span.last, UTC),
    }
