"""Taking in a batch: all of its shipments, or none.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153502 and 28639257
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bridge.simulator.batches import Batch
from bridge.simulator.intake import Attributes, Intake
from bridge.simulator.many import Named, all_checked, refuse_twins
from bridge.simulator.organizations import Organization
from bridge.simulator.rules import checked
from bridge.simulator.world import World


class Items(BaseModel):
    """The body of the call."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    shipments: Annotated[list[Named], Field(min_length=1, max_length=2500)]
    only_choice_of_offer: bool = False


class Batching:
    """Checks every shipment before any is taken in."""

    def __init__(self, world: World, intake: Intake) -> None:
        self._world = world
        self._intake = intake

    def take(self, organization: Organization, body: object) -> Batch:
        """Take a batch in. That one wrong shipment refuses all of them is our reading: the page does not say."""
        items = checked(Items, body)
        refuse_twins(items.shipments)
        named = {item.id: _with_default(item, items) for item in items.shipments}
        orders = all_checked(named, organization, self._intake)
        shipments = [self._intake.take(order) for order in orders.values()]
        batch = Batch(next(self._world.ids.batches), organization, shipments, self._world.now())
        self._world.batches.add(batch)
        self._world.did("batch_created", organization, batch.id)
        return batch


def _with_default(item: Named, items: Items) -> Attributes:
    """Set `only_choice_of_offer` as the batch does, where the shipment does not say itself."""
    own = item.attributes
    if own.get("only_choice_of_offer") is None:
        return {**own, "only_choice_of_offer": items.only_choice_of_offer}
    return own
