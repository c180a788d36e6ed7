"""A rule: which shipments it is for, and what is bought for them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr

from bridge.purchasing.policy.conditions import When, listed
from bridge.purchasing.policy.money import Limit
from bridge.purchasing.policy.services import known_as

Strategy = Literal["preference_list", "cheapest", "cheapest_within_tier"]
OnMissingRate = Literal["preference_list", "price_table", "hold", "decline"]
OnNoMatch = Literal["decline", "next_rule"]


def _tiers(value: Any) -> Any:
    """Take a service by itself for a tier of one."""
    return [listed(one) for one in value] if isinstance(value, list | tuple) else value


Word = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Tier = Annotated[tuple[Word, ...], Field(min_length=1)]
Tiers = Annotated[tuple[Tier, ...], Field(min_length=1), BeforeValidator(_tiers)]


class Rule(BaseModel):
    """One rule as written. `prefer_services` is in order of preference; what is not listed is not bought."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    when: When = When()
    prefer_services: Tiers
    strategy: Strategy = "preference_list"
    require_services: tuple[Word, ...] = ()
    max_price: Limit | None = None
    approve_above: Limit | None = None
    on_missing_rate: OnMissingRate | None = None
    on_no_match: OnNoMatch = "decline"

    @property
    def missing_rate(self) -> OnMissingRate:
        """Say what becomes of an unknown price: where nothing is written, it passes no limit."""
        if self.on_missing_rate is not None:
            return self.on_missing_rate
        if self.max_price is not None:
            return "decline"
        return "hold" if self.approve_above is not None else "preference_list"

    @property
    def services(self) -> tuple[str, ...]:
        """Give the services in order, under the ids by which a policy knows them."""
        return tuple(known_as(service) for tier in self.prefer_services for service in tier)

    def tier(self, service: str) -> int:
        """Give the tier of a listed service: the lower comes first, whatever the price."""
        if self.strategy == "cheapest":
            return 0
        if self.strategy == "preference_list":
            return self.position(service)
        return next(n for n, tier in enumerate(self.prefer_services) if known_as(service) in map(known_as, tier))

    def position(self, service: str) -> int:
        """Give the position of a listed service."""
        return self.services.index(known_as(service))
