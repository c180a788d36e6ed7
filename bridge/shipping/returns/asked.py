"""What is asked for where a return is to be made: the contract's names. The provider that makes it decides the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, model_validator

from bridge.commands.models import Body, Word
from bridge.events.catalogue import Money
from bridge.returns import draft
from bridge.returns.draft import ReturnDraft
from bridge.returns.routing import Wish
from bridge.returns.ticket import Ticket
from bridge.shipments.asked import Exact
from bridge.web.fields import Day, Minute, Moment, Number

Provider = Literal["inpost_returns", "szybkie_zwroty", "intelligentreturns"]
Text = Annotated[str, Field(max_length=2000)]
Sku = Annotated[str, Field(min_length=1, max_length=255)]
Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,64}$")]


class Part(BaseModel):
    """A part of what is asked for, which shows nothing of itself."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    def __repr_args__(self) -> Sequence[tuple[str | None, Any]]:
        """Show nothing: nearly all of it is about people."""
        return ()


class Address(Part):
    """Where somebody is."""

    street: Text | None = None
    building_number: Text | None = None
    city: Text | None = None
    post_code: Text | None = None
    country_code: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    state: Text | None = None

    @property
    def draft(self) -> draft.Address:
        return draft.Address(**self.model_dump())


class Sender(Part):
    """Who sends it back."""

    first_name: Text | None = None
    last_name: Text | None = None
    phone: Text | None = None
    email: Text | None = None
    address: Address | None = None

    @property
    def draft(self) -> draft.Party:
        address = None if self.address is None else self.address.draft
        return draft.Party(**self.model_dump(exclude={"address"}), address=address)


class Receiver(Sender):
    """Who gets it."""

    company_name: Text | None = None


class Price(Part):
    """What one piece costs."""

    amount: Annotated[Exact, Field(ge=0, max_digits=12, decimal_places=2)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Reason(Part):
    """Why an article comes back, and what is wished for."""

    action: Literal["refund", "exchange", "other"] | None = None
    reason: Text | None = None
    comment: Text | None = None


class Article(Part):
    """An article that was sold; price and weight are of one piece."""

    sku: Sku
    name: Sku
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
    price: Price | None = None
    weight_kg: Annotated[Exact, Field(gt=0, max_digits=10, decimal_places=3)] | None = None
    hs_code: Text | None = None
    country_of_origin: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None

    @property
    def draft(self) -> draft.Item:
        return draft.Item(
            sku=self.sku,
            name=self.name,
            quantity=self.quantity,
            price=None if self.price is None else Money(amount=self.price.amount, currency=self.price.currency),
            weight_kg=self.weight_kg,
            hs_code=self.hs_code,
            country_of_origin=self.country_of_origin,
        )


class Item(Article):
    """An article that comes back; price and weight are of one piece."""

    reasons: Annotated[tuple[Reason, ...], Field(max_length=100)] = ()

    @property
    def draft(self) -> draft.Item:
        return replace(super().draft, reasons=tuple(draft.Reason(**one.model_dump()) for one in self.reasons))


class Collection(Part):
    """When and where a courier comes for it."""

    date: Day | None = None
    time_from: Minute | None = None
    time_to: Minute | None = None
    address: Address | None = None

    @property
    def draft(self) -> draft.Collection:
        address = None if self.address is None else self.address.draft
        return draft.Collection(self.date, self.time_from, self.time_to, address)


class CreateReturn(Body):
    """Make a return: a ticket, a code or a label, at one of the providers."""

    operation: ClassVar[str] = "return.create"

    provider: Provider | None = None
    connection: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    organization_id: Number | None = None
    reference: Text
    parcel_size: Annotated[str, Field(max_length=64)] | None = None
    sender: Sender
    receiver: Receiver | None = None
    expires_at: Moment | None = None
    description: Text | None = None
    items: Annotated[tuple[Item, ...], Field(max_length=1000)] = ()
    service_id: Number | None = None
    drop_off_point_id: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    collection: Collection | None = None
    provider_options: dict[str, JsonValue] = Field(default_factory=dict)

    def __repr_args__(self) -> Sequence[tuple[str | None, Any]]:
        """Show nothing: it is about people."""
        return ()

    @property
    def wish(self) -> Wish:
        """Say by what it is routed."""
        address = self.sender.address
        country = None if address is None else address.country_code
        return Wish(self.provider, self.connection, country, self.parcel_size, self.organization_id)

    @property
    def draft(self) -> ReturnDraft:
        """Write it as providers are given it."""
        return ReturnDraft(
            reference=self.reference,
            sender=self.sender.draft,
            parcel_size=self.parcel_size,
            receiver=None if self.receiver is None else self.receiver.draft,
            expires_at=self.expires_at,
            description=self.description,
            items=tuple(one.draft for one in self.items),
            service_id=self.service_id,
            drop_off_point_id=self.drop_off_point_id,
            collection=None if self.collection is None else self.collection.draft,
            provider_options=self.provider_options,
        )


class Settlement(Part):
    """What a person found out of a return that nobody knew of: `made`, and under which words, or not."""

    made: StrictBool
    provider_reference: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,64}$")] | None = None
    tracking_number: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,40}$")] | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        """Want to know what was made, and nothing of what was not."""
        words = (self.provider_reference, self.code, self.tracking_number)
        if self.made and self.provider_reference is None and self.code is None:
            raise ValueError("say by `provider_reference` or `code` what was made")
        if not self.made and any(one is not None for one in words):
            raise ValueError("what was not made has no words")
        return self

    @property
    def ticket(self) -> Ticket | None:
        """Give what was made."""
        if not self.made:
            return None
        return Ticket(self.provider_reference, self.code, self.tracking_number)


class SettleReturn(Body):
    """Say what became of a return that nobody knows of, as a person found out at the provider."""

    operation: ClassVar[str] = "return.settle"

    return_id: Word
    found: Settlement


class CancelReturn(Body):
    """Ask for a return to be called off."""

    operation: ClassVar[str] = "return.cancel"

    return_id: Id


class FetchReturnLabel(Body):
    """Fetch a return's label."""

    operation: ClassVar[str] = "return.label.fetch"

    return_id: Id
