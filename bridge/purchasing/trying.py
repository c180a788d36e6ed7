"""The one purchase that a pause is tried with: found among several, because ids may be forged, and most may be old."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.purchasing.moves import Chosen, Moment, Move, Next, Stale
from bridge.purchasing.reader import Read, Reader
from bridge.purchasing.unread import unlisted
from bridge.store.purchase import Purchase

MOST: Final = 3
"""How many of those that the carrier knows are read one by one, until one is for sale."""
_FOR_S: Final = 12.0
"""After this no further one is read: the rest of the time that a try has is for the intent and the call."""
_REST: Final = timedelta(seconds=1)

Judge = Callable[[Purchase, Read, Moment], Next]


@dataclass(slots=True)
class Found:
    """What came of the candidates: one to buy or else one whose offers are old, and what follows for the others."""

    moves: list[Move] = field(default_factory=list)
    chosen: Chosen | None = None
    stale: Stale | None = None


async def find(candidates: Sequence[Purchase], reader: Reader, judge: Judge, clock: Clock) -> Found:
    """Read candidates in order until one is for sale: a list says which of them the carrier knows at all."""
    latest = asyncio.get_running_loop().time() + _FOR_S
    known = set(await reader.known([one.shipment for one in candidates], Purpose.read))
    found = Found([unlisted(one, clock()) for one in candidates if one.shipment not in known])
    left = [one for one in candidates if one.shipment in known]
    for one in left[:MOST]:
        if found.chosen is not None or asyncio.get_running_loop().time() >= latest:
            break
        asked_at = clock()
        read = await reader.one(one.shipment, Purpose.read)
        _take(found, judge(one, read, Moment(asked_at, clock())))
        left.remove(one)
    found.moves += [_let_go(one, clock()) for one in left]
    if found.chosen is not None and found.stale is not None:
        found.moves.append(_let_go(found.stale.purchase, clock()))
    return found


def _take(found: Found, judged: Next) -> None:
    match judged:
        case Chosen():
            found.chosen = judged
        case Stale() if found.stale is None:
            found.stale = judged
        case Stale(purchase):
            found.moves.append(Move(purchase))
        case Move():
            found.moves.append(judged)


def _let_go(purchase: Purchase, now: datetime) -> Move:
    """Leave it to the next try."""
    return Move(replace(purchase, due_at=now + _REST))
