"""Which shipments a rule is for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from bridge.model import OrganizationId
from bridge.purchasing.shipment import Shipment, Traits

WARSAW: Final = ZoneInfo("Europe/Warsaw")


def listed(value: Any) -> Any:
    """Take one value for a list of it."""
    return value if isinstance(value, list | tuple) else (value,)


def _moment(value: Any) -> Any:
    """Take `"08:00"` or TOML's own 08:00:00; a number is no time of day."""
    if isinstance(value, str | time):
        return value
    raise ValueError('a time of day is written "08:00"')


def _local(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("a time of day is that of Warsaw, without an offset")
    return value


Text = Annotated[StrictStr, Field(min_length=1, max_length=255)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1), BeforeValidator(listed)]
Organizations = Annotated[
    tuple[Annotated[StrictInt, Field(ge=1, lt=10**18)], ...], Field(min_length=1), BeforeValidator(listed)
]
Kilograms = Annotated[Decimal, Field(ge=0, lt=10**6)]
TimeOfDay = Annotated[time, BeforeValidator(_moment), AfterValidator(_local)]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Weight(_Written):
    """A band of weights: more than `over`, and `up_to` or less."""

    over: Kilograms | None = None
    up_to: Kilograms | None = None

    def holds(self, weight: Decimal | None) -> bool:
        """Say whether a weight is in the band; an unknown one is in none."""
        if weight is None:
            return False
        return (self.over is None or weight > self.over) and (self.up_to is None or weight <= self.up_to)


class Hours(_Written):
    """A part of the day in Warsaw: `from` is in it, `until` is not any more. It may go past midnight."""

    start: TimeOfDay = Field(alias="from")
    until: TimeOfDay

    def hold(self, at: datetime) -> bool:
        """Say whether a moment is in it."""
        now = at.astimezone(WARSAW).time()
        if self.start < self.until:
            return self.start <= now < self.until
        return now >= self.start or now < self.until


class When(_Written):
    """What has to be so for a rule to be the one; what is left out does not matter. Lists: any one of them."""

    organization: Organizations | None = None
    mpk: Texts | None = None
    external_customer_id: Texts | None = None
    reference_prefix: Texts | None = None
    cod: StrictBool | None = None
    insurance: StrictBool | None = None
    receiver: Literal["locker", "address"] | None = None
    weight_kg: Weight | None = None
    time_of_day: Hours | None = None

    @property
    def is_always(self) -> bool:
        """Say whether it is so for every shipment."""
        return all(getattr(self, name) is None for name in type(self).model_fields)

    @property
    def goes_by_words(self) -> bool:
        """Say whether it goes by what is not kept with a decision, because it may name a person."""
        return (self.mpk, self.external_customer_id, self.reference_prefix) != (None, None, None)

    @property
    def goes_by_traits(self) -> bool:
        """Say whether it goes by anything of the shipment itself, and not only by whose it is and by the time."""
        facts = (self.cod, self.insurance, self.receiver, self.weight_kg)
        return self.goes_by_words or any(one is not None for one in facts)

    def holds(self, shipment: Shipment, organization: OrganizationId) -> bool:
        """Say whether all of it is so. What is unknown of a shipment fulfils no condition on it."""
        return all((*self._by_words(shipment.traits), *self._by_facts(shipment, organization)))

    def may_hold(self, shipment: Shipment, organization: OrganizationId) -> bool:
        """Say whether it may be so, as far as that does not hang on words."""
        return all(self._by_facts(shipment, organization))

    def may_be_for(self, organization: OrganizationId, at: datetime) -> bool:
        """Say whether it may be so for a shipment of which nothing is known but whose it is, and when that is asked."""
        is_theirs = self.organization is None or organization in self.organization
        return is_theirs and (self.time_of_day is None or self.time_of_day.hold(at))

    def _by_words(self, traits: Traits) -> Iterator[bool]:
        yield self.mpk is None or traits.mpk in self.mpk
        yield self.external_customer_id is None or traits.external_customer_id in self.external_customer_id
        yield self.reference_prefix is None or (traits.reference or "").startswith(self.reference_prefix)

    def _by_facts(self, shipment: Shipment, organization: OrganizationId) -> Iterator[bool]:
        traits = shipment.traits
        yield self.may_be_for(organization, shipment.at)
        yield self.cod is None or self.cod == (traits.cod is not None)
        yield self.insurance is None or self.insurance == (traits.insurance is not None)
        yield self.receiver is None or self.receiver == traits.receiver
        yield self.weight_kg is None or self.weight_kg.holds(traits.weight_kg)
