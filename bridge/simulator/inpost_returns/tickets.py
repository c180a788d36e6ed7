"""Return tickets: what they are, and how they move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from bridge.simulator.inpost_returns.drafts import Sender
from bridge.simulator.inpost_returns.terms import AccountTerms, Size

Status = Literal["NEW", "ACCEPTED", "SCANNED", "USED", "CANCELED", "REJECTED", "EXPIRED", "DELIVERED"]

STATUSES: Final[tuple[str, ...]] = get_args(Status)
UNSENT: Final = frozenset({"NEW", "ACCEPTED"})
"""What expires when its time is over; a code that was scanned has done its part."""
ENDED: Final = frozenset({"CANCELED", "REJECTED", "EXPIRED", "DELIVERED"})


@dataclass
class Ticket:
    """One return. `entered` is its status, but for its time being over, which `status` knows."""

    number: int
    id: str
    account: AccountTerms
    sender: Sender
    size: Size
    reference: str | None
    created_at: datetime
    expires_at: datetime
    code: str | None
    tracking_number: str
    entered: str = "NEW"
    sent_at: datetime | None = None
    delivered_at: datetime | None = None

    def status(self, now: datetime) -> str:
        """Say what it is by now."""
        return "EXPIRED" if self.entered in UNSENT and now >= self.expires_at else self.entered

    def move(self, status: str, now: datetime) -> None:
        """Enter a status, whatever it was before."""
        self.entered = status
        if status in ("USED", "DELIVERED") and self.sent_at is None:
            self.sent_at = now
        if status == "DELIVERED":
            self.delivered_at = now


class Tickets:
    """All tickets by id, oldest first."""

    def __init__(self) -> None:
        self._tickets: dict[str, Ticket] = {}

    def __iter__(self) -> Iterator[Ticket]:
        return iter(self._tickets.values())

    def __len__(self) -> int:
        return len(self._tickets)

    def add(self, ticket: Ticket) -> None:
        self._tickets[ticket.id] = ticket

    def get(self, ticket_id: str) -> Ticket | None:
        return self._tickets.get(ticket_id)
