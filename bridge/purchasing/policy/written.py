"""The policy file's own shape: what may be written in it, key by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from bridge.purchasing.policy.money import Limit
from bridge.purchasing.policy.rule import Rule, Word

CarrierOwned = Literal["leave", "buy_when_stuck"]


class PriceTable(BaseModel):
    """What a service costs where the carrier names no price. `version` says which price list that is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Word
    prices: Annotated[Mapping[Word, Limit], Field(min_length=1)]


class PolicyFile(BaseModel):
    """The policy as written. The first rule that is for a shipment decides."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "PLN"
    carrier_owned: CarrierOwned = "leave"
    regenerate_after_pause: StrictBool = True
    price_table: PriceTable | None = None
