"""What follows from a confirmation: where labels are wanted unasked, the command to fetch one, in the same commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from bridge.events.catalogue import Confirmed, StatusChanged
from bridge.events.statuses import TrackingStatus
from bridge.model import Command, Fact, OrganizationId, ShipmentId
from bridge.shipments.asked_label import KeepLabel
from bridge.shipments.label import LabelWish
from bridge.store import commands
from bridge.store.database import Transaction
from bridge.store.labels import Place
from bridge.store.sealed import Vault

GIVEN_BY: Final = "confirmation"
_BEFORE_ITS_WAY: Final = frozenset({TrackingStatus.unknown, TrackingStatus.pending, TrackingStatus.label_created})
_BEHIND: Final = timedelta(hours=1)
"""Whoever waits for an answer comes first."""


class Following:
    """Has the labels of confirmed shipments fetched, for the organizations that want theirs."""

    def __init__(self, wishes: Mapping[OrganizationId, LabelWish], vault: Vault) -> None:
        self._wishes = wishes
        self._vault = vault

    def __call__(self, transaction: Transaction, facts: Sequence[Fact], now: datetime) -> None:
        """Write down what is to be fetched, in the transaction of the facts."""
        wanted = [_command(one, wish, now) for one in confirmed(facts) if (wish := self._wish(one)) is not None]
        if wanted:
            commands.follow(transaction, self._vault, wanted)

    def _wish(self, told: Confirmed) -> LabelWish | None:
        return self._wishes.get(OrganizationId(told.organization_id))


def confirmed(facts: Sequence[Fact]) -> Iterator[Confirmed]:
    """Give the confirmations among facts, but for parcels that were on their way when we first heard of them.

    Whoever met them in the middle of their lives, as a backfill does, needs no label: it is on the parcel.
    """
    moved = {
        one.subject
        for one in facts
        if isinstance(one.data, StatusChanged) and one.data.tracking_status not in _BEFORE_ITS_WAY
    }
    for one in facts:
        if isinstance(one.data, Confirmed) and one.subject not in moved:
            yield one.data


def _command(told: Confirmed, wish: LabelWish, now: datetime) -> Command:
    body = KeepLabel(
        shipment_id=told.shipment_id, organization_id=told.organization_id, format=wish.format, type=wish.kind
    )
    place = Place(OrganizationId(told.organization_id), ShipmentId(told.shipment_id), wish.format, wish.kind)
    return Command(body.operation, place.id, body.canonical, GIVEN_BY, deadline=now + _BEHIND)
