"""What a timeline has, as programs read it: a shape for each kind of moment. All have `at`, `kind` and `text`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, NotRequired

from pydantic import Field, JsonValue
from typing_extensions import TypedDict

from bridge.events.catalogue import Money, Offer, RejectedOffer
from bridge.inspection.returned import What
from bridge.purchasing.policy.document import KeptShipment
from bridge.purchasing.policy.document import Kind as Decision
from bridge.store.story import Publishing


class _Entry(TypedDict):
    at: datetime
    text: Annotated[str, Field(description="For people")]


class DeliveryEntry(_Entry):
    """A webhook came. `verdict` is what was done, null as long as it waits."""

    kind: Literal["delivery"]
    delivery: str
    event: str
    occurred_at: datetime
    verdict: str | None
    done_at: datetime | None
    repeats: int


class StepEntry(_Entry):
    """The shipment was read, the carrier was called, or a person ordered something about its purchase.

    `before` and `after` are the states of the purchase; `times`: so often until `last_at`, with nothing changed.
    """

    kind: Literal["read", "call", "person"]
    result: str
    carrier_status: str | None
    payments: Annotated[Sequence[str], Field(description="Those that were seen, as number, state and reason")]
    before: str
    after: str
    offer_id: int | None
    reason: str | None
    times: int
    last_at: datetime
    cause: str | None
    holder: str
    together: Annotated[int, Field(description="How many purchases were intended in the same commit")]


class DecisionEntry(_Entry):
    """It was decided what to buy. What it was decided by is missing where it cannot be read any more."""

    kind: Literal["decision"]
    decided_at: datetime
    intent_id: str | None
    policy_sha256: str
    decision: NotRequired[Decision]
    rule_id: NotRequired[str | None]
    offer_id: NotRequired[int | None]
    reason: NotRequired[str | None]
    price: NotRequired[Money | None]
    seconds_left: NotRequired[float | None]
    rejected: NotRequired[Sequence[RejectedOffer]]
    shipment: NotRequired[KeptShipment]
    offers: NotRequired[Sequence[Offer]]


class PauseEntry(_Entry):
    """A pause of the account began, or ended."""

    kind: Literal["pause"]
    reason: str
    since: datetime
    until: datetime | None


class ReturnEntry(_Entry):
    """A return was asked for, sent (the last time), or looked for in doubt (the last time)."""

    kind: Literal["return"]
    what: What


class EventEntry(_Entry):
    """An event was recorded."""

    kind: Literal["event"]
    event_id: str
    type: str
    sequence: int
    occurred_at: datetime
    cause: str | None
    found_by_asking: Annotated[bool, Field(description="Neither a webhook brought it nor a purchase of ours")]
    publishing: Publishing
    data: Mapping[str, JsonValue]


class PublishEntry(_Entry):
    """The broker confirmed an event."""

    kind: Literal["publish"]
    sequence: int
    event_id: str


Entry = Annotated[
    DeliveryEntry | ReturnEntry | StepEntry | DecisionEntry | PauseEntry | EventEntry | PublishEntry,
    Field(discriminator="kind"),
]
