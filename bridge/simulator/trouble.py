"""Who meets which fault: the next calls that were asked for, then chance; and a record of all that were met."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from bridge.simulator.chance import Chance
from bridge.simulator.clock import Clock
from bridge.simulator.faults import (
    NEVER_REACH,
    CallFault,
    Effect,
    FaultTable,
    Kind,
    NextCalls,
    Odds,
    TimedOdds,
)

SHIPMENT: Final = re.compile(r"/v1/shipments/([1-9][0-9]{0,17})(?:/|$)")


@dataclass(frozen=True)
class Mishap:
    """A fault that was met by a call, an effect, an offer or a notification.

    `reached` says whether it got where it was going.
    """

    id: int
    kind: Kind
    about: str
    shipment_id: int | None
    reached: bool
    seconds: float | None
    at: datetime


@dataclass(frozen=True)
class Fate:
    """What becomes of a notification. Seconds: how late it is, how long it is held back, when it comes again."""

    missing: bool = False
    delayed: float | None = None
    held: float | None = None
    again: float | None = None


class What(NamedTuple):
    """What a fault happens to: an effect, a notification or an offer of a shipment, and how often it was there."""

    shipment_id: int
    name: str
    nth: int


class Trouble:
    """Deals faults out. Every kind has its own draws, named by what it happens to and how often that was there."""

    def __init__(self, table: FaultTable, chance: Chance, clock: Clock) -> None:
        self.table = table
        self._chance = chance
        self._clock = clock
        self._next: list[NextCalls] = []
        self._met: list[Mishap] = []

    @property
    def next_calls(self) -> tuple[NextCalls, ...]:
        """The faults that wait for their calls, the oldest request first."""
        return tuple(self._next)

    def ask_for(self, fault: NextCalls) -> None:
        """Let the next matching calls meet a fault."""
        self._next.append(fault)

    def heal(self) -> None:
        """Let nothing go wrong from now on; what has begun (a delay, a held notification) ends by itself."""
        self._next.clear()
        self.table = FaultTable()

    def met(self, after: int) -> Iterator[Mishap]:
        """List what was met after this one; 0 lists all. Ids are positions, from 1."""
        return islice(self._met, max(0, after), None)

    # -- calls ---------------------------------------------------------------------------------------------------------

    def of_call(self, method: str, path: str) -> Mishap | None:
        """Say which fault this call meets, if any."""
        call = (method, path, self._chance.times("call", method, path))
        fault = self._taken(method, path) or self._drawn(call)
        if fault is None:
            return None
        seconds = None if fault.span is None else self._chance.between(fault.span, fault.kind, "seconds", *call)
        found = SHIPMENT.match(path)
        return self._meet(fault.kind, f"{method} {path}", int(found[1]) if found else None, seconds)

    def _taken(self, method: str, path: str) -> CallFault | None:
        """Use up one of the faults that were asked for."""
        for index, fault in enumerate(self._next):
            if fault.matches(method, path):
                left = [fault.model_copy(update={"times": fault.times - 1})] if fault.times > 1 else []
                self._next[index : index + 1] = left
                return fault
        return None

    def _drawn(self, call: tuple[str, str, int]) -> CallFault | None:
        for fault in self.table.calls:
            if fault.matches(*call[:2]):
                drawn = self._chance.draw(fault.kind, fault.method, fault.path, *call)
                if drawn < fault.share:
                    return fault
        return None

    # -- effects and notifications -------------------------------------------------------------------------------------

    def of_effect(self, shipment_id: int, effect: Effect) -> float | None:
        """Say for how long reads do not show this effect, if it is hidden."""
        what = What(shipment_id, effect, self._chance.times("effect", shipment_id, effect))
        return self._lasting("hidden", self.table.hidden, what)

    def of_notice(self, shipment_id: int, name: str) -> Fate:
        """Say what becomes of a notification."""
        what = What(shipment_id, name, self._chance.times("notice", shipment_id, name))
        odds = self.table.webhooks
        if self._strikes("missing", odds.missing, what):
            self._meet("missing", name, shipment_id, None)
            return Fate(missing=True)
        delayed = self._lasting("delayed", odds.delayed, what)
        held = None if delayed is not None else self._lasting("reordered", odds.reordered, what)
        return Fate(delayed=delayed, held=held, again=self._lasting("repeated", odds.repeated, what))

    def of_offer(self, shipment_id: int, service: str, preparation: int) -> bool:
        """Say whether an offer of the nth preparation is gone when somebody takes it."""
        if not self._strikes("spoiled", self.table.offers_spoil, What(shipment_id, service, preparation)):
            return False
        self._meet("spoiled", service, shipment_id, None)
        return True

    def of_cancel(self, shipment_id: int, service: str) -> bool:
        """Say whether the carrier goes on with a shipment that was cancelled."""
        if not self._strikes("overwritten", self.table.cancels_overwritten, What(shipment_id, service, 1)):
            return False
        self._meet("overwritten", service, shipment_id, None)
        return True

    def burst(self, shipment_id: int, statuses: Sequence[str]) -> int:
        """Say how many of the statuses to come are entered at once: one, unless a burst begins here."""
        odds, left = self.table.webhooks.bursts, len(statuses)
        low, high = odds.statuses
        if left < low or self._chance.draw("burst", shipment_id, left) >= odds.share:
            return 1
        size = min(left, int(self._chance.between((low, high + 1), "burst", "size", shipment_id, left)))
        self._meet("burst", " ".join(statuses[:size]), shipment_id, None)
        return size

    def _strikes(self, kind: Kind, odds: Odds, what: What) -> bool:
        return odds.concern(what.name) and self._chance.draw(kind, *what) < odds.share

    def _lasting(self, kind: Kind, odds: TimedOdds, what: What) -> float | None:
        if not self._strikes(kind, odds, what):
            return None
        seconds = self._chance.between(odds.seconds, kind, "seconds", *what)
        self._meet(kind, what.name, what.shipment_id, seconds)
        return seconds

    def _meet(self, kind: Kind, about: str, shipment_id: int | None, seconds: float | None) -> Mishap:
        reached, at = kind not in NEVER_REACH, self._clock.now()
        mishap = Mishap(len(self._met) + 1, kind, about, shipment_id, reached, seconds, at)
        self._met.append(mishap)
        return mishap
