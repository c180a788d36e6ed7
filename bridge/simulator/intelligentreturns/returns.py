"""Returns that were booked or registered, and the scans of their parcels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns.catalogue import Service
from bridge.simulator.intelligentreturns.drafts import ReturnDraft
from bridge.simulator.intelligentreturns.terms import AccountTerms

SCANS: Final = frozenset({"10", "20", "30", "40", "43", "45", "90", "50", "60", "110", "310"})
"""The codes that say where a parcel is."""
VIRTUAL: Final = frozenset({"70", "100", "120", "200", "201", "202", "300", "320"})
"""The codes that say something else of it."""
STATUSES: Final = {"310": 301, "300": 300, "70": 5, "60": 1}
"""Status of a return, by the tracking code that brings it about, the weightiest first."""


@dataclass(frozen=True)
class Scan:
    """One event: when it happened, and when the system heard of it."""

    status: str
    at: datetime
    added: datetime
    location: Document


@dataclass
class Return:
    """One return."""

    id: int
    account: AccountTerms
    draft: ReturnDraft
    service: Service
    tracking: str
    label: str
    booked_at: datetime
    cancel_until: datetime
    labelled_at: datetime
    scans: list[Scan] = field(default_factory=list)

    @property
    def barcode(self) -> str:
        return f"sec_{self.tracking}"

    def label_at(self, now: datetime) -> str:
        """Give the label, once there is one."""
        return self.label if now >= self.labelled_at else ""

    @property
    def external_id(self) -> str:
        return self.draft.external_id or ""

    @property
    def seen(self) -> frozenset[str]:
        """Name every code that it has had."""
        return frozenset(scan.status for scan in self.scans)

    @property
    def status(self) -> int:
        """Give the status of the return: a word for searches only."""
        return next((status for code, status in STATUSES.items() if code in self.seen), 0)

    def last(self, codes: frozenset[str]) -> str:
        """Give the latest code of a kind."""
        return next((scan.status for scan in reversed(self.scans) if scan.status in codes), "")

    def scan(self, status: str, at: datetime, added: datetime, location: Document | None = None) -> None:
        """Add an event; where is the customer's country unless said."""
        customers: Document = {"country": self.draft.country or "", "state": "", "city": ""}
        self.scans.append(Scan(status, at, added, customers if location is None else location))


def newest_first(returns: Sequence[Return]) -> list[Return]:
    """Sort as searches do."""
    return sorted(returns, key=lambda one: -one.id)
