"""Taking in a batch: all of its shipments, or none.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153502 and 28639257
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from bridge.simulator.batches import Batch
from bridge.simulator.errors import Refusal, validation_failed
from bridge.simulator.intake import Attributes, Intake, Order
from bridge.simulator.organizations import Organization
from bridge.simulator.rules import checked, under
from bridge.simulator.world import World


def _text_of_a_number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[str, BeforeValidator(_text_of_a_number), StringConstraints(min_length=1, max_length=255)]
"""The caller's own id of a shipment: text by the page, a number in its sample."""


class Item(BaseModel):
    """One shipment; `id` only tells the caller which one an error belongs to, and is not kept."""

    model_config = ConfigDict(extra="allow", frozen=True)
    id: Name

    @property
    def attributes(self) -> Attributes:
        return self.model_extra or {}


class Items(BaseModel):
    """The body of the call."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    shipments: Annotated[list[Item], Field(min_length=1, max_length=2500)]
    only_choice_of_offer: bool = False


class Batching:
    """Checks every shipment before any is taken in."""

    def __init__(self, world: World, intake: Intake) -> None:
        self._world = world
        self._intake = intake

    def take(self, organization: Organization, body: object) -> Batch:
        """Take a batch in. That one wrong shipment refuses all of them is our reading: the page does not say."""
        orders = self._checked(organization, checked(Items, body))
        shipments = [self._intake.take(order) for order in orders]
        batch = Batch(next(self._world.ids.batches), organization, shipments, self._world.now())
        self._world.batches.add(batch)
        self._world.did("batch_created", organization, batch.id)
        return batch

    def _checked(self, organization: Organization, items: Items) -> Sequence[Order]:
        taken = Counter(item.id for item in items.shipments)
        if twice := [name for name, times in taken.items() if times > 1]:
            raise validation_failed(under({name: {"id": ["invalid"]} for name in twice}))
        orders: list[Order] = []
        wrong: dict[str, dict[str, object]] = {}
        for item in items.shipments:
            try:
                orders.append(self._intake.checked(organization, _with_default(item, items)))
            except Refusal as refusal:
                if refusal.error != "validation_failed":  # no contract: the reason is no attribute of one shipment
                    raise
                wrong[item.id] = dict(refusal.details or {})
        if wrong:
            raise validation_failed(under(wrong))
        return orders


def _with_default(item: Item, items: Items) -> Attributes:
    """Set `only_choice_of_offer` as the batch does, where the shipment does not say itself."""
    own = item.attributes
    if own.get("only_choice_of_offer") is None:
        return {**own, "only_choice_of_offer": items.only_choice_of_offer}
    return own
