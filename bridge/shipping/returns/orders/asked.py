"""What is asked for about orders, in the contract's names; the provider decides what else is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field, JsonValue, StrictBool

from bridge.commands.models import Body
from bridge.returns import draft
from bridge.returns.order import OrderDraft, OrderItems
from bridge.shipping.returns.asked import Article, Part, Provider, Receiver, Text
from bridge.web.fields import Moment

Articles = Annotated[tuple[Article, ...], Field(max_length=1000)]


class Customer(Receiver):
    """Who bought it."""


class _Personal(Body):
    def __repr_args__(self) -> Sequence[tuple[str | None, Any]]:
        """Show nothing: it is about people."""
        return ()


class CreateReturnOrder(_Personal):
    """Tell of an order, before anything of it comes back; with `overwrite` in place of the one there is."""

    operation: ClassVar[str] = "return_order.create"

    provider: Provider | None = None
    reference: Text
    ordered_at: Moment
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    customer: Customer | None = None
    items: Articles
    overwrite: StrictBool = False
    provider_options: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def draft(self) -> OrderDraft:
        """Write it as the provider is told."""
        return OrderDraft(
            reference=self.reference,
            ordered_at=self.ordered_at,
            currency=self.currency,
            items=tuple(one.draft for one in self.items),
            customer=draft.Party() if self.customer is None else self.customer.draft,
            overwrite=self.overwrite,
            provider_options=self.provider_options,
        )


class FurtherItems(Part):
    """Articles that an order gets besides."""

    provider: Provider | None = None
    items: Articles
    provider_options: dict[str, JsonValue] = Field(default_factory=dict)


class AddReturnOrderItems(FurtherItems, _Personal):
    """Tell of more articles of an order."""

    operation: ClassVar[str] = "return_order.add_items"

    reference: Text

    @property
    def draft(self) -> OrderItems:
        """Write them as the provider is told."""
        return OrderItems(self.reference, tuple(one.draft for one in self.items), self.provider_options)


class DeleteReturnOrder(_Personal):
    """Delete an order, of which nothing may have come back yet."""

    operation: ClassVar[str] = "return_order.delete"

    provider: Provider | None = None
    reference: Text
