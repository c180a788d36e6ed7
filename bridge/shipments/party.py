"""Who sends, who receives, and where they are. All of it is personal, so none of it shows itself."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody is: street and building number, or lines as older senders write them."""

    city: str = field(repr=False)
    post_code: str = field(repr=False)
    """`NN-NNN` in Poland."""
    country_code: str | None = field(default=None, repr=False)
    street: str | None = field(default=None, repr=False)
    building_number: str | None = field(default=None, repr=False)
    line1: str | None = field(default=None, repr=False)
    line2: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Party:
    """A receiver or a sender. A courier needs a name and an address, a locker a phone and an e-mail."""

    name: str | None = field(default=None, repr=False)
    company_name: str | None = field(default=None, repr=False)
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    """Nine digits."""
    address: Address | None = field(default=None, repr=False)
