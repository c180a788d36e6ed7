"""Labels, of which there is one from `confirmed` on. What is no label is no answer: the carrier may have one later.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153509 (one), …/18153510 (many), …/18153511 (returns)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bridge.carriers import files
from bridge.carriers.answer import Answer
from bridge.carriers.shipx import calls
from bridge.carriers.shipx.asking import Asker
from bridge.limits.connection import Purpose
from bridge.model import OrganizationId, ShipmentId
from bridge.shipments.label import Label, LabelFormat, LabelWish


class ShipxLabels:
    """Fetches the labels of one organization's shipments. A file of more than 5 MB is not read to its end."""

    def __init__(self, asker: Asker, organization: OrganizationId) -> None:
        self._asker = asker
        self._organization = organization

    async def fetch(self, shipment: ShipmentId, wish: LabelWish) -> Label:
        """Fetch one shipment's label."""
        return await self._asker.ask(calls.label(shipment, wish), partial(_one, wish), Purpose.label)

    async def fetch_many(self, shipments: Sequence[ShipmentId], wish: LabelWish) -> Label:
        """Fetch up to a hundred in one file, or in an archive with a file for each service."""
        assert 0 < len(shipments) <= calls.MOST_AT_ONCE, "one to a hundred at once"
        call = calls.labels(self._organization, shipments, wish)
        return await self._asker.ask(call, partial(_many, wish), Purpose.label)

    async def fetch_returns(self, shipments: Sequence[ShipmentId], form: LabelFormat) -> Label:
        """Fetch up to a hundred labels for the way back, of courier services alone."""
        assert 0 < len(shipments) <= calls.MOST_AT_ONCE, "one to a hundred at once"
        call = calls.return_labels(self._organization, shipments, form)
        return await self._asker.ask(call, partial(_many, LabelWish(form)), Purpose.label)


def _one(wish: LabelWish, answer: Answer) -> Label:
    content, _ = files.content(answer, wish.format.value)
    return Label(content, wish.format, wish.kind)


def _many(wish: LabelWish, answer: Answer) -> Label:
    content, found = files.content(answer, wish.format.value, "zip")
    return Label(content, wish.format, wish.kind, is_archive=found == "zip")
