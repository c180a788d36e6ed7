"""When a shipment is to be asked about next: often while something is open, seldom where nothing moves. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from bridge.events import statuses
from bridge.events.projection import OFFER_LIFETIME
from bridge.events.shipment import SOURCE, ShipmentState
from bridge.events.statuses import TrackingStatus
from bridge.store.watched import Look, Phase, Watched

FORGOTTEN: Final = timedelta(days=45)
"""Without any news for so long, nothing is expected any more: the carrier's own history ends there, too."""
_OFFERS_WITHIN: Final = timedelta(minutes=10)
"""How long the offers of a new shipment are waited for."""
_SLACK: Final = timedelta(seconds=30)
"""By how much longer than its offers live a window counts as open: clocks differ."""
_NUMBER_WITHIN: Final = 40
"""How many reads in a row wait urgently for the number of what is bought."""
_DOUBLINGS: Final = 2
_CANCELLED_LOOKS: Final = 2
"""A purchase that was under way can overwrite a cancellation, so it is looked at again before it is believed."""
_NOT_KNOWN_LOOKS: Final = 3
_NOT_KNOWN_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often shipments are asked about: `open_every`, and those under way between a quarter of it and `every`."""

    open_every: timedelta
    tracking_every: timedelta

    def look(self, watched: Watched, now: datetime) -> Look | None:
        """Say how urgent a shipment is and when to look next; None where nothing is expected of it any more."""
        if _is_over(watched, now):
            return None
        if _is_open(watched, now):
            return Look(Phase.open, self.open_every)
        return Look(Phase.tracking, self._tracking(watched.quiet))

    def missed(self, misses: int, for_so_long: timedelta) -> Look | None:
        """Say when to ask again for what the carrier did not know; None where it is gone."""
        if misses >= _NOT_KNOWN_LOOKS and for_so_long >= _NOT_KNOWN_FOR:
            return None
        wait = self.open_every * 2 ** min(misses, 16)
        return Look(Phase.tracking, min(wait, self.tracking_every))

    def _tracking(self, quiet: int) -> timedelta:
        """Look sooner after news, for more may follow, then half as often, and again."""
        return self.tracking_every / (1 << (_DOUBLINGS - min(quiet, _DOUBLINGS)))


def _is_over(watched: Watched, now: datetime) -> bool:
    if now - _last_news(watched) > FORGOTTEN:
        return True
    state = watched.state
    if state is None or not state.spans or not statuses.lookup(SOURCE, state.spans[-1].word).terminal:
        return False
    return state.tracking_status is not TrackingStatus.cancelled or watched.quiet >= _CANCELLED_LOOKS


def _last_news(watched: Watched) -> datetime:
    state = watched.state or ShipmentState()
    second = state.spans[-1].last if state.spans else state.offers_at
    told = watched.since if second is None else datetime.fromtimestamp(second, UTC)
    return max(told, watched.news_at)


def _is_open(watched: Watched, now: datetime) -> bool:
    """Say whether offers, the outcome of a purchase, or what follows at once from it is awaited."""
    state = watched.state or ShipmentState()
    if watched.is_wanted:
        return True
    if state.confirmed:
        return state.tracking_number is None and watched.quiet < _NUMBER_WITHIN
    if state.tracking_status is TrackingStatus.cancelled:
        return True
    if not state.is_buyable:
        return False
    if state.offers_at is None:
        return now - watched.since < _OFFERS_WITHIN
    return now - datetime.fromtimestamp(state.offers_at, UTC) < OFFER_LIFETIME + _SLACK
