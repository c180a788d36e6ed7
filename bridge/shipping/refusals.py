"""Why a shipment is not made, item by item: our own rules, the carrier's, or that it is nowhere to be found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from bridge.commands.refusing import refused, unprocessable
from bridge.errors import CarrierRefused, FieldProblem
from bridge.model import OrganizationId, Outcome
from bridge.web.bodies import told
from bridge.web.kinds import CARRIER_REFUSED, NOT_FOUND, UNPROCESSABLE
from bridge.web.problems import FieldError


@dataclass(frozen=True, slots=True)
class Refusal:
    """A definite no: which kind, in a sentence, and field by field where it is about them."""

    kind: str
    why: str
    errors: Sequence[FieldError] = ()

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Self:
        """Read what was written down."""
        return cls(kept["kind"], kept["why"], tuple(FieldError(**one) for one in kept["errors"]))

    @property
    def outcome(self) -> Outcome:
        """End a command with it; what is ours to refuse leaves its key free."""
        if self.kind == UNPROCESSABLE.name:
            return unprocessable(self.errors)
        return refused(self.kind, self.why, self.errors)

    def written(self) -> dict[str, object]:
        """Write it down."""
        return {"kind": self.kind, "why": self.why, "errors": [asdict(one) for one in self.errors]}


def ours(errors: Sequence[FieldError]) -> Refusal:
    """Say no for reasons of our own."""
    return Refusal(UNPROCESSABLE.name, told(errors), tuple(errors))


def theirs(refusal: CarrierRefused, items: Sequence[int]) -> dict[int, Refusal]:
    """Say no for the carrier, to the items that it names: the others were not made either, but may be.

    `items` are those that were sent, in their order.
    """
    named: dict[int | None, list[FieldError]] = {}
    for one in refusal.fields:
        named.setdefault(one.item, []).append(FieldError(one.field, one.code, "the carrier does not take it"))
    general = named.pop(None, [])
    if len(items) == 1:
        return {items[0]: _carriers(refusal, [*general, *(one for each in named.values() for one in each)])}
    places = {place: errors for place, errors in named.items() if place is not None and place < len(items)}
    by_item = {items[place]: _carriers(refusal, errors) for place, errors in places.items()}
    return by_item or dict.fromkeys(items, _carriers(refusal, general))


def organization(asked: int | None, known: Collection[OrganizationId]) -> OrganizationId | FieldError:
    """Say whose it is to be: the one that was named, or the only one that there is."""
    field = "organization_id"
    if asked is None:
        if len(known) == 1:
            return next(iter(known))
        several = "is needed: there are several organizations here" if known else "no organization here has a token"
        return FieldError(field, "missing", several)
    if OrganizationId(asked) not in known:
        return FieldError(field, "unknown_value", "there is no such organization here that has a token")
    return OrganizationId(asked)


def _carriers(refusal: CarrierRefused, errors: Sequence[FieldError]) -> Refusal:
    return Refusal(CARRIER_REFUSED.name, f"the carrier refused it: {refusal.key}", tuple(errors))


def of_one(refusal: CarrierRefused) -> Refusal:
    """Say no for the carrier to what was asked about one thing that it has, or has not."""
    if refusal.status == NOT_FOUND.status:
        return Refusal(NOT_FOUND.name, "the carrier knows none of this number")
    return theirs(refusal, [0])[0]


def of_order(refusal: CarrierRefused, shipments: Sequence[int]) -> Refusal:
    """Say no for the carrier to an order of these shipments, some of which it may name."""
    places = {shipment: place for place, shipment in enumerate(shipments)}
    errors = [FieldError(_place(one, places), one.code, "the carrier does not take it") for one in refusal.fields]
    return _carriers(refusal, errors)


def _place(problem: FieldProblem, places: Mapping[int, int]) -> str:
    return problem.field if problem.item is None else f"shipments.{places[problem.item]}"
