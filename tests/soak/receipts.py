"""What a consumer's events say of purchases, after repeats were dropped."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tests.soak.follower import Event

_OFFERED: Final = "bridge.shipment.offers_prepared.v1"
_SUCCEEDED: Final = "bridge.shipment.purchase_succeeded.v1"
_FAILED: Final = "bridge.shipment.purchase_failed.v1"
_REQUESTED: Final = "bridge.shipment.purchase_requested.v1"
_UNBOUGHT: Final = ("bridge.shipment.offer_selection_failed.v1", "bridge.shipment.offers_expired.v1")
_UNDER_WAY: Final = (
    "bridge.shipment.offer_selected.v1",
    "bridge.shipment.purchase_held.v1",
    "bridge.shipment.purchase_unknown.v1",
    _REQUESTED,
)
ENDS: Final = frozenset({_SUCCEEDED, _FAILED, *_UNBOUGHT})
"""What may come last of a purchase."""
_TOLD: Final = ENDS.union(_UNDER_WAY)


class Receipts:
    """Takes the events of one source, one after the other, in any order."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._last: dict[int, tuple[str, str, str]] = {}
        self.requested: dict[str, int] = {}
        """The shipment of each intent."""
        self.ends: Counter[str] = Counter()
        """How often each intent ended."""
        self.succeeded: Counter[int] = Counter()
        """By shipment; those that were adopted are not among them."""
        self.adopted: Counter[int] = Counter()
        self.polled: set[int] = set()
        """Shipments whose offers a read found before any webhook told them."""

    def note(self, event: Event) -> None:
        """Take in an event that is no repeat."""
        kind, data = event["type"], event["data"]
        if event["source"] != self._source:
            return
        if kind == _OFFERED and data["evidence"] == "carrier":
            self.polled.add(int(data["shipment_id"]))
        elif kind in _TOLD:
            self._follow(int(data["shipment_id"]), kind, event)

    def _follow(self, shipment: int, kind: str, event: Event) -> None:
        data = event["data"]
        now = (event["sequence"], kind, data.get("reason", ""))
        self._last[shipment] = max(self._last.get(shipment, now), now)
        if kind == _REQUESTED:
            self.requested[data["intent_id"]] = shipment
        elif kind == _SUCCEEDED and data["adopted"]:
            self.adopted[shipment] += 1
        elif kind in (_SUCCEEDED, _FAILED):
            self.ends[data["intent_id"]] += 1
            self.succeeded[shipment] += kind == _SUCCEEDED

    def last(self, shipment: int) -> str:
        """Give what was told last of a shipment's purchase: the event, and the reason where it has one."""
        _, kind, reason = self._last.get(shipment, ("", "nothing", ""))
        return " ".join((kind.removeprefix("bridge.shipment.").removesuffix(".v1"), reason)).strip()

    def has_ended(self, shipment: int) -> bool:
        """Say whether a shipment was bought, or a reason was told why it was not."""
        return shipment in self._last and self._last[shipment][1] in ENDS
