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
from bridge.purchasing.policy.services import known_as
from bridge.purchasing.shipment import Shipment


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
class Further:
    """What may only be known on one side: None where it is not."""

    service: str | None = None
    insurance: Decimal | None = None
    customer: str | None = field(default=None, repr=False)
    weight_kg: Decimal | None = None
    templates: tuple[str, ...] | None = None

    def fits(self, made: Further) -> bool:
        """Say whether nothing that both sides say differs, and nothing that was asked for is missing."""
        for name in ("service", "insurance", "customer"):
            if getattr(self, name) is not None and getattr(self, name) != getattr(made, name):
                return False
        measures = ((self.weight_kg, made.weight_kg), (self.templates, made.templates))
        return all(ours is None or theirs is None or ours == theirs for ours, theirs in measures)


@dataclass(frozen=True, slots=True)
class Likeness:
    """The traits. `people` are both of its ends: for a return the carrier swaps them.

    What stands under `further` the carrier may fill in by itself, so it is compared where it was asked for.
    """

    people: frozenset[str] = field(default=frozenset(), repr=False)
    reference: str | None = field(default=None, repr=False)
    mpk: str | None = field(default=None, repr=False)
    target_point: str | None = None
    cod: Decimal | None = None
    parcels: int = 1
    is_return: bool = False
    further: Further = Further()

    @property
    def is_vague(self) -> bool:
        """Say whether nearly anything is like it: then nothing that is found is known to be it."""
        return not self.people and self.reference is None

    def fits(self, made: Likeness) -> bool:
        """Say whether `made` may be what was asked for by this one."""
        return self.people <= made.people and self._whole == made._whole and self.further.fits(made.further)

    @property
    def _whole(self) -> tuple[object, ...]:
        texts = (_plain(text) for text in (self.reference, self.mpk, self.target_point))
        return *texts, self.cod, self.parcels, self.is_return


def of(found: Shipment) -> Likeness:
    """Say by what a shipment can be known that the carrier has."""
    traits = found.traits
    return Likeness(
        people=traits.people,
        reference=traits.reference,
        mpk=traits.mpk,
        target_point=traits.target_point,
        cod=None if traits.cod is None else Decimal(traits.cod.amount),
        parcels=traits.parcels,
        is_return=traits.is_return,
        further=Further(
            service=None if found.service is None else known_as(found.service),
            insurance=None if traits.insurance is None else Decimal(traits.insurance.amount),
            customer=traits.external_customer_id,
            weight_kg=traits.weight_kg,
            templates=traits.templates,
        ),
    )


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which item became which shipment, and which items could have become several."""

    made: Mapping[int, ShipmentId]
    unclear: Collection[int]


def pair(asked: Mapping[int, Likeness], found: Sequence[tuple[ShipmentId, Likeness]]) -> Pairs:
    """Find what became of each item; no shipment is two items'.

    Those that are alike are anybody's: of five that fit five items each takes one. Where more fit than were asked for,
    somebody else asked for the same, and nothing says which is whose. Those that fewest fit choose first.
    """
    made, unclear, taken = dict[int, ShipmentId](), list[int](), set[ShipmentId]()
    groups = [(alike, _fitting(asked[alike[0]], found)) for alike in _alike(asked)]
    for alike, fitting in sorted(groups, key=lambda group: len(group[1])):
        left = [shipment for shipment in fitting if shipment not in taken]
        if len(left) > len(alike) or (left and asked[alike[0]].is_vague):
            unclear += alike
        else:
            made |= dict(zip(alike, left, strict=False))
            taken |= set(left)
    return Pairs(made, sorted(unclear))


def _fitting(asked: Likeness, found: Sequence[tuple[ShipmentId, Likeness]]) -> list[ShipmentId]:
    return sorted(shipment for shipment, likeness in found if asked.fits(likeness))


def _alike(asked: Mapping[int, Likeness]) -> list[list[int]]:
    """Gather the items that are the same."""
    groups: dict[Likeness, list[int]] = {}
    for item, likeness in sorted(asked.items()):
        groups.setdefault(likeness, []).append(item)
    return list(groups.values())


def _plain(text: str | None) -> str:
    """Write a text as either side may."""
    return (text or "").strip().casefold()
