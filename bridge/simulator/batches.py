"""Batches: many shipments taken in by one call, and seen together afterwards.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153502 and 28639257
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bridge.simulator.organizations import Organization
from bridge.simulator.shipments import Shipment


@dataclass(frozen=True)
class Batch:
    """What was sent together. Each shipment goes its own way, and is announced by itself."""

    id: int
    organization: Organization
    shipments: Sequence[Shipment]
    created_at: datetime

    @property
    def status(self) -> Literal["in_progress", "done"]:
        """Say whether the offers of all are prepared. Only `done` is documented; the word before it is ours."""
        return "in_progress" if any(one.preparing for one in self.shipments) else "done"

    @property
    def updated_at(self) -> datetime:
        return max(one.updated_at for one in self.shipments)


class Batches:
    """All batches."""

    def __init__(self) -> None:
        self._by_id: dict[int, Batch] = {}

    def add(self, batch: Batch) -> None:
        self._by_id[batch.id] = batch

    def get(self, batch_id: int) -> Batch | None:
        return self._by_id.get(batch_id)
