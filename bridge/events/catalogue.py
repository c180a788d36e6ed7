"""The published events: what each says, as pydantic models; schemas, AsyncAPI and routing keys are made from them.

Within `.v1` only additions. Enumerations are open: the schemas describe them as patterned text with examples, so that
a new word breaks no consumer. Nothing here may carry personal data, a credential or the carrier's free text.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from bridge.model import Evidence

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
"""A published raw value: a carrier's or our own word in its safe form."""
TrackingNumber = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,40}$")]
CONNECTION_NAME: Final = r"^[a-z_]{1,32}/[A-Za-z0-9_.:-]{1,64}$"
"""The carrier, and which of our accounts there: `shipx/4821`."""
CarrierId = Annotated[int, Field(ge=1, lt=10**18)]
Amount = Annotated[
    Decimal,
    PlainSerializer(lambda value: format(value, "f"), return_type=str),  # str() would write a hundred as 1E+2
    Field(examples=["12.50"], json_schema_extra={"pattern": r"^-?[0-9]+(\.[0-9]+)?$"}),
]


COUNTRY: Final = r"^[A-Z]{2}$"
PLACE: Final = r"^[A-Za-z\u00c0-\u024f][A-Za-z\u00c0-\u024f .'-]{0,63}$"
"""Letters as Europe writes them, and what stands between them in names of places: no digits, no sentences."""


class Published(BaseModel):
    """The `data` of an event."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    type: ClassVar[str]
    facet: ClassVar[str | None] = None
    """What the last part of the routing key says, or None where the key has three parts."""


class Money(BaseModel):
    """An amount as exact decimal text, with its currency."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    amount: Amount
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["PLN"])]


class ShipmentFact(Published):
    """What every event about a shipment says."""

    shipment_id: CarrierId
    organization_id: CarrierId
    evidence: Annotated[
        Evidence, Field(description="webhook: unsigned, as it arrived; carrier: the carrier's answer to a read")
    ]
    current: Annotated[
        bool, Field(description="False: older than what is already known; consumers that keep state skip it")
    ]
    first_seen: Annotated[bool, Field(description="True: the shipment was first met in the middle of its life")]


class Offer(BaseModel):
    """One candidate offer. `rate` is null where the carrier names no price (postpaid accounts): unknown, never 0."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    offer_id: CarrierId
    status: Word
    service_id: Word
    carrier_id: Word | None
    rate: Money | None
    expires_at: datetime | None
    additional_services: tuple[Word, ...]
    unavailability_reasons: tuple[Word, ...]


class OffersPrepared(ShipmentFact):
    """Offers are known and can be bought until they expire, usually five minutes after they were made."""

    type = "shipment.offers_prepared"

    offers: tuple[Offer, ...]
    expires_at: Annotated[datetime | None, Field(description="The earliest expiry among the available offers")]


class PurchaseFact(ShipmentFact):
    """What every event about a purchase says."""

    intent_id: Annotated[str, Field(description="One purchase: the same in every event about it")]
    offer_id: CarrierId
    service_id: Word


class RejectedOffer(BaseModel):
    """An offer that was not chosen, and why."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    offer_id: CarrierId
    reason: Word


class OfferSelected(PurchaseFact):
    """The policy decided for an offer."""

    type = "shipment.offer_selected"
    facet = "rule id"

    rule_id: Word
    policy_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    price: Money | None
    rejected: tuple[RejectedOffer, ...]
    seconds_left: float


class OfferSelectionFailed(ShipmentFact):
    """Nothing acceptable was on offer."""

    type = "shipment.offer_selection_failed"
    facet = "reason"

    reason: Annotated[
        Word,
        Field(
            examples=[
                "none_available",
                "no_rule_match",
                "price_above_max",
                "price_unknown",
                "budget_exhausted",
                "account_paused",
                "carrier_unavailable",
                "carrier_owned_purchase",
            ]
        ),
    ]
    policy_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    rejected: tuple[RejectedOffer, ...]


class PurchaseHeld(ShipmentFact):
    """The purchase waits for a person. Where one held it before an offer was chosen, there is none to name."""

    type = "shipment.purchase_held"
    facet = "reason"

    intent_id: Annotated[str | None, Field(description="One purchase: the same in every event about it")]
    offer_id: CarrierId | None
    service_id: Word | None
    reason: Annotated[Word, Field(examples=["approval_required", "dry_run", "by_person"])]
    seconds_left: float


class PurchaseRequested(PurchaseFact):
    """The order to buy is about to leave; stored before the call."""

    type = "shipment.purchase_requested"


class PurchaseUnknown(PurchaseFact):
    """Nobody knows yet whether the purchase happened; nothing else is bought until it is settled."""

    type = "shipment.purchase_unknown"


class PurchaseSucceeded(PurchaseFact):
    """The carrier shows the purchase."""

    type = "shipment.purchase_succeeded"

    price: Money | None
    adopted: Annotated[bool, Field(description="True: somebody else bought it, and we found it bought")]


class PurchaseFailed(PurchaseFact):
    """The carrier shows that the purchase did not happen."""

    type = "shipment.purchase_failed"
    facet = "reason"

    reason: Annotated[
        Word,
        Field(
            examples=[
                "insufficient_funds",
                "account_data_missing",
                "offer_expired",
                "offer_unavailable",
                "validation",
                "forbidden",
                "not_found",
                "other",
            ]
        ),
    ]


class OffersExpired(ShipmentFact):
    """The window closed unbought, as the carrier confirms."""

    type = "shipment.offers_expired"

    expired_at: datetime
    held: Annotated[
        Word | None,
        Field(
            description="Why its purchase waits for a person: approving it, or a retry, has the offers made anew."
            " Null: nobody is waited for",
            examples=["approval_required"],
        ),
    ] = None


class Confirmed(ShipmentFact):
    """The shipment is bought at the carrier; the first time it is seen so."""

    type = "shipment.confirmed"

    tracking_number: TrackingNumber | None


class TrackingNumberAssigned(ShipmentFact):
    """The tracking number is first known."""

    type = "shipment.tracking_number_assigned"

    tracking_number: TrackingNumber


class StatusChanged(ShipmentFact):
    """The normalized or the raw status changed."""

    type = "shipment.status_changed"
    facet = "tracking status"

    tracking_status: Annotated[Word, Field(examples=["in_transit", "delivered", "unknown"])]
    carrier_status: Word
    previous_tracking_status: Word | None
    previous_carrier_status: Word | None
    last_known_status: Annotated[
        Word | None, Field(description="With tracking_status unknown: the status that still holds")
    ]
    reason: Word | None
    terminal: bool
    attention: Annotated[bool, Field(description="A person should look at it")]
    tracking_number: TrackingNumber | None
    return_tracking_number: TrackingNumber | None


class ReturnLegStarted(ShipmentFact):
    """The parcel goes back to its sender under a second number."""

    type = "shipment.return_leg_started"

    tracking_number: TrackingNumber | None
    return_tracking_number: TrackingNumber


class Cancelled(ShipmentFact):
    """The shipment was cancelled on demand, and stayed so when it was read again. The carrier may still revise it."""

    type = "shipment.cancelled"


class CancelFailed(ShipmentFact):
    """The shipment was to be cancelled, and is not: somebody has to see to it."""

    type = "shipment.cancel_failed"
    facet = "reason"

    reason: Annotated[
        Word,
        Field(
            examples=["bought", "overwritten", "refused", "no_effect", "lost"],
            description="bought: it was bought meanwhile; overwritten: it was cancelled, and the carrier went on with"
            " it; refused: the carrier did not take it; no_effect: it took it, and nothing came of it; lost: it gave no"
            " answer, and nothing came of it; an open set",
        ),
    ]


class DispatchOrderFact(Published):
    """What every event about an order to a courier says."""

    organization_id: Annotated[CarrierId, Field(description="The ShipX organization that the courier collects for")]
    shipments: Annotated[tuple[CarrierId, ...], Field(description="The carrier's numbers of what is to be collected")]
    evidence: Annotated[
        Evidence, Field(description="carrier: the carrier's own answer; it sends no webhooks about these orders")
    ]
    current: Annotated[
        bool, Field(description="False: older than what is already known; consumers that keep state skip it")
    ]


class DispatchOrderCreated(DispatchOrderFact):
    """The carrier has an order that was asked for here. Whether a courier comes for it shows later."""

    type = "dispatch_order.created"

    dispatch_order_id: CarrierId
    carrier_status: Word | None


class DispatchOrderFailed(DispatchOrderFact):
    """No courier comes for it, or nobody knows: the carrier refused the order, gave it up, or its answer was lost.

    Where the carrier gave no number the subject is `dispatch_order/` and a UUID; `causationid` is the command.
    """

    type = "dispatch_order.failed"

    dispatch_order_id: Annotated[CarrierId | None, Field(description="The carrier's number; null where it gave none")]
    reason: Annotated[
        Word,
        Field(
            examples=["refused", "rejected", "gone", "unknown"],
            description="refused: the carrier did not take it; rejected: it took it and gave it up; gone: it does not"
            " know it any more; unknown: its answer was lost, and nothing shows whether it has it; an open set",
        ),
    ]
    carrier_error: Annotated[Word | None, Field(description="The carrier's key for why it refused it")]


class DispatchOrderStatusChanged(DispatchOrderFact):
    """The carrier's status of an order changed."""

    type = "dispatch_order.status_changed"

    dispatch_order_id: CarrierId
    state: Annotated[
        Word,
        Field(
            examples=["open", "done", "rejected", "cancelled"],
            description="How the order stands, in our words; open where the carrier's word is not known; an open set",
        ),
    ]
    carrier_status: Word
    previous_carrier_status: Annotated[Word | None, Field(description="The carrier's word before this one")]
    terminal: bool


class LabelReady(ShipmentFact):
    """A label was fetched, checked and kept. The label itself stands in no event: it names people."""

    type = "shipment.label_ready"
    facet = "format"

    format: Annotated[Word, Field(examples=["pdf", "zpl", "epl"], description="What prints it; an open set")]
    label_type: Annotated[
        Word | None,
        Field(examples=["A6", "dpi300"], description="Its size; null: the carrier's own, A4 for lockers, else A6"),
    ]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Of the label's bytes; also its ETag")]
    size: Annotated[int, Field(ge=1, description="How many bytes it has")]
    path: Annotated[str, Field(description="Where the bridge answers it, below its own address")]


class ReturnFact(Published):
    """What every event about a return says. Its code stands in answers and replies, never in an event."""

    return_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="The bridge's own id of the return")]
    organization_id: Annotated[CarrierId | None, Field(description="For which organization it was asked, if for any")]
    provider: Annotated[Word, Field(examples=["inpost_returns"], description="Who makes and carries it; an open set")]
    evidence: Annotated[Evidence, Field(description="carrier: the provider's own answer; none of them sends webhooks")]
    current: Annotated[
        bool, Field(description="False: older than what is already known; consumers that keep state skip it")
    ]


class ReturnCreated(ReturnFact):
    """The provider has a return that was asked for here."""

    type = "return.created"
    facet = "provider"

    provider_id: Annotated[Word | None, Field(description="The provider's own id of it; null where it has none")]
    tracking_number: TrackingNumber | None
    expires_at: Annotated[datetime | None, Field(description="Until when it can be sent; null where nobody says")]
    return_status: Annotated[Word, Field(examples=["created"], description="Where it is, in our words; an open set")]
    attention: Annotated[
        bool,
        Field(
            description="A person should look at it: neither a code nor a label came with it, so nobody can send"
            " anything with it unless `return.label_ready` follows"
        ),
    ] = False


class ReturnCreationFailed(ReturnFact):
    """There is no such return: the provider refused it, or a person found nothing of one that nobody knew of."""

    type = "return.creation_failed"
    facet = "reason"

    reason: Annotated[
        Word,
        Field(
            examples=["validation_failed"],
            description="The provider's key for why, or `not_made`, as a person found; an open set",
        ),
    ]


class ReturnCreationUnknown(ReturnFact):
    """Nobody knows whether there is such a return: its answer was lost, and nothing shows it.

    It is not sent again, but looked for: `return.created` or `return.creation_failed` may follow.
    """

    type = "return.creation_unknown"


class ReturnStatusChanged(ReturnFact):
    """The normalized or the raw status of a return changed."""

    type = "return.status_changed"
    facet = "return status"

    return_status: Annotated[Word, Field(examples=["dropped_off", "delivered", "unknown"])]
    carrier_status: Annotated[Word, Field(description="The provider's own word; `code:…` where it has flags and none")]
    previous_return_status: Word
    previous_carrier_status: Word | None
    last_known_status: Annotated[
        Word | None, Field(description="With return_status unknown: the status that still holds")
    ]
    reason: Word | None
    terminal: bool
    attention: Annotated[bool, Field(description="A person should look at it")]
    tracking_number: TrackingNumber | None
    country: Annotated[str | None, Field(pattern=COUNTRY, description="Where it was scanned, where the provider says")]
    place: Annotated[str | None, Field(pattern=PLACE, description="The town there; null where it reads like none")]


class ReturnLabelReady(ReturnFact):
    """The label of a return is kept here. The label itself stands in no event: it names people."""

    type = "return.label_ready"
    facet = "format"

    format: Annotated[Word, Field(examples=["pdf", "png"], description="What prints it; an open set")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Of the label's bytes")]
    size: Annotated[int, Field(ge=1, description="How many bytes it has")]
    path: Annotated[str, Field(description="Where the bridge answers it, below its own address")]


class ReturnExpiryApproaching(ReturnFact):
    """A return can be sent for two more days at most, and nobody has: told once for every expiry."""

    type = "return.expiry_approaching"

    expires_at: Annotated[datetime, Field(description="Until when it can be sent")]
    return_status: Annotated[Word, Field(examples=["accepted"], description="Where it is, in our words; an open set")]
    tracking_number: TrackingNumber | None


class AboutConnection(Published):
    """What every event says whose subject is a carrier connection."""

    connection: Annotated[
        str,
        Field(
            pattern=CONNECTION_NAME,
            examples=["shipx/1234"],
            description="The carrier, and which of our accounts there",
        ),
    ]


class ConnectionFact(AboutConnection):
    """What every event about a pause of a carrier connection says."""

    facet = "reason"

    reason: Annotated[
        Word, Field(examples=["operator", "debt_collection"], description="Why it was paused; an open set")
    ]
    since: Annotated[datetime, Field(description="When the pause began: the same in the event that ends it")]


class ConnectionPaused(ConnectionFact):
    """Nothing is bought on this connection until it is resumed, and at a provider of returns nothing is asked.

    What was wanted waits.
    """

    type = "connection.paused"


class ConnectionResumed(ConnectionFact):
    """The pause is over: what is wanted is bought again."""

    type = "connection.resumed"


class WebhookHealthChanged(AboutConnection):
    """Webhooks stopped coming, or some do not come, or they come wrongly, or all is well again: concluded from what had
    to be asked for, and from what was parked."""

    type = "webhook.health_changed"
    facet = "state"

    state: Annotated[
        Word,
        Field(
            examples=["healthy", "silent", "missing", "foreign_organization", "unconfigured_proxy"],
            description="healthy; silent: none comes; missing: some come, others do not; foreign_organization: "
            "another organization's come; unconfigured_proxy: they come through a proxy that is not trusted, and have "
            "no effect; an open set",
        ),
    ]
    previous_state: Annotated[Word, Field(description="What was so before")]
    since: Annotated[datetime, Field(description="Since when it is so")]
    missed: Annotated[int, Field(ge=0, description="How many shipments had news that no webhook told")]
    last_webhook_at: Annotated[
        datetime | None, Field(description="When one was accepted last; null where that is long ago, or never was")
    ]


CATALOGUE: tuple[type[Published], ...] = (
    OffersPrepared,
    OfferSelected,
    OfferSelectionFailed,
    PurchaseHeld,
    PurchaseRequested,
    PurchaseUnknown,
    PurchaseSucceeded,
    PurchaseFailed,
    OffersExpired,
    Confirmed,
    TrackingNumberAssigned,
    StatusChanged,
    ReturnLegStarted,
    Cancelled,
    CancelFailed,
    DispatchOrderCreated,
    DispatchOrderFailed,
    DispatchOrderStatusChanged,
    LabelReady,
    ReturnCreated,
    ReturnCreationFailed,
    ReturnCreationUnknown,
    ReturnLabelReady,
    ReturnStatusChanged,
    ReturnExpiryApproaching,
    ConnectionPaused,
    ConnectionResumed,
    WebhookHealthChanged,
)
"""Every event this version publishes."""
_TYPES: Final = frozenset(one.type for one in CATALOGUE)


def versioned(kind: str) -> str:
    """Give the CloudEvents type of a fact: `shipment.confirmed` is published as `bridge.shipment.confirmed.v1`."""
    return f"bridge.{kind}.v1"


def unversioned(kind: str) -> str:
    """Give the type of the fact that is published as a CloudEvents type; that of a fact stays what it is."""
    return kind.removeprefix("bridge.").removesuffix(".v1")


def is_known(kind: str) -> bool:
    """Say whether any event has this type, with or without the version."""
    return unversioned(kind) in _TYPES
