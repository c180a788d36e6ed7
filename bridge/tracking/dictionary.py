"""The carrier's own list of its words for where a parcel is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatusText:
    """A word, and what the carrier tells people that it means. Texts change, and contradict each other."""

    name: str
    title: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class Dictionary:
    """All of them. `unread` is how many could not be read."""

    statuses: tuple[StatusText, ...]
    unread: int = 0
