"""What a return's parcel is handed over with, besides its label or its code: kept sealed beside the return. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pydantic import TypeAdapter

from bridge.returns.address import FoundAddress
from bridge.returns.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Handover:
    """A second barcode, which whoever takes the parcel in may scan, and where it is sent at first."""

    secondary_barcode: str | None = field(default=None, repr=False)
    first_mile_address: FoundAddress | None = field(default=None, repr=False)

    @classmethod
    def of(cls, ticket: Ticket) -> Handover:
        """Read it off a return that was made."""
        return cls(ticket.secondary_barcode, ticket.sent_to)

    @classmethod
    def load(cls, data: bytes) -> Handover:
        """Read what `dump` wrote."""
        return _FORM.validate_json(data)

    def dump(self) -> bytes:
        """Write it as it is kept."""
        return _FORM.dump_json(self)


NOTHING: Final = Handover()
"""Where a provider says neither: nothing of it is kept then."""
_FORM: Final = TypeAdapter(Handover)
