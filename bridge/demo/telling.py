"""What the carrier told of each shipment by webhook, and what it kept to itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set
from datetime import datetime
from typing import NamedTuple

from bridge.demo.records import CONFIRMED, NEVER_SENT, OFFERS, Delivery, Mishap


class Word(NamedTuple):
    """A status, or another event by its name, and the second in which it happened: webhooks tell no more of it."""

    text: str
    second: datetime


class Telling:
    """Sorts webhooks that came and webhooks that are missing by shipment."""

    def __init__(self, deliveries: Iterable[Delivery], mishaps: Iterable[Mishap]) -> None:
        self._told: defaultdict[int, set[Word]] = defaultdict(set)
        self._kept: defaultdict[int, set[Word]] = defaultdict(set)
        for delivery in deliveries:
            if delivery.was_told:
                self._told[delivery.shipment].add(_word(delivery.event, delivery.happened_at))
        for mishap in mishaps:
            if mishap.kind == NEVER_SENT and mishap.shipment is not None:
                self._kept[mishap.shipment].add(_word(mishap.about, mishap.at.replace(microsecond=0)))

    def was_told(self, shipment: int, text: str) -> bool:
        return any(word.text == text for word in self._told[shipment])

    def was_kept(self, shipment: int, text: str) -> bool:
        """Say whether a webhook of this was never sent, and none of the same came."""
        return any(word.text == text for word in self._kept[shipment]) and not self.was_told(shipment, text)

    def possible(self, shipment: int) -> Set[str | None]:
        """Give the statuses that somebody can take for the last one who knows what was told.

        That is the last that was told, what shares its second, and what came later, for a read may have shown it.
        """
        told = _statuses(self._told[shipment])
        last = max((word.second for word in told), default=None)
        words = told | _statuses(self._kept[shipment])
        later: set[str | None] = {word.text for word in words if last is None or word.second >= last}
        return later | ({None} if last is None else set())


def _word(event: str, second: datetime) -> Word:
    """A bought shipment is told in two ways, which mean the same."""
    return Word(CONFIRMED[1] if event in CONFIRMED else event, second)


def _statuses(words: set[Word]) -> set[Word]:
    return {word for word in words if word.text != OFFERS}
