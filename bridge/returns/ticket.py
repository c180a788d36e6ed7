"""What a provider made of a return, and the return as it is read later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from bridge.returns.address import FoundAddress


@dataclass(frozen=True, slots=True)
class ReturnLabel:
    """A label as it came. It names people, so its content shows itself nowhere. `format`: `pdf`, `png`, `zpl`, …"""

    content: bytes = field(repr=False)
    format: str

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A return that was made: under which words it is known, and what the customer needs."""

    provider_reference: str | None = None
    """The provider's own id, where it tells one."""
    code: str | None = field(default=None, repr=False)
    """What opens a locker: for answers and replies, never for an event."""
    tracking_number: str | None = None
    expires_at: datetime | None = None
    cancellable_until: datetime | None = None
    secondary_barcode: str | None = None
    label: ReturnLabel | None = None
    sent_to: FoundAddress | None = field(default=None, repr=False)
    """Where the label sends it at first, which may be a hub."""
    label_url: str | None = field(default=None, repr=False)
    """Where the provider says that a label may be fetched: without one there is none, or it came with the ticket."""
    parcel_size: str | None = None
    """Where the provider decided, or repeats it."""

    @property
    def is_usable(self) -> bool:
        """Whether anybody can send anything with it: without a code and a label a person has to look."""
        return bool(self.code or self.label or self.label_url)
