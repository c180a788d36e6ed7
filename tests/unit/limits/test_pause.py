"""When a pause is tried, by what, and how often: tables over the database's clock."""

from __future__ import annotations

import pytest

from bridge.limits.pause import FIRST_PROBE, MOST_PROBE, PROBING, AccountReason, Pause
from bridge.model import Micros

SECOND = 1_000_000
NOW = Micros(1_800_000_000_000_000)
FUNDS = Pause.by_carrier(AccountReason.debt_collection, NOW)
TOKEN = Pause.by_carrier(AccountReason.forbidden, NOW)
PERSONS = Pause(NOW, "operator", "somebody")


def at(seconds: float) -> Micros:
    return Micros(NOW + round(seconds * SECOND))


@pytest.mark.parametrize(
    ("pause", "seconds", "due", "due_to_buy"),
    [
        pytest.param(FUNDS, 59, False, False, id="the carrier is left alone for a minute"),
        pytest.param(FUNDS, 60, True, True, id="then a purchase shows"),
        pytest.param(FUNDS, 86_400, True, True, id="whenever there is one"),
        pytest.param(TOKEN, 60, True, False, id="of a token a question shows it, and no purchase is risked"),
        pytest.param(PERSONS, 86_400, False, False, id="what a person paused is not tried"),
        pytest.param(FUNDS, -86_400, True, True, id="a clock was set back"),
        pytest.param(FUNDS.taken(at(60)), 61, False, False, id="somebody has taken the try"),
        pytest.param(FUNDS.taken(at(60)), 90, True, True, id="and made nothing of it"),
    ],
)
def test_when_a_try_may_be_taken(pause: Pause, seconds: float, due: bool, due_to_buy: bool) -> None:
    assert (pause.is_due(at(seconds)), pause.is_due_to_buy(at(seconds))) == (due, due_to_buy)


@pytest.mark.parametrize(
    ("pause", "seconds", "call", "begin"),
    [
        pytest.param(FUNDS, 60, False, False, id="due, but nobody's yet"),
        pytest.param(FUNDS.taken(at(60)), 60, True, True, id="taken"),
        pytest.param(FUNDS.taken(at(60)), 89, True, True, id="nearly over"),
        pytest.param(FUNDS.taken(at(60)), 90, False, False, id="over"),
        pytest.param(FUNDS.taken(at(60)).made(at(62), 0.0), 63, False, True, id="it has its permit: no second one"),
        pytest.param(TOKEN.taken(at(60)), 60, False, False, id="a question is no purchase"),
        pytest.param(PERSONS, 60, False, False, id="a person's"),
        pytest.param(FUNDS.taken(at(60)), -86_400, False, False, id="a clock was set back"),
    ],
)
def test_what_is_let_through_while_a_try_is_taken(pause: Pause, seconds: float, call: bool, begin: bool) -> None:
    assert (pause.lets_call(at(seconds)), pause.lets_begin(at(seconds))) == (call, begin)


def test_tries_come_later_and_later_up_to_a_quarter_of_an_hour() -> None:
    pause, waits = FUNDS, [FIRST_PROBE]
    for _ in range(6):
        pause = pause.made(NOW, 0.5)
        assert pause.probe_at is not None
        waits.append(pause.probe_at - NOW)
    assert [wait // SECOND for wait in waits] == [60, 120, 240, 480, 900, 900, 900]
    assert pause.probes == 6


@pytest.mark.parametrize("dice", [0.0, 0.5, 1.0])
def test_the_next_try_is_never_within_this_one_nor_further_ahead_than_can_be(dice: float) -> None:
    pause = FUNDS
    for _ in range(99):
        pause = pause.taken(NOW).made(NOW, dice)
        assert pause.probe_at is not None
        assert NOW + PROBING < pause.probe_at <= NOW + MOST_PROBE
