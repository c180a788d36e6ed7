"""What an audit finds, as values: five identities with their figures, and what stands against each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bridge.model import OrganizationId

MOST_EXAMPLES: Final = 10
"""Of each difference: enough to look at, few enough to read."""
Example = Mapping[str, str | int | None]
"""A row that does not add up, by its ids."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows that do not add up: what is wrong with them, how many they are, and some of them."""

    what: str
    rows: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """Something that has to add up. `key` is its letter in the contract, `says` the identity in words."""

    key: str
    says: str
    figures: Mapping[str, int]
    differences: tuple[Difference, ...]

    @property
    def is_balanced(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class Counted:
    """What the webhooks of a day were answered, as counted in the commits that made it true."""

    day: str
    organization: OrganizationId
    counters: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Purchases:
    """The purchases of a day: those the carrier told of, and those of the ledger."""

    day: str
    organization: OrganizationId
    bought: int
    succeeded: int
    adopted: int


@dataclass(frozen=True, slots=True)
class Audit:
    """The books of a bridge at one moment. `since` is where the look at them began; None: at their beginning."""

    at: datetime
    since: datetime | None
    identities: tuple[Identity, ...]
    counters: tuple[Counted, ...]
    purchases: tuple[Purchases, ...]

    @property
    def is_balanced(self) -> bool:
        return all(one.is_balanced for one in self.identities)


@dataclass(slots=True)
class Findings:
    """Gathers differences, which come in parts."""

    _rows: dict[str, int] = field(default_factory=dict)
    _examples: dict[str, list[Example]] = field(default_factory=dict)

    def add(self, what: str, rows: int, examples: Sequence[Example] = ()) -> None:
        """Take in more rows of a difference; none at all is no difference."""
        if rows:
            self._rows[what] = self._rows.get(what, 0) + rows
            self._examples[what] = [*self._examples.get(what, ()), *examples][:MOST_EXAMPLES]

    @property
    def differences(self) -> tuple[Difference, ...]:
        return tuple(Difference(what, rows, tuple(self._examples[what])) for what, rows in self._rows.items())
