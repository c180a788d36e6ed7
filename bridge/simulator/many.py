"""Many shipments in one body, each under an id by which the caller is told what is wrong with it.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153502 (batches), 18153505 (prices)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

from bridge.simulator.errors import Refusal, validation_failed
from bridge.simulator.intake import Attributes, Intake, Order
from bridge.simulator.organizations import Organization
from bridge.simulator.rules import under


def _text_of_a_number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[str, BeforeValidator(_text_of_a_number), StringConstraints(min_length=1, max_length=255)]
"""The caller's own id of a shipment: text by the page, a number in its sample."""


class Named(BaseModel):
    """One shipment; `id` only tells the caller which one an error belongs to, and is not kept."""

    model_config = ConfigDict(extra="allow", frozen=True)
    id: Name

    @property
    def attributes(self) -> Attributes:
        return self.model_extra or {}


def refuse_twins(items: Sequence[Named]) -> None:
    """Refuse ids that are not unique."""
    taken = Counter(item.id for item in items)
    if twice := [name for name, times in taken.items() if times > 1]:
        raise validation_failed(under({name: {"id": ["invalid"]} for name in twice}))


def all_checked(named: Mapping[str, Attributes], organization: Organization, intake: Intake) -> dict[str, Order]:
    """Check every shipment, and refuse all of them for what is wrong with some.

    A missing contract refuses them as such: it is about no attribute, so that nothing names the shipment.
    """
    orders: dict[str, Order] = {}
    wrong: dict[str, Mapping[str, object]] = {}
    for name, attributes in named.items():
        try:
            orders[name] = intake.checked(organization, attributes)
        except Refusal as refusal:
            if refusal.error != "validation_failed":
                raise
            wrong[name] = refusal.details or {}
    if wrong:
        raise validation_failed(under(wrong))
    return orders
