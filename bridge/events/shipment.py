"""What is known of a shipment: the state that the projection compares every notification with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import from_json, to_json

from bridge.events import statuses
from bridge.events.history import Seen, Span, report
from bridge.events.statuses import TrackingStatus

SOURCE = "shipx"


def rank(word: str) -> tuple[int, int]:
    """Order two ShipX words that carry the same second."""
    return statuses.lookup(SOURCE, word).rank


@dataclass(frozen=True, slots=True)
class ShipmentState:
    """The history of a shipment, the numbers known, and when its present offers were made (seconds since 1970)."""

    spans: tuple[Span, ...] = ()
    tracking_number: str | None = None
    return_tracking_number: str | None = None
    confirmed: bool = False
    offers_at: int | None = None

    def report(self, word: str, at: int) -> Seen:
        """See what is new when `word` is reported for second `at`."""
        return report(self.spans, word, at, rank)

    @property
    def tracking_status(self) -> TrackingStatus:
        """Where the parcel is: the last word that says so."""
        return known_before(self.spans, len(self.spans)) or TrackingStatus.unknown

    @property
    def is_buyable(self) -> bool:
        """Say whether, for all we know, its offers can still be bought."""
        return not self.confirmed and self.tracking_status in (TrackingStatus.unknown, TrackingStatus.pending)

    def dump(self) -> str:
        """Write the state as the compact text that the store keeps."""
        return to_json(
            [self.spans, self.tracking_number, self.return_tracking_number, self.confirmed, self.offers_at]
        ).decode()

    @classmethod
    def load(cls, text: str) -> ShipmentState:
        """Read what `dump` wrote."""
        spans, number, return_number, confirmed, offers_at, *_newer = from_json(text)
        return cls(tuple(_span(*span) for span in spans), number, return_number, confirmed, offers_at)


def known_before(spans: tuple[Span, ...], place: int) -> TrackingStatus | None:
    """Give the last normalized status before a place in the history, passing over words that say nothing of it."""
    for span in reversed(spans[:place]):
        status = statuses.lookup(SOURCE, span.word)
        if not status.keep_previous:
            return status.tracking
    return None


def _span(word: str, first: int, last: int, occurrence: int, between: Sequence[int] = ()) -> Span:
    return Span(word, first, last, occurrence, tuple(between))
