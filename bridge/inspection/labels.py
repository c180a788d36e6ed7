"""Labels in the story of a shipment: which are kept, which are not there yet, which were given up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from bridge.store.labels import Kept, State


class ShownLabel(TypedDict):
    """A label as it stands, never itself. Null: nothing of the kind has happened."""

    format: str
    type: str | None
    state: State
    at: datetime
    tries: Annotated[int, Field(description="How often the carrier was asked in vain")]
    reason: Annotated[str | None, Field(description="Why there is none, in one word")]
    sha256: str | None
    size: int | None
    url: Annotated[str | None, Field(description="Where it is answered to whoever may see personal data")]


def document(one: Kept) -> ShownLabel:
    """Describe one for programs. Its bytes are answered to whoever may see personal data."""
    return {
        "format": one.place.format,
        "type": one.place.kind,
        "state": one.state,
        "at": one.at,
        "tries": one.tries,
        "reason": one.reason,
        "sha256": one.sha256,
        "size": one.size,
        "url": one.place.url if one.state == "kept" else None,
    }


def outlook(labels: Sequence[Kept]) -> Iterator[str]:
    """Say what happens next to those that are not there."""
    for one in labels:
        tried = f"{one.reason}, asked {'once' if one.tries == 1 else f'{one.tries} times'}"
        if one.state == "waiting":
            yield f"its {one.place.name} label is not there yet ({tried}): it is asked for again"
        elif one.state == "failed":
            yield f"its {one.place.name} label was given up ({tried}): `{_again(one)}` asks once more"


def _again(one: Kept) -> str:
    kind = "" if one.place.kind is None else f" --type {one.place.kind}"
    return f"bridge shipments label {one.place.shipment} --format {one.place.format}{kind}"
