"""Return tickets as a provider lists them, and what may be asked of the list."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

MOST_ON_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class TicketQuery:
    """Tickets of one status that were created between two moments, page by page from 0.

    `sort` is a field and a direction (`createdAt,desc`); the order of the pages is the provider's where it is None.
    """

    created_from: datetime
    created_to: datetime
    status: str
    page: int = 0
    size: int = MOST_ON_PAGE
    sort: str | None = None

    def __post_init__(self) -> None:
        if self.created_from > self.created_to or self.page < 0 or not 1 <= self.size <= MOST_ON_PAGE:
            raise ValueError("not a page of anything")


@dataclass(frozen=True, slots=True)
class Listed:
    """A ticket. The reference that it was made with is not told, so who sends it is what it is known again by."""

    id: str
    status: str
    """The provider's word, as it was written."""
    code: str | None = field(default=None, repr=False)
    tracking_number: str | None = None
    parcel_size: str | None = None
    sender_name: str | None = field(default=None, repr=False)
    sender_email: str | None = field(default=None, repr=False)
    sender_phone: str | None = field(default=None, repr=False)
    created_at: datetime | None = None
    expires_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TicketPage:
    """Some of them, as they were `at` a time by the provider's clock. `unread` is how many could not be read."""

    tickets: tuple[Listed, ...]
    unread: int
    is_last: bool
    at: datetime
