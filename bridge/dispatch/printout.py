"""A list for the courier to sign."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Printout:
    """A PDF as it was fetched, or a ZIP of several. It names people, so its content shows itself nowhere."""

    content: bytes = field(repr=False)
    is_archive: bool = False

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()
