"""A purchase as it is stored: one row per shipment, and what a step changes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from bridge.events.shipment import ShipmentState
from bridge.limits.pause import AccountReason
from bridge.model import Fact, IntentId, OfferId, OrganizationId, ShipmentId, Subject
from bridge.store import journal
from bridge.store.budget import Refusal
from bridge.store.decisions import Decided

ADOPTED: Final = "adopted"
"""The reason in the ledger of what somebody else bought, as a read showed."""
PAUSED: Final = "account_paused"
"""The reason of what ended because its organization was paused: it is wanted again when that is over."""
NO_LEAVE: Final = "account_refused"
"""The same where the carrier does not show a shipment to this token: it may be the shipment, or the account."""
FOR_THE_ACCOUNT: Final = (PAUSED, NO_LEAVE, "insufficient_funds", "account_data_missing")
"""Why something ends unbought that is wanted again, as it was, when its account may buy again."""
UNREACHED: Final = "carrier_unreachable"
"""The reason of what ended because the carrier was away for long: it is wanted again when a read shows its offers."""
WANTED_AGAIN: Final = (*FOR_THE_ACCOUNT, UNREACHED)
ADOPTED_UNREAD: Final = "adopted_by_webhook"
"""The same, as a webhook alone said to an earlier version: where a read is asked for, the read decides."""
SAID_BOUGHT: Final = "said_bought"
"""The reason of what a webhook says somebody else bought: a read is yet to show it."""
BY_PERSON: Final = "by_person"
"""Why a purchase is held that a person stopped: nothing but a person lets it go on."""
NOT_CREATED_HERE: Final = "not_created_by_bridge"
"""Why one is held that would be bought unasked had the bridge made its shipment; it may turn out that it did."""
CANCELLED: Final = "cancelled"
"""Why one ended whose shipment was cancelled on demand."""


class PurchaseState(StrEnum):
    """Where a purchase stands. The first three are live: somebody will work on them."""

    wanted = "wanted"
    intended = "intended"
    doubt = "doubt"
    succeeded = "succeeded"
    failed = "failed"
    declined = "declined"
    held = "held"
    expired = "expired"
    not_ours = "not_ours"
    steered = "steered"
    """A person's command has the shipment in its hand, to select an offer or to cancel it: nothing is bought."""


LIVE: Final = (PurchaseState.wanted, PurchaseState.intended, PurchaseState.doubt)
UNBOUGHT: Final = (
    PurchaseState.failed,
    PurchaseState.declined,
    PurchaseState.held,
    PurchaseState.expired,
    PurchaseState.not_ours,
)
"""How a purchase ends that bought nothing, as far as we knew."""
IS_UNBOUGHT: Final = f"state IN ({', '.join(repr(str(state)) for state in UNBOUGHT)})"
"""The same in SQL, in the words of an index."""


class Answer(StrEnum):
    """How the last call for a purchase ended; it says how urgent the next read is, and what that read can prove."""

    accepted = "accepted"
    refused = "refused"
    """By the carrier, in words: this call bought nothing, as a read is yet to explain."""
    not_taken = "not_taken"
    """It never left, there were too many calls, or others asked for together were in the way: nothing came of it."""
    lost = "lost"
    stranger = "stranger"
    """To a read: the carrier does not know the shipment. Most likely its id is forged."""
    asked = "asked"
    """None yet, and a person or the end of a pause asks for it, also where its offers are old."""
    renew = "renew"
    """None yet, and a person asks for new offers, whether or not the present ones are old."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person agreed to: this service, up to this price; None: at a price that nobody knew."""

    by: str
    service: str
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Purchase:
    """A claimed purchase. `due_at` is when it is to be looked at next; `reads` counts those since the doubt began."""

    organization: OrganizationId
    shipment: ShipmentId
    state: PurchaseState
    deadline: datetime
    due_at: datetime
    cause: str | None
    intent: IntentId | None = None
    offer: OfferId | None = None
    service: str | None = None
    payments: tuple[int, ...] = ()
    """The payments that were there already when this one was intended: they prove nothing about it."""
    send_before: datetime | None = None
    """When the call had to be begun."""
    left_by: datetime | None = None
    """The last moment at which the request can have left: a bound at the intent, the call's end once that is known."""
    doubted_at: datetime | None = None
    """When a read first showed nothing of this intent, by the carrier's clock: nobody sets that one back or forward."""
    reads: int = 0
    attempts: int = 0
    reason: str | None = None
    answer: Answer | None = None
    refusals: int = 0
    """Intents of this shipment that ended without a purchase."""
    regenerations: int = 0
    """How often its offers were made anew."""
    edited_at: datetime | None = None
    """When that was asked for last."""
    approval: Approval | None = None
    look_at: datetime | None = None
    """When it is to be read though nobody works on it."""
    said_at: datetime | None = None
    """When a webhook said that it is bought, which is unsigned: only a read shows it."""
    selected: OfferId | None = None
    """The offer that a person selected here, for the policy to decide about."""
    ordered: OfferId | None = None
    """The offer that a person wants bought, whatever the policy would choose."""
    is_held: bool = False
    """Whether a person holds it while the offer they ordered is being bought: if it cannot be, nothing else is."""
    is_created_here: bool = False
    """Whether the bridge made its shipment."""
    token: int = 0
    """Which taking in hand this is: the next one makes it worthless."""
    note: journal.Note | None = None
    """What was just seen or done, for the journal."""

    @property
    def subject(self) -> Subject:
        return Subject.shipment(self.organization, self.shipment)

    @property
    def hold(self) -> str | None:
        """Give the reason of a person's hold, where there is one."""
        return BY_PERSON if self.is_held or self.reason == BY_PERSON else None

    @property
    def was_looked_at(self) -> bool:
        """Say whether nobody works on it, nor did before this step."""
        return self.state in UNBOUGHT and self.note is not None and self.note.before == self.state


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a purchase changes: the row from now on, the facts, and what is known of the shipment."""

    purchase: Purchase
    facts: tuple[Fact, ...] = ()
    state: ShipmentState | None = None
    decided: Decided | None = None
    pauses: AccountReason | None = None
    """Why nothing more may be bought for the organization, where that came out."""
    keeps: bool = False
    """Whether the purchase stays in this hand; an intended one does anyway."""


@dataclass(frozen=True, slots=True)
class Intended:
    """What came of intents: those that stand, why others do not, and whether the organization is paused."""

    purchases: tuple[Purchase, ...] = ()
    refused: Mapping[ShipmentId, Refusal] = field(default_factory=dict)
    is_paused: bool = False
