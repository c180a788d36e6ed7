"""What is asked for where prices are: what `POST /v1/returns` takes, without what changes no price."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from bridge.returns import draft
from bridge.returns.draft import ReturnDraft
from bridge.shipping.returns.asked import Address, Item, Part, Provider, Receiver, Sender, Text


class Pickup(Part):
    """Where a courier comes for it; when, is chosen from what is answered."""

    address: Address | None = None


class QuoteReturn(Part):
    """Ask what a return would cost; nothing is made. Needed are the sender's address and the articles."""

    provider: Provider | None = None
    connection: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    reference: Annotated[Text, Field(description="Of an order that was told of: its articles are compared")] | None = (
        None
    )
    sender: Sender
    receiver: Receiver | None = None
    items: Annotated[tuple[Item, ...], Field(max_length=1000)] = ()
    collection: Pickup | None = None
    provider_options: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def draft(self) -> ReturnDraft:
        """Write it as the provider is asked."""
        where = None if self.collection is None or self.collection.address is None else self.collection.address.draft
        return ReturnDraft(
            reference=self.reference or "",
            sender=self.sender.draft,
            receiver=None if self.receiver is None else self.receiver.draft,
            items=tuple(one.draft for one in self.items),
            collection=None if where is None else draft.Collection(address=where),
            provider_options=self.provider_options,
        )
