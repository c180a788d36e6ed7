"""What a request for labels says: for which printer, and in which size. Raises Problems by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request

from bridge.shipments.label import LabelFormat, LabelKind
from bridge.shipments.rules import Broken
from bridge.web.parameters import Query, choice
from bridge.web.problems import bad_field

MOST_AT_ONCE: Final = 100
FORMAT: Final[Query[LabelFormat | None]] = choice("format", "What prints it; else `pdf`.", list(LabelFormat))
KIND: Final[Query[LabelKind | None]] = choice(
    "type", "Its size; else the carrier's own, A4 for lockers and A6 for couriers.", list(LabelKind)
)


def form(request: Request) -> LabelFormat:
    """Read `format`: PDF where nothing is said."""
    return FORMAT.read(request) or LabelFormat.pdf


def refuse(found: Sequence[Broken]) -> None:
    """Raise the Problem that broken rules are, if any is."""
    if found:
        one = found[0]
        raise bad_field(".".join(map(str, one.where)), one.code, one.message)
