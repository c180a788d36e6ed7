"""How often a shipment is asked about."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.events.history import Span
from bridge.events.shipment import ShipmentState
from bridge.reconciling.pace import Pace
from bridge.store.watched import Look, Phase, Watched
from tests.unit.reconciling.shipments import NOW

OPEN, TRACKING = timedelta(seconds=15), timedelta(minutes=30)
PACE = Pace(OPEN, TRACKING)
SECOND = int(NOW.timestamp())
OFTEN = Look(Phase.open, OPEN)


def state(word: str, *, ago: timedelta = timedelta(0), number: str | None = "6200") -> ShipmentState:
    at = SECOND - int(ago.total_seconds())
    return ShipmentState((Span(word, at, at, 1),), number, None, confirmed=word != "canceled")


def offered(ago: timedelta) -> ShipmentState:
    return ShipmentState(offers_at=SECOND - int(ago.total_seconds()))


def minutes(number: float) -> Look:
    return Look(Phase.tracking, timedelta(minutes=number))


@pytest.mark.parametrize(
    ("known", "is_wanted", "quiet", "since", "expected", "remark"),
    [
        (None, False, 0, 0, OFTEN, "a new shipment: its offers are on their way"),
        (None, False, 40, 11, minutes(30), "offers that never came are not waited for urgently"),
        (offered(timedelta(minutes=1)), False, 0, 1, OFTEN, "the window is open"),
        (offered(timedelta(minutes=6)), False, 0, 6, minutes(7.5), "the window is over, and nobody bought"),
        (offered(timedelta(minutes=6)), True, 9, 6, OFTEN, "an outcome is open however late it is"),
        (state("confirmed"), False, 0, 1, minutes(7.5), "bought, with its number: under way"),
        (state("confirmed", number=None), False, 3, 1, OFTEN, "bought, and its number is missing"),
        (state("confirmed", number=None), False, 40, 11, minutes(30), "a number that does not come is not urgent"),
        (state("taken_by_courier"), False, 0, 9, minutes(7.5), "news: more may follow soon"),
        (state("taken_by_courier"), False, 1, 9, minutes(15), "no news"),
        (state("taken_by_courier"), False, 2, 9, minutes(30), "no news again"),
        (state("taken_by_courier"), False, 99, 9, minutes(30), "never later than it is said"),
        (state("delivered"), False, 0, 9, None, "nothing more is expected"),
        (state("returned_to_sender"), False, 9, 9, minutes(30), "the way back: nothing says that it ends"),
        (state("canceled", number=None), False, 1, 9, OFTEN, "a purchase that runs may overwrite it"),
        (state("canceled", number=None), False, 2, 9, None, "seen again and again: it is so"),
        (state("missing", ago=timedelta(days=46)), False, 99, 70_000, None, "no news for 45 days"),
        (state("missing", ago=timedelta(days=44)), False, 99, 70_000, minutes(30), "nearly as long"),
    ],
)
def test_how_soon_a_shipment_is_looked_at_again(
    known: ShipmentState | None, is_wanted: bool, quiet: int, since: int, expected: Look | None, remark: str
) -> None:
    began = NOW - timedelta(minutes=since)
    watched = Watched(known, is_wanted, since=began, news_at=began, quiet=quiet)
    if known is not None and known.spans:
        watched = Watched(known, is_wanted, since=began, news_at=began - timedelta(days=400), quiet=quiet)
    assert PACE.look(watched, NOW) == expected, remark


@pytest.mark.parametrize(
    ("misses", "days", "expected", "remark"),
    [
        (1, 0, Look(Phase.tracking, 2 * OPEN), "it may be hidden for a moment"),
        (3, 0.9, Look(Phase.tracking, 8 * OPEN), "not for a day yet"),
        (60, 0.9, Look(Phase.tracking, TRACKING), "as seldom as anything"),
        (3, 1, None, "gone"),
        (2, 9, Look(Phase.tracking, 4 * OPEN), "two reads, however far apart, prove nothing"),
    ],
)
def test_how_soon_what_is_not_known_is_asked_for_again(
    misses: int, days: float, expected: Look | None, remark: str
) -> None:
    assert PACE.missed(misses, timedelta(days=days)) == expected, remark
