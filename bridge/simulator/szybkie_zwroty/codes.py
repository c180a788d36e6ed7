"""Return codes: made, activated, used or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bridge.simulator.szybkie_zwroty.orders import Order
from bridge.simulator.szybkie_zwroty.terms import AccountTerms


@dataclass
class Code:
    """One code. Without an order it is inactive; with a parcel it was used."""

    number: int
    code: str
    uuid: str
    account: AccountTerms
    created_at: datetime
    order: Order | None = None
    valid: bool = True
    used_at: datetime | None = None
    status: str = ""
    status_at: datetime | None = None

    @property
    def used(self) -> bool:
        return self.used_at is not None

    @property
    def pack_code(self) -> str:
        """The number of its parcel, 24 digits; nothing before there is one."""
        return f"63{self.number:022d}" if self.used else ""

    def active(self, now: datetime) -> bool:
        """Say whether a locker takes it."""
        return self.order is not None and not self.used and now < self.order.until

    def move(self, status: str, now: datetime) -> None:
        """Let its parcel enter a status; the first is its being sent."""
        self.used_at = self.used_at or now
        self.status, self.status_at = status, now


class Codes:
    """All codes, oldest first."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = {}

    def __iter__(self) -> Iterator[Code]:
        return iter(self._codes.values())

    def __len__(self) -> int:
        return len(self._codes)

    def add(self, code: Code) -> None:
        self._codes[code.code] = code

    def get(self, code: str) -> Code | None:
        return self._codes.get(code)
