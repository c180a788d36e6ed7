"""A shipment and what may happen to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from bridge.simulator.drafts import Draft
from bridge.simulator.errors import Refusal, wrong_status
from bridge.simulator.offers import Offer
from bridge.simulator.organizations import Organization

EDITABLE = ("created", "offers_prepared", "offer_selected")
CANCELLABLE = ("created", "offers_prepared")
"""The Polish page adds `offer_selected`, but the carrier answered `invalid_action` there (2026-10-10)."""


@dataclass(frozen=True)
class Transaction:
    """One attempt to pay; a failed one carries the reason."""

    id: int
    status: Literal["success", "failure"]
    offer_id: int
    error: str | None
    at: datetime


@dataclass(frozen=True)
class Scan:
    """One entry of the tracking history."""

    status: str
    at: datetime


@dataclass
class Shipment:
    """One shipment; each method is one transition, and refuses where the carrier does."""

    id: int
    organization: Organization
    attributes: dict[str, object]
    draft: Draft
    created_at: datetime
    updated_at: datetime
    status: str = "created"
    offers: list[Offer] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    tracking_number: str | None = None
    return_tracking_number: str | None = None
    history: list[Scan] = field(default_factory=list)
    dispatch_order_id: int | None = None
    listed: bool = True
    """Lists show it. What was cancelled left them for good, even if it came back to life (observed 2026-10-10)."""
    preparing: bool = False
    preparations: int = 0
    purchases_running: int = 0

    @property
    def selected(self) -> Offer | None:
        """Give the offer that was chosen or bought."""
        return next((offer for offer in self.offers if offer.status in ("selected", "bought")), None)

    @property
    def bought(self) -> bool:
        return any(transaction.status == "success" for transaction in self.transactions)

    @property
    def service(self) -> str | None:
        """Name the service: the chosen offer's, or the one asked for.

        A parcel point as target turns the locker service into the point's own.
        """
        name = self.selected.service.label.id if self.selected else self.draft.service
        if name == "inpost_locker_standard" and self.draft.at_pop:
            return "inpost_locker_customer_service_point"
        return name

    @property
    def confirmed_at(self) -> datetime | None:
        """Say when the purchase showed."""
        return self.history[0].at if self.bought and self.history else None

    def offer(self, offer_id: int) -> Offer | None:
        return next((offer for offer in self.offers if offer.id == offer_id), None)

    def copy(self) -> Shipment:
        """Give the shipment as it is now, for itself."""
        return replace(
            self,
            offers=[replace(offer) for offer in self.offers],
            transactions=self.transactions.copy(),
            history=self.history.copy(),
        )

    def edit(self, attributes: dict[str, object], draft: Draft, at: datetime) -> None:
        """Take new attributes and drop the old offers; refused while offers are fetched or a purchase runs."""
        self.refuse_edit_if_busy()
        self.attributes, self.draft = attributes, draft
        self.offers = []
        self._enter("created", at)

    def refuse_edit_if_busy(self) -> None:
        if self.status not in EDITABLE or self.preparing or self.purchases_running:
            raise wrong_status("update", self.status)

    def prepared(self, offers: list[Offer], at: datetime) -> None:
        """Receive the offers that were prepared."""
        self.offers = offers
        self.preparations += 1
        self._enter("offers_prepared", at)

    def select(self, offer_id: int, at: datetime) -> None:
        """Choose one offer; the carrier deletes the others."""
        offer = self.buyable_offer(offer_id, at)
        offer.status = "selected"
        self.offers = [offer]
        self._enter("offer_selected", at)

    def buyable_offer(self, offer_id: int, at: datetime) -> Offer:
        """Find the offer that can be selected or bought now, or refuse."""
        offer = self.offer(offer_id)
        busy = self.bought or self.purchases_running
        if offer is None or busy or not offer.buyable or self.status not in ("offers_prepared", "offer_selected"):
            raise Refusal(400, "offer_unavailable")
        if offer.expired(at):
            raise Refusal(400, "offer_expired")
        return offer

    def spoil(self, offer: Offer, at: datetime) -> None:
        """Lose an offer that was there to be taken."""
        offer.spoil()
        self.updated_at = at

    def paid(self, offer: Offer, transaction_id: int, tracking_number: str, at: datetime) -> None:
        """Become confirmed, with a number; even if it was cancelled meanwhile, as the carrier's own race does."""
        offer.status, offer.expires_at = "bought", None
        self.offers = [offer]
        self.transactions.append(Transaction(transaction_id, "success", offer.id, None, at))
        self.tracking_number = tracking_number
        self.move("confirmed", at)

    def paid_again(self, offer: Offer, transaction_id: int, at: datetime) -> None:
        """Keep everything as it is, with one payment more than there should be."""
        self.transactions.append(Transaction(transaction_id, "success", offer.id, None, at))

    def unpaid(self, offer: Offer, transaction_id: int, error: str, at: datetime) -> None:
        """Stay selected with a failed transaction; nothing is announced, and the offer stays payable."""
        offer.status = "selected"
        self.offers = [offer]
        self.transactions.append(Transaction(transaction_id, "failure", offer.id, error, at))
        self._enter("offer_selected", at)

    def cancel(self, at: datetime) -> None:
        self.refuse_cancel()
        self.listed = False
        self._enter("canceled", at)

    def refuse_cancel(self) -> None:
        if self.status not in CANCELLABLE:
            raise wrong_status("cancel", self.status)

    def move(self, status: str, at: datetime) -> None:
        """Enter a status of the journey; the same one may come again."""
        self._enter(status, at)
        self.history.append(Scan(status, at))

    def _enter(self, status: str, at: datetime) -> None:
        self.status, self.updated_at = status, at


class Shipments:
    """All shipments, by id and by number."""

    def __init__(self) -> None:
        self._by_id: dict[int, Shipment] = {}
        self._by_number: dict[str, Shipment] = {}

    def __iter__(self) -> Iterator[Shipment]:
        return iter(self._by_id.values())

    def add(self, shipment: Shipment) -> None:
        self._by_id[shipment.id] = shipment

    def number(self, shipment: Shipment, tracking_number: str) -> None:
        """Make the shipment known under its number."""
        self._by_number[tracking_number] = shipment

    def get(self, shipment_id: int) -> Shipment | None:
        return self._by_id.get(shipment_id)

    def of_number(self, tracking_number: str) -> Shipment | None:
        return self._by_number.get(tracking_number)
