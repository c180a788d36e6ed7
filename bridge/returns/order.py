"""An order that a provider is told of before anything of it comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from bridge.returns.draft import Item, Party


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """What is told. With `overwrite` it takes the place of the order that there is under this reference."""

    reference: str
    ordered_at: datetime
    currency: str
    items: tuple[Item, ...] = field(repr=False)
    customer: Party = field(default=Party(), repr=False)
    overwrite: bool = False
    provider_options: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    """What only this provider knows, in its own names."""


@dataclass(frozen=True, slots=True)
class OrderItems:
    """Articles that an order gets besides."""

    reference: str
    items: tuple[Item, ...] = field(repr=False)
    provider_options: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
