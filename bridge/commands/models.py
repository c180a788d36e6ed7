"""What may be asked for, as values: checked the same at every edge, and written in one canonical form."""

from __future__ import annotations

import json
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, ValidationError, model_validator
from pydantic_core import to_jsonable_python

from bridge.errors import Unreadable
from bridge.model import CommandState, Outcome
from bridge.store.feed import decode
from bridge.web.fields import Moment, Number


class Body(BaseModel):
    """What one operation is told; unknown keys are mistakes."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)
    operation: ClassVar[str]

    @property
    def canonical(self) -> bytes:
        """The same for everything that means the same."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read what was stored. Raises Unreadable, where another version of the bridge stored it."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            raise Unreadable("what was asked is not what this version understands") from error


def _cursor(text: str) -> str:
    try:
        decode(text)
    except Unreadable as error:
        raise ValueError("is not a cursor of the feed") from error
    return text


def _queue(name: str) -> str:
    if name.startswith(("bridge.", "amq.")):
        raise ValueError("must be a consumer's queue: those of the bridge (bridge.*) and of the broker (amq.*) are not")
    return name


Word = Annotated[str, Field(min_length=1, max_length=255)]
Cursor = Annotated[str, Field(max_length=64), AfterValidator(_cursor)]
QueueName = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_queue)]


class ReplayEvents(Body):
    """Send stored events once more: `since` and `until` are by when the bridge recorded them, `until` excluded."""

    operation = "events.replay"

    subject: Word | None = None
    type: Word | None = None
    since: Moment | None = None
    until: Moment | None = None
    after: Cursor | None = None
    organizations: tuple[Number, ...] = ()
    to_queue: QueueName | None = None
    all: StrictBool = False

    @model_validator(mode="after")
    def _selects(self) -> Self:
        """Want everything to be asked for in words, where every consumer would get it."""
        chosen = (self.subject, self.type, self.since, self.until, self.after, self.to_queue)
        if not self.all and not self.organizations and all(one is None for one in chosen):
            raise ValueError("say which events, or that all of them are meant")
        return self


class ReplayDeliveries(Body):
    """Let webhooks take effect, or be projected once more: those named, or those of a state."""

    operation = "deliveries.replay"

    deliveries: tuple[Word, ...] = Field((), max_length=1000)
    state: Literal["parked", "failed", "done"] | None = None
    reason: Word | None = None
    since: Moment | None = None
    organizations: tuple[Number, ...] = ()

    @model_validator(mode="after")
    def _selects(self) -> Self:
        """Take either names or a selection."""
        if bool(self.deliveries) == (self.state is not None):
            raise ValueError("name deliveries, or choose them by state")
        if self.deliveries and (self.reason or self.since or self.organizations):
            raise ValueError("deliveries that are named cannot be chosen further")
        return self


class RedriveDead(Body):
    """Put dead messages back where they came from, and dead events back to what is to be published."""

    operation = "dead.redrive"

    limit: int | None = Field(None, ge=1, strict=True)


class PauseConnection(Body):
    """Buy nothing on a carrier connection from now on."""

    operation = "connections.pause"

    name: Word


class ResumeConnection(Body):
    """Buy again on a carrier connection."""

    operation = "connections.resume"

    name: Word


class Backfill(Body):
    """Ask about every shipment that was created since, whatever is known of it."""

    operation = "shipments.backfill"

    since: Moment
    organizations: tuple[Number, ...] = ()


class ShipmentOrder(Body):
    """What is asked for about a shipment's purchase; whose it is where several organizations have one of its number."""

    shipment_id: Number
    organization_id: Number | None = None


class ApprovePurchase(ShipmentOrder):
    """Let a purchase that is held be made: of the service that was chosen, at the price it was chosen at.

    With an intent, only what was held under that one: it may have been decided about anew since it was looked at.
    """

    operation = "shipment.approve"

    intent_id: Word | None = None


class HoldPurchase(ShipmentOrder):
    """Buy nothing for a shipment until somebody approves or retries it."""

    operation = "shipment.hold"


class RetryPurchase(ShipmentOrder):
    """Decide anew about a purchase that ended unbought, is held, or is bought as a webhook alone says."""

    operation = "purchase.retry"


class BuyShipment(ShipmentOrder):
    """Buy by the policy, also where nobody has asked for the purchase yet; or the offer that is named, and no other."""

    operation = "shipment.buy"

    offer_id: Number | None = None


class SelectOffer(ShipmentOrder):
    """Select an offer at the carrier, where the others are gone then; the policy decides about the one."""

    operation = "shipment.select_offer"

    offer_id: Number


class RefreshOffers(ShipmentOrder):
    """Have the offers of a shipment made anew, whether or not the present ones have run out."""

    operation = "shipment.refresh_offers"


class CancelShipment(ShipmentOrder):
    """Cancel a shipment that was not bought."""

    operation = "shipment.cancel"


def done(**result: object) -> Outcome:
    """Say that it was done, and what came of it; times and amounts are written as programs read them."""
    return Outcome(CommandState.done, to_jsonable_python(result))


def rejected(why: str) -> Outcome:
    """Say that it is not to be done, and was not."""
    return Outcome(CommandState.rejected, error=why)


def failed(why: str, **result: object) -> Outcome:
    """Say that it was tried, and did not succeed, and how far it went."""
    return Outcome(CommandState.failed, result or None, why)
