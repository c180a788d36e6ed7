"""What the carrier did because a caller asked for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal

Act = Literal[
    "shipment_created",
    "shipment_edited",
    "shipment_cancelled",
    "offer_selected",
    "purchase_accepted",
    "batch_created",
    "label_made",
    "dispatch_order_created",
    "dispatch_order_cancelled",
    "comment_added",
    "comment_changed",
    "comment_removed",
    "ticket_created",
    "ticket_label_made",
    "code_generated",
    "codes_stocked",
    "code_activated",
    "code_invalidated",
    "order_saved",
    "order_deleted",
    "order_items_added",
    "return_booked",
    "return_registered",
    "return_cancel_requested",
    "return_status_added",
]


@dataclass(frozen=True)
class Deed:
    """One effect of one call.

    `subject` is the id of the shipment, the batch or the dispatch order; of a return it is its provider's id, number or
    code, and the organization is the name that the scenario gives the account.
    """

    id: int
    act: Act
    organization_id: int | str
    subject: int | str
    reference: str | None
    at: datetime


class Deeds:
    """All effects in order, so that a test can count them, whatever the callers were answered."""

    def __init__(self) -> None:
        self._deeds: list[Deed] = []

    def record(
        self, act: Act, organization_id: int | str, subject: int | str, reference: str | None, at: datetime
    ) -> None:
        self._deeds.append(Deed(len(self._deeds) + 1, act, organization_id, subject, reference, at))

    def after(self, deed_id: int) -> Iterator[Deed]:
        """List the effects that followed this one; 0 lists all. Ids are positions, from 1."""
        return islice(self._deeds, max(0, deed_id), None)

    def counts(self) -> dict[Act, int]:
        """Count them by what they are."""
        return dict(Counter(deed.act for deed in self._deeds))
