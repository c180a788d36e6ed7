"""Addresses as providers answer them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FoundAddress:
    """An address in lines."""

    country: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    post_code: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    suburb: str | None = field(default=None, repr=False)
    lines: tuple[str, ...] = field(default=(), repr=False)
    neighborhood: str | None = field(default=None, repr=False)
