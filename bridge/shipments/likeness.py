"""What a shipment that is asked for, and one that the carrier has, can be known by: there is no better key.

The carrier keeps no key of ours, and a reference is neither unique nor a filter. So both are brought into the same few
traits; people go into a digest, which is compared and forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256

from bridge.model import ShipmentId
from bridge.purchasing.shipment import Traits


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is, as far as both sides say it."""

    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    post_code: str | None = field(default=None, repr=False)

    @property
    def digest(self) -> str:
        """Give the same for the same person."""
        said = "\0".join((value or "").strip().casefold() for value in (self.email, self.phone, self.post_code))
        return sha256(said.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Likeness:
    """The traits. `people` are both of its ends: for a return the carrier swaps them."""

    people: frozenset[str] = field(default=frozenset(), repr=False)
    reference: str | None = field(default=None, repr=False)
    mpk: str | None = field(default=None, repr=False)
    target_point: str | None = None
    cod: Decimal | None = None
    parcels: int = 1

    def fits(self, made: Likeness) -> bool:
        """Say whether `made` may be what was asked for by this one."""
        return self.people <= made.people and self._rest == made._rest

    @property
    def _rest(self) -> tuple[object, ...]:
        return self.reference, self.mpk, self.target_point, self.cod, self.parcels


def of(traits: Traits) -> Likeness:
    """Say by what a shipment can be known that the carrier has."""
    return Likeness(
        people=traits.people,
        reference=traits.reference,
        mpk=traits.mpk,
        target_point=traits.target_point,
        cod=None if traits.cod is None else Decimal(traits.cod.amount),
        parcels=traits.parcels,
    )


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which item became which shipment, and which items could have become several."""

    made: Mapping[int, ShipmentId]
    unclear: Collection[int]


def pair(asked: Mapping[int, Likeness], found: Sequence[tuple[ShipmentId, Likeness]]) -> Pairs:
    """Find what became of each item.

    Those that are alike are anybody's: of five that fit five items each takes one. Where more fit than were asked for,
    somebody else asked for the same, and nothing says which is whose.
    """
    made, unclear = dict[int, ShipmentId](), list[int]()
    for alike in _alike(asked):
        fitting = [shipment for shipment, likeness in found if asked[alike[0]].fits(likeness)]
        if len(fitting) > len(alike):
            unclear += alike
        else:
            made |= dict(zip(alike, sorted(fitting), strict=False))
    return Pairs(made, unclear)


def _alike(asked: Mapping[int, Likeness]) -> list[list[int]]:
    """Gather the items that are the same."""
    groups: dict[Likeness, list[int]] = {}
    for item, likeness in sorted(asked.items()):
        groups.setdefault(likeness, []).append(item)
    return list(groups.values())
