"""One connection to a carrier as all replicas see it, and the words in which they ask for permits and return them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from bridge.limits.breaker import CLOSED, Breaker
from bridge.limits.pause import Pause
from bridge.model import Micros

LEASE_S: Final = 8
"""How long a permit is good for: no request leaves later, and the place of a process that died is free again."""
LONGEST_REST_S: Final = 120
"""The most that a carrier's `Retry-After` is obeyed."""
NEVER: Final = Micros(0)
"""A moment that is past."""


class Purpose(IntEnum):
    """What a permit is for, in the order in which they are given out."""

    settle = 0
    """A read of a purchase in doubt: money may be gone. Also the comparison that shows what such reads may go by."""
    buy = 1
    discover = 2
    """A page of new shipments: a hundred windows that nobody told us of may be on it, and once they have passed each
    costs several calls."""
    read = 3
    """A read before a purchase, or a call that makes offers anew."""
    confirm = 4
    """A read of a purchase that was accepted."""
    create = 5
    """A shipment or a batch that somebody wants made, and a look at what became of it."""
    select = 6
    """A choice of an offer, or what a checkout asks: what is being made goes before it."""
    cancel = 7
    label = 8
    dispatch = 9
    sweep = 10
    tracking = 11


PATIENT_FROM: Final = Purpose.label
"""What nobody's money or answer waits for, from here on, leaves the last place to whoever is before it."""


class Verdict(StrEnum):
    """What a call showed of the carrier."""

    unused = "unused"
    """It was never begun: its turn is somebody else's."""
    unknown = "unknown"
    """It was cut short by us."""
    answered = "answered"
    token_refused = "token_refused"  # noqa: S105 - no secret, but a word
    limited = "limited"
    unusable = "unusable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a permit is given back with. `retry_after` is in seconds, where the carrier named it."""

    verdict: Verdict
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the carrier is asked at most, by all replicas together."""

    per_minute: int = 60
    at_once: int = 2
    stops_all: bool = False
    """Whether a pause stops every call; where purchases are made it stops those alone."""
    pauses_on_refusal: bool = False
    """Whether a refused login begins a pause that a person ends: more tries may block our address."""

    @property
    def patient_at_once(self) -> int:
        """Say how many places labels and what comes behind them may have: a purchase never waits for those alone."""
        return max(self.at_once - 1, 1)


@dataclass(frozen=True, slots=True)
class Held:
    """A place and a turn in somebody's hand. The token is never given out again.

    `is_patient`: it is for a purpose that may not have all the places.
    """

    token: int
    holder: str
    until: Micros
    turn: Micros
    is_probe: bool = False
    is_patient: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who asked in vain for a place: the next one is kept for it, for a moment."""

    purpose: Purpose
    holder: str
    until: Micros

    def is_before(self, purpose: Purpose, holder: str) -> bool:
        """Say whether somebody else has to stand behind."""
        return holder != self.holder and purpose >= self.purpose


@dataclass(frozen=True, slots=True)
class Connection:
    """The row. `degraded_since`: since when the carrier gives no usable answer, or refuses the token."""

    name: str
    last_turn: Micros = NEVER
    not_before: Micros = NEVER
    last_token: int = 0
    held: tuple[Held, ...] = ()
    first_in_line: Waiting | None = None
    breaker: Breaker = CLOSED
    degraded_since: Micros | None = None
    pause: Pause | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a process brings: permits it gives back, those it still uses, and what it wants, in order."""

    holder: str
    returned: Sequence[tuple[int, Outcome]] = ()
    kept: Sequence[int] = ()
    wanted: Sequence[Purpose] = ()


@dataclass(frozen=True, slots=True)
class Granted:
    """One call may be made. A probe must be about no shipment."""

    token: int
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """Ask again then. `is_certain`: before that it would be in vain."""

    at: Micros
    is_certain: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Do not wait for it. `until` is when to come again, where that is known."""

    reason: str
    until: Micros | None = None


Answer = Granted | Later | Refused


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The row from now on, an answer to each wish up to the first that has to wait, and which kept permits ran out."""

    connection: Connection
    before: Breaker
    now: Micros
    answers: tuple[Answer, ...] = ()
    lost: frozenset[int] = frozenset()
    has_made_room: bool = False
    """Whether somebody elsewhere who waited may go on now."""
