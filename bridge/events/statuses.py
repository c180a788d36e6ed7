"""Their words for a parcel's state become ours through one table, `statuses.csv`; the raw word always travels beside.

The table's rows and the texts behind them: https://api-shipx-pl.easypack24.net/v1/statuses (ShipX, read 2026-10-10),
https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153478.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources

TABLE_VERSION = "2026-10-10"
"""The day on which the table was last compared with the carriers' dictionaries."""

ANY_OTHER = "*"


class TrackingStatus(StrEnum):
    """Where a parcel is on its way, in our words. An open set for consumers."""

    pending = "pending"
    label_created = "label_created"
    picked_up = "picked_up"
    in_transit = "in_transit"
    out_for_delivery = "out_for_delivery"
    available_for_pickup = "available_for_pickup"
    attempt_failed = "attempt_failed"
    exception = "exception"
    returning = "returning"
    delivered = "delivered"
    returned = "returned"
    cancelled = "cancelled"
    unknown = "unknown"


class ReturnStatus(StrEnum):
    """Where a return is, in our words. An open set for consumers."""

    created = "created"
    accepted = "accepted"
    dropped_off = "dropped_off"
    in_transit = "in_transit"
    at_hub = "at_hub"
    delivered = "delivered"
    cancelled = "cancelled"
    rejected = "rejected"
    expired = "expired"
    failed = "failed"
    unknown = "unknown"


_PHASES = (
    TrackingStatus.unknown,
    TrackingStatus.pending,
    TrackingStatus.label_created,
    TrackingStatus.picked_up,
    TrackingStatus.in_transit,
    TrackingStatus.out_for_delivery,
    TrackingStatus.available_for_pickup,
    TrackingStatus.attempt_failed,
    TrackingStatus.exception,
    TrackingStatus.returning,
    TrackingStatus.delivered,
    TrackingStatus.returned,
    TrackingStatus.cancelled,
)


@dataclass(frozen=True, slots=True)
class Status:
    """One row of the table.

    `keep_previous`: the word says nothing about where the parcel is, so the last known status stays.
    `rank` orders words that arrive with the same second (the carrier sends whole seconds): further along is later.
    `is_virtual`: the word tells of something beside the parcel's way, and never of who has it.
    """

    tracking: TrackingStatus
    returned: ReturnStatus | None
    reason: str | None
    terminal: bool
    attention: bool
    keep_previous: bool
    rank: tuple[int, int]
    is_virtual: bool = False


@lru_cache(maxsize=1024)
def lookup(source: str, raw: str) -> Status:
    """Say what a carrier's raw word means; unlisted words get the source's `*` row, never an error."""
    table = tables()[source]
    return table.get(raw) or table[ANY_OTHER]


@cache
def tables() -> Mapping[str, Mapping[str, Status]]:
    """Give the whole table, by source and raw word."""
    text = resources.files(__package__).joinpath("statuses.csv").read_text(encoding="utf-8")
    found: dict[str, dict[str, Status]] = {}
    for number, row in enumerate(csv.DictReader(text.splitlines())):
        found.setdefault(row["source"], {})[row["raw_status"]] = _status(number, row)
    return found


def words(source: str) -> Iterable[str]:
    """List the raw words of one source that the table names."""
    return [word for word in tables()[source] if word != ANY_OTHER]


def _status(number: int, row: Mapping[str, str]) -> Status:
    tracking = TrackingStatus(row["tracking_status"])
    return Status(
        tracking=tracking,
        returned=ReturnStatus(row["return_status"]) if row["return_status"] else None,
        reason=row["reason"] or None,
        terminal=_flag(row["terminal"]),
        attention=_flag(row["attention"]),
        keep_previous=_flag(row["keep_previous"]),
        rank=(_PHASES.index(tracking), number),
    )


def _flag(word: str) -> bool:
    return {"yes": True, "no": False}[word]
