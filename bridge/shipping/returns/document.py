"""A return as programs read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict

from bridge.events.returned import ReturnState
from bridge.returns.address import FoundAddress
from bridge.shipping.returns.handover import Handover
from bridge.store.returns import Kept, Secrets, State


class ShownLabel(TypedDict):
    """Whether there is a label, as far as is known, and where it is answered."""

    ready: bool
    url: str


class ShownDropOff(TypedDict):
    """Where it is to be dropped off, and where that point is described."""

    drop_off_point_id: str
    service_id: int
    url: str


class ShownReturn(TypedDict):
    """A return: what its customer needs of it, and how it stands.

    `code` is null where there is none, or the token may not see it, `drop_off` where none was chosen. `reason` is why
    it was not made.
    """

    return_id: str
    provider: str
    connection: str
    organization_id: int | None
    state: State
    reference: str
    provider_reference: str | None
    code: str | None
    tracking_number: str | None
    expires_at: datetime | None
    label: ShownLabel
    drop_off: ShownDropOff | None
    return_status: str | None
    reason: str | None
    created_at: datetime | None
    cancellable_until: datetime | None


class ShownStep(TypedDict):
    """A step of its way back: the provider's word, the status that held from then on, and since when."""

    carrier_status: str
    return_status: str
    since: datetime


class ShownFirstMile(TypedDict):
    """Where a return is sent at first, which may be a hub."""

    country_code: str | None
    state: str | None
    post_code: str | None
    city: str | None
    lines: Sequence[str]


class FollowedReturn(ShownReturn):
    """A return with its way back, as far as its provider has shown it, the first step first.

    `secondary_barcode` and `first_mile_address` are null where the provider told none, or the token may not see them.
    """

    secondary_barcode: str | None
    first_mile_address: ShownFirstMile | None
    timeline: Sequence[ShownStep]


class ReturnPage(TypedDict):
    """Some returns."""

    items: Sequence[ShownReturn]
    next: str | None


def document(kept: Kept) -> ShownReturn:
    """Describe it whole."""
    return {
        "return_id": kept.id,
        "provider": kept.provider,
        "connection": kept.connection.partition("/")[2],
        "organization_id": kept.organization,
        "state": kept.state,
        "reference": kept.secrets.reference,
        "provider_reference": kept.provider_reference,
        "code": kept.secrets.code,
        "tracking_number": kept.tracking_number,
        "expires_at": kept.expires_at,
        "label": {"ready": kept.has_label, "url": f"/v1/returns/{kept.id}/label"},
        "drop_off": _drop_off(kept.secrets),
        "return_status": kept.return_status,
        "reason": kept.reason,
        "created_at": kept.created_at,
        "cancellable_until": kept.cancellable_until,
    }


def followed(kept: Kept, seen: ReturnState, handover: Handover) -> FollowedReturn:
    """Describe it with its way back, and what it is handed over with."""
    steps = zip(seen.spans, seen.statuses, strict=True)
    timeline: list[ShownStep] = [
        {
            "carrier_status": span.word,
            "return_status": status,
            "since": datetime.fromtimestamp(span.first, UTC),
        }
        for span, status in steps
    ]
    return {
        **document(kept),
        "secondary_barcode": handover.secondary_barcode,
        "first_mile_address": _first_mile(handover.first_mile_address),
        "timeline": timeline,
    }


def _first_mile(found: FoundAddress | None) -> ShownFirstMile | None:
    if found is None:
        return None
    return {
        "country_code": found.country,
        "state": found.state,
        "post_code": found.post_code,
        "city": found.city,
        "lines": found.lines,
    }


def _drop_off(secrets: Secrets) -> ShownDropOff | None:
    point, service_id = secrets.drop_off_point_id, secrets.service_id
    if point is None or service_id is None:
        return None
    url = f"/v1/returns/drop-off-points/{quote(point, safe='')}?service_id={service_id}"
    return {"drop_off_point_id": point, "service_id": service_id, "url": url}


def without_code(kept: Kept) -> Kept:
    """Leave out what opens a locker."""
    return replace(kept, secrets=replace(kept.secrets, code=None))


def result(kept: Kept) -> dict[str, object]:
    """Describe the same as what came of a command, which is kept as JSON."""
    written: dict[str, object] = to_jsonable_python(document(kept))
    return written


COLUMNS: Final = ("return", "provider", "state", "reference", "asked for")


def row(kept: Kept) -> Sequence[object]:
    """Write it for a list that people read."""
    return kept.id, kept.provider, kept.state, kept.secrets.reference, kept.begun_at


def lines(kept: Kept, timeline: Sequence[ShownStep] = (), secondary_barcode: str | None = None) -> Mapping[str, object]:
    """Write it for people, line by line."""
    told: dict[str, object] = {
        "return": kept.id,
        "provider": kept.connection,
        "organization": kept.organization,
        "state": kept.state,
        "reason": kept.reason,
        "reference": kept.secrets.reference,
        "code": kept.secrets.code,
        "provider's id": kept.provider_reference,
        "tracking number": kept.tracking_number,
        "second barcode": secondary_barcode,
        "status": kept.return_status,
        "can be sent until": kept.expires_at,
        "can be cancelled until": kept.cancellable_until,
        "label": "there is one" if kept.has_label else None,
        "drop-off point": kept.secrets.drop_off_point_id,
        "asked for": kept.begun_at,
        "so far": ", ".join(f"{one['carrier_status']} {one['since']:%Y-%m-%d %H:%M}" for one in timeline) or None,
    }
    return {name: value for name, value in told.items() if value is not None}
