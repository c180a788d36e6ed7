"""How pages follow each other: a search goes on from the last id, events by number.

https://returns.returnsplatform.com/api (returns/items: 1000 at most, by id, newest first; tracking: pages from 1)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import ValidationError

from bridge.carriers.intelligentreturns import answers
from bridge.carriers.intelligentreturns.found import a_return
from bridge.carriers.intelligentreturns.questions import EventFilter, ReturnFilter
from bridge.carriers.intelligentreturns.scans import progress
from bridge.carriers.intelligentreturns.words import MOST_FOUND
from bridge.errors import CarrierUnavailable
from bridge.returns.found import FoundReturn
from bridge.returns.progress import Progress

EVENTS_AT_ONCE: Final = 1000
"""The provider gives 20,000; they are read in 0.5 s from JSON and in 1.4 s from XML, and nothing else runs."""


@dataclass(frozen=True, slots=True)
class Found:
    """What can be read of a page, how many could not be, and how many returns there are by their count."""

    items: Sequence[FoundReturn] = ()
    unread: int = 0
    total: int | None = None

    @property
    def came(self) -> int:
        """How many returns there are on the page."""
        return len(self.items) + self.unread

    @property
    def is_full(self) -> bool:
        """Whether it has as many as a page may have."""
        return self.came >= MOST_FOUND

    @property
    def is_last(self) -> bool:
        """Whether nothing follows: it is empty, or neither full nor, by their count, less than all.

        What they count is not quite said (those below the last id, or those of every page), so the end may be found by
        one page more that is empty.
        """
        return self.came == 0 or not (self.is_full or (self.total or 0) > self.came)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a search that is to be asked for; None after the last one."""

    wanted: ReturnFilter | None

    def after(self, found: Found) -> Page:
        """Say what to ask for next: from below the last id, as long as there may be more. Raises CarrierUnavailable."""
        if self.wanted is None or found.is_last:
            return Page(None)
        ids = [int(one.id) for one in found.items if one.id.isascii() and one.id.isdecimal()]
        last = min(ids, default=None)
        if last is None or last < 1 or (self.wanted.id_last is not None and last >= self.wanted.id_last):
            if not found.is_full:
                return Page(None)
            raise CarrierUnavailable("filter_dropped")  # it does not go on, and would for ever begin anew
        return Page(replace(self.wanted, id_last=last))


def following(wanted: EventFilter) -> EventFilter:
    """Ask for the next page of events."""
    return replace(wanted, page=wanted.page + 1)


def listed(page: answers.Returns) -> Found:
    """Give what can be read of a page."""
    read: list[FoundReturn] = []
    for one in page.items:
        try:
            read.append(a_return(answers.Return.model_validate(one)))
        except ValidationError:
            continue
    return Found(read, len(page.items) - len(read), page.total)


def events(number: int, page: answers.TrackedPage) -> tuple[list[Progress], int]:
    """Give a page's parcels, and how many pages there are. Another page than that asked for is none."""
    if page.current_page not in (None, number):
        raise CarrierUnavailable("filter_dropped")
    parcels = [progress(one, one.tracking_number) for one in page.tracking_data if one.tracking_number]
    return parcels, page.total_pages_count
