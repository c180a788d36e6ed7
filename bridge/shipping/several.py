"""How far a command that makes several things has come: what was refused, and what nobody knows of, item by item."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from bridge.model import BatchId, Progress
from bridge.shipping.attempt import Attempt
from bridge.shipping.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Several(Attempt):
    """An attempt at several things by one call.

    `batch` is what the carrier took in, where it said so; `refused` says why, by item.
    """

    batch: BatchId | None = None
    refused: Mapping[int, Refusal] = field(default_factory=dict)
    unclear: Collection[int] = ()

    @classmethod
    def of(cls, at: Mapping[str, Any], now: datetime) -> Self:
        """Go on from what was written down."""
        one = Attempt.of(at, now)
        refused = {int(item): Refusal.read(kept) for item, kept in at.get("refused", {}).items()}
        unclear = tuple(at.get("unclear", ()))
        kept = (one.since, one.sent_at, one.sent, one.looks, one.lists, one.listed_at)
        return cls(*kept, at.get("batch"), refused, unclear)

    def progress(self, made: int) -> Progress:
        """Write it down, with how many were made."""
        refused = {str(item): one.written() for item, one in self.refused.items()}
        at = {**self.written(), "batch": self.batch, "refused": refused, "unclear": list(self.unclear)}
        return Progress(made, None, at, is_sent=self.sent > 0)

    def sending(self, now: datetime) -> Self:
        """Take note that a call is about to be made: what it makes is no batch yet."""
        return replace(Attempt.sending(self, now), batch=None)

    def taken(self, batch: BatchId) -> Self:
        """Take note that the carrier took many in."""
        return replace(self, batch=batch)

    def doubting(self, items: Collection[int]) -> Self:
        """Take note that nobody can say what became of these."""
        return replace(self, unclear=(*self.unclear, *items))

    def without(self, refused: Mapping[int, Refusal]) -> Self:
        """Take note of a definite no, which was the answer to the call: nothing of it was taken in."""
        return replace(self.unsent(), refused={**self.refused, **refused})
