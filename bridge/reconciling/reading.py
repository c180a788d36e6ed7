"""What a read shows becomes the facts that webhooks would have brought, under the same ids: pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Final

from bridge.events import statuses
from bridge.events.notification import Content, Notification, OffersSeen, StatusSeen
from bridge.events.projection import Projection, project
from bridge.events.shipment import SOURCE, ShipmentState
from bridge.events.statuses import TrackingStatus
from bridge.model import DeliveryId, Evidence, Fact, OrganizationId, PurchaseWork
from bridge.purchasing.evidence import Bought, evidence
from bridge.purchasing.shipment import Shipment

RESCUED: Final = timedelta(hours=1)
"""A window that was over for longer when we learned of it is not asked about: nobody may want the parcel any more."""
_OFFERED: Final = "offers_prepared"


@dataclass(frozen=True, slots=True)
class Reading:
    """A shipment as it was read. `command` is what had us ask, where that was not our own accord."""

    organization: OrganizationId
    read: Shipment
    command: str | None = None
    is_first: bool = False
    """Whether it was made just now, by a command: then its first status is told, too."""

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is missing: an item of a list may come without its offers."""
        return self.read.status != _OFFERED or bool(self.read.offers)

    def project(self, known: ShipmentState | None) -> Projection:
        """Say what is new in it. `known` is None for a shipment nobody has told us of yet."""
        state, facts, work, is_bought = known, list[Fact](), None, False
        for content in self._contents(known):
            found = project(self._notification(content), state)
            state = found.state or state
            facts += found.facts
            work = work or found.work
            is_bought = is_bought or found.is_bought
        verdict = "projected" if facts else "nothing_new"
        return Projection(verdict, state, tuple(facts), self._wanted(work), is_bought)

    def _contents(self, known: ShipmentState | None) -> Iterator[Content]:
        """Give what webhooks would tell of it.

        Whether the carrier announces the statuses before a purchase is not documented: they are told where it has
        announced one of this shipment, and otherwise its offers speak for themselves.
        """
        read = self.read
        if read.status == _OFFERED and read.offers:
            yield OffersSeen(read.offers)
        is_pending = statuses.lookup(SOURCE, read.status).tracking is TrackingStatus.pending
        if not is_pending or self.is_first or (known is not None and known.spans):
            is_bought = isinstance(evidence(read, ()), Bought)
            yield StatusSeen(read.status, read.tracking_number, read.return_tracking_number, is_bought)

    def _notification(self, content: Content) -> Notification:
        at = self.read.changed_at.astimezone(UTC)
        cause = DeliveryId(self.command or "")
        return Notification(self.organization, self.read.id, at, Evidence.carrier, content, cause)

    def _wanted(self, work: PurchaseWork | None) -> PurchaseWork | None:
        """Have a purchase decided about, unless its window was over long ago. Each set of offers is another cause."""
        if work is None or work.deadline < self.read.at - RESCUED:
            return None
        cause = self.command or f"read/{self.read.id}/{int(self.read.changed_at.timestamp())}"
        return replace(work, cause=DeliveryId(cause))
