"""Codes that open a locker: made in advance or at once, and how a provider reports on them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

MOST_ON_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class SpareCode:
    """A code that was made in advance; it opens nothing until it is activated."""

    code: str = field(repr=False)
    uuid: str | None = None
    is_active: bool = False
    has_label: bool = False


@dataclass(frozen=True, slots=True)
class CodeQuery:
    """Codes that were created from one day to another, both included. What is None does not narrow it."""

    since: date
    until: date
    code: str | None = field(default=None, repr=False)
    rma: str | None = None
    tracking_number: str | None = None
    is_used: bool | None = None
    is_active: bool | None = None
    limit: int = MOST_ON_PAGE
    offset: int = 0
    """How many rows to skip: the first page is at 0."""

    def __post_init__(self) -> None:
        if self.since > self.until or not 1 <= self.limit <= MOST_ON_PAGE or self.offset < 0:
            raise ValueError("not a page of anything")

    @property
    def following(self) -> CodeQuery:
        """Ask for the next page."""
        return replace(self, offset=self.offset + self.limit)


@dataclass(frozen=True, slots=True)
class ReportedCode:
    """A row. What the provider does not say of it is None; `pack_status` is its raw word for the parcel."""

    code: str = field(repr=False)
    rma: str | None = None
    tracking_number: str | None = None
    is_active: bool | None = None
    is_used: bool | None = None
    pack_status: str | None = None
    has_label: bool | None = None


@dataclass(frozen=True, slots=True)
class CodePage:
    """Some rows. `unread` is how many could not be read.

    `is_certain` says whether they stood where rows stand: where they did not, nothing follows from their absence.
    """

    codes: tuple[ReportedCode, ...]
    unread: int
    is_last: bool
    is_certain: bool
