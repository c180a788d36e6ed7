"""The carrier's words for how an order stands, and ours.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153482: `new` and `sent`; an older version of it also
had `accepted`, `done`, `rejected` and `canceled`. The set is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class OrderState(StrEnum):
    """How an order stands."""

    open = "open"
    """A courier may come; so is what has a word that nobody knows."""
    done = "done"
    rejected = "rejected"
    cancelled = "cancelled"
    gone = "gone"
    """The carrier does not know it any more."""

    @property
    def is_over(self) -> bool:
        """Say whether nothing more is expected of it."""
        return self is not OrderState.open


_STATES: Final[Mapping[str, OrderState]] = {
    "new": OrderState.open,
    "sent": OrderState.open,
    "accepted": OrderState.open,
    "done": OrderState.done,
    "rejected": OrderState.rejected,
    "canceled": OrderState.cancelled,
}


def state_of(word: str | None) -> OrderState:
    """Say what a word means; one that nobody knows ends nothing."""
    return OrderState.open if word is None else _STATES.get(word, OrderState.open)
