"""What came of a command that makes shipments, as programs read it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal, NotRequired

from pydantic import Field
from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict

from bridge.commands.models import done
from bridge.inspection.document import PurchaseInDetail, State, Summary, summary
from bridge.model import CommandState, OrganizationId, Outcome, ShipmentId, Subject
from bridge.shipments.asked import ShipmentAsked
from bridge.shipping.refusals import Refusal, ours
from bridge.store.database import Transaction
from bridge.store.story import story
from bridge.web.problems import FieldError

_UNCLEAR: Final = (
    "nobody knows whether the carrier made it: what its lists show does not say, so it is not asked for again"
)


class MadeShipment(Summary):
    """A shipment that was made."""

    shipment_id: int
    organization_id: int


class BatchItem(TypedDict):
    """What became of one of many: the shipment, or the problem that it met, or that nobody knows."""

    index: Annotated[int, Field(description="Its place among those that were asked for, from 0")]
    outcome: Literal["accepted", "done", "rejected", "unknown"]
    shipment_id: NotRequired[int]
    organization_id: NotRequired[int]
    state: NotRequired[State | None]
    tracking_number: NotRequired[str | None]
    purchase: NotRequired[PurchaseInDetail | None]
    problem: NotRequired[str]
    error: NotRequired[str]
    errors: NotRequired[Sequence[FieldError]]


class GivenBatch(TypedDict):
    """A command that makes many shipments, with what is known of each by now."""

    command_id: str
    outcome: Literal["accepted", "done"]
    items: Sequence[BatchItem]


def known(wanted: Sequence[ShipmentAsked | Sequence[FieldError]]) -> Sequence[dict[str, object]]:
    """Say of each of many what is known before anybody was asked."""
    return [
        _accepted(item) if isinstance(one, ShipmentAsked) else _no(item, ours(one)) for item, one in enumerate(wanted)
    ]


@dataclass(frozen=True, slots=True)
class Results:
    """What became of each item."""

    organization: OrganizationId
    is_single: bool
    made: Mapping[int, ShipmentId]
    refused: Mapping[int, Refusal]
    unclear: Collection[int]

    def outcome(self, transaction: Transaction, now: datetime) -> Outcome:
        """Say how the command ends: one shipment as itself, many as a list with an entry for each."""
        if not self.is_single:
            items = sorted({*self.made, *self.refused, *self.unclear})
            return done(organization_id=self.organization, items=[self._item(transaction, one, now) for one in items])
        if self.made:
            return done(**self._made(transaction, 0, now))
        if self.refused:
            return self.refused[0].outcome
        return Outcome(CommandState.unknown, error=_UNCLEAR)

    def _item(self, transaction: Transaction, item: int, now: datetime) -> dict[str, object]:
        if item in self.made:
            return {"index": item, "outcome": "done", **self._made(transaction, item, now)}
        if item in self.refused:
            return _no(item, self.refused[item])
        return {"index": item, "outcome": "unknown", "error": _UNCLEAR}

    def _made(self, transaction: Transaction, item: int, now: datetime) -> dict[str, object]:
        """Describe a shipment as it stands now: its webhooks may have overtaken us."""
        shipment = self.made[item]
        subject = Subject.shipment(self.organization, shipment)
        told = summary(story(transaction, subject.source, subject.name), now)
        made: MadeShipment = {"shipment_id": shipment, "organization_id": self.organization, **told}
        written: dict[str, object] = to_jsonable_python(made)
        return written


def _accepted(item: int) -> dict[str, object]:
    return {"index": item, "outcome": "accepted"}


def _no(item: int, refusal: Refusal) -> dict[str, object]:
    written = refusal.written()
    told = {"problem": written["kind"], "error": written["why"], "errors": written["errors"]}
    return {"index": item, "outcome": "rejected", **told}
