"""Which answers are allowed where: behind the webhook route 200, 404 and 503; elsewhere no 5xx but 503."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Place(StrEnum):
    """What an input is aimed at."""

    right_secret = "webhook, right secret"
    wrong_secret = "webhook, wrong secret"
    api = "everything else"
    wire = "no proper HTTP"


_WEBHOOK: Final = {
    Place.right_secret: frozenset({200, 503}),
    Place.wrong_secret: frozenset({404}),
}
_PLAIN: Final = b"application/json"
PROBLEM: Final = b"application/problem+json"


def is_allowed(place: Place, status: int) -> bool:
    """Say whether an answer is one that the contract knows. Being cut off without any is not an answer."""
    if place in _WEBHOOK:
        return status in _WEBHOOK[place]
    if place is Place.wire:  # what is no HTTP may be told so; what passes for HTTP after all is answered like it
        return status in (200, 400, 404, 405, 503)
    return status < 500 or status == 503


def is_told_right(place: Place, status: int, content_type: bytes) -> bool:
    """Say whether an error is told as problems are.

    The webhook route and broken HTTP have no bodies to speak of; `/readyz` says in its own JSON what is missing.
    """
    if place is not Place.api or status < 400:
        return True
    return content_type.startswith(PROBLEM) or (status == 503 and content_type == _PLAIN)
