"""What the replicas promise together, whatever the order in which they come, and whichever of them dies."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bridge.limits.breaker import CLOSED, SUSPECTED_AFTER, Breaker
from bridge.limits.connection import (
    LEASE_S,
    Answer,
    Connection,
    Exchange,
    Exchanged,
    Granted,
    Held,
    Later,
    Limits,
    Outcome,
    Purpose,
    Refused,
    Verdict,
    Waiting,
)
from bridge.limits.exchange import exchange
from bridge.limits.pause import AccountReason, Pause
from bridge.model import Micros

NOW = Micros(1_800_000_000_000_000)
SECOND = 1_000_000
LIMITS = Limits(per_minute=60, at_once=2)
ANSWERED, UNUSABLE = Outcome(Verdict.answered), Outcome(Verdict.unusable)
READ, BUY, SETTLE = Purpose.read, Purpose.buy, Purpose.settle
OTHERS = [purpose for purpose in Purpose if purpose is not BUY]


class Row:
    """The row, and a clock that is moved by hand."""

    def __init__(self, limits: Limits = LIMITS, **kept: Any) -> None:
        self.connection = Connection("shipx/4821", **kept)
        self.limits = limits
        self.now = NOW

    def bring(
        self,
        *wanted: Purpose,
        returned: Sequence[tuple[int, Outcome]] = (),
        kept: Sequence[int] = (),
        holder: str = "one",
    ) -> Exchanged:
        brought = Exchange(holder, returned, kept, wanted)
        done = exchange(self.connection, self.limits, brought, self.now, 0.5)
        self.connection = done.connection
        return done

    def ask(self, purpose: Purpose) -> Answer:
        return self.bring(purpose).answers[0]

    def take(self, purpose: Purpose = READ) -> int:
        answer = self.ask(purpose)
        assert isinstance(answer, Granted), answer
        return answer.token

    def call(self, outcome: Outcome, purpose: Purpose = READ) -> None:
        """Make a call from beginning to end."""
        self.bring(returned=[(self.take(purpose), outcome)])

    def wait(self, seconds: float) -> None:
        self.now = Micros(self.now + round(seconds * SECOND))

    def breaker(self) -> str:
        return self.connection.breaker.state(self.now)


def at(seconds: float) -> Micros:
    return Micros(NOW + round(seconds * SECOND))


# -- places ------------------------------------------------------------------------------------------------------------


def test_no_more_calls_run_at_once_than_agreed_and_the_next_is_told_to_ask_again() -> None:
    row = Row()
    tokens = [row.take(), row.take()]
    assert (tokens, row.ask(READ)) == ([1, 2], Later(at(1)))
    row.bring(returned=[(1, ANSWERED)])
    assert row.ask(READ) == Granted(3)


def test_one_exchange_gives_back_and_takes_so_that_nobody_comes_in_between() -> None:
    row = Row(Limits(60, at_once=1))
    assert row.bring(BUY, returned=[(row.take(), ANSWERED)]).answers == (Granted(2),)


def test_the_place_of_somebody_who_died_is_free_when_its_time_is_over() -> None:
    row = Row(Limits(60, at_once=1))
    row.take()
    row.wait(LEASE_S - 0.001)
    assert row.ask(READ) == Later(at(LEASE_S))
    row.wait(0.001)
    assert row.ask(READ) == Granted(2)


def test_a_place_is_kept_for_as_long_as_its_holder_says_so() -> None:
    row = Row(Limits(60, at_once=1))
    token = row.take()
    for _ in range(10):
        row.wait(2)
        assert row.bring(kept=[token]).lost == frozenset()
    assert isinstance(row.ask(READ), Later)


def test_who_comes_too_late_to_keep_its_place_is_told_and_what_it_says_of_the_carrier_does_not_count() -> None:
    row = Row(Limits(60, at_once=1), breaker=Breaker(failures=4))
    late = row.take()
    row.wait(LEASE_S)
    other = row.take()
    assert row.bring(kept=[late]).lost == {late}
    row.bring(returned=[(late, UNUSABLE)])
    assert (row.connection.breaker.failures, [one.token for one in row.connection.held]) == (4, [other])


def test_who_waits_elsewhere_hears_of_room_only_when_there_was_none() -> None:
    row = Row()
    first = row.take()
    assert not row.bring(returned=[(first, ANSWERED)]).has_made_room
    full = [row.take(), row.take()]
    assert row.bring(returned=[(full[0], ANSWERED)]).has_made_room


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose >= Purpose.label])
def test_what_can_wait_leaves_a_place_to_what_cannot(purpose: Purpose) -> None:
    row = Row()
    label = row.take(Purpose.label)
    assert row.ask(purpose) == Later(at(1))
    assert row.ask(BUY) == Granted(2)
    row.wait(1)
    assert row.bring(returned=[(label, ANSWERED)]).has_made_room
    assert row.ask(purpose) == Granted(3)


def test_of_one_place_everybody_has_it_in_turn() -> None:
    row = Row(Limits(60, at_once=1))
    assert row.ask(Purpose.label) == Granted(1)


def test_room_for_what_can_wait_is_told_though_there_was_a_place() -> None:
    row = Row(Limits(60, at_once=3))
    labels = [row.take(Purpose.label), row.take(Purpose.label)]
    assert isinstance(row.ask(Purpose.label), Later)
    assert row.bring(returned=[(labels[0], ANSWERED)]).has_made_room


# -- purchases first ---------------------------------------------------------------------------------------------------


def test_purchases_leave_on_credit_when_reads_have_to_wait() -> None:
    row = Row(Limits(60, at_once=9))
    for _ in range(3):
        row.take()
    for purpose in OTHERS:
        assert row.ask(purpose) == Later(at(1.111112), is_certain=True)
    assert [row.ask(BUY) for _ in range(4)] == [
        Granted(4),
        Granted(5),
        Granted(6),
        Later(at(1.111112), is_certain=True),
    ]


def test_a_place_that_becomes_free_is_kept_for_a_purchase_that_asked_in_vain() -> None:
    row = Row(Limits(600, at_once=1))
    held = row.take()
    assert isinstance(row.ask(BUY), Later)
    assert row.bring(READ, returned=[(held, ANSWERED)], holder="another").answers == (Later(at(1)),)
    assert row.ask(BUY) == Granted(2)


def test_who_is_first_in_line_and_does_not_come_again_keeps_nobody_waiting_for_long() -> None:
    row = Row(Limits(600, at_once=1))
    held = row.take()
    row.ask(BUY)
    row.bring(returned=[(held, ANSWERED)])
    row.wait(2)
    assert row.bring(READ, holder="another").answers == (Granted(2),)


@pytest.mark.parametrize(
    ("first", "then", "is_granted"),
    [
        (READ, READ, False),
        (BUY, BUY, False),
        (BUY, READ, False),
        (READ, BUY, True),
        (BUY, SETTLE, True),
        (SETTLE, BUY, False),
        (Purpose.sweep, Purpose.label, True),
        (Purpose.confirm, Purpose.tracking, False),
    ],
)
def test_a_busy_replica_lets_another_have_a_turn_unless_its_own_call_matters_more(
    first: Purpose, then: Purpose, is_granted: bool
) -> None:
    row = Row(Limits(600, at_once=1))
    held = row.take()
    row.bring(first, holder="another")
    [answer] = row.bring(then, returned=[(held, ANSWERED)]).answers
    assert isinstance(answer, Granted) == is_granted


def test_a_purchase_goes_before_a_read_that_was_first_in_line() -> None:
    row = Row(Limits(600, at_once=1))
    held = row.take()
    row.bring(READ, holder="another")
    row.bring(BUY, holder="a third")
    row.bring(returned=[(held, ANSWERED)])
    assert isinstance(row.bring(READ, holder="another").answers[0], Later)
    assert row.bring(BUY, holder="a third").answers == (Granted(2),)


def test_several_wishes_are_answered_in_order_up_to_the_first_that_has_to_wait() -> None:
    done = Row().bring(BUY, READ, READ, READ)
    assert done.answers == (Granted(1), Granted(2), Later(at(1)))


def test_a_wish_that_is_refused_stands_in_nobodys_way() -> None:
    row = Row(pause=Pause(NOW, "operator", "somebody"))
    assert row.bring(BUY, READ).answers == (Refused("paused"), Granted(1))


@pytest.mark.parametrize("purpose", OTHERS)
def test_a_pause_is_about_buying_alone_so_that_what_is_in_doubt_is_settled(purpose: Purpose) -> None:
    row = Row(pause=Pause(NOW, "operator", "somebody"))
    assert row.ask(purpose) == Granted(1)


def test_a_pause_is_tried_with_one_purchase_and_the_next_one_waits_longer() -> None:
    pause = Pause.by_carrier(AccountReason.debt_collection, NOW)
    row = Row(pause=pause)
    row.wait(60)
    assert row.ask(BUY) == Refused("paused"), "nobody has taken the try"
    row.connection = replace(row.connection, pause=pause.taken(row.now))
    assert row.bring(BUY, BUY, READ).answers == (Granted(1), Refused("paused"), Granted(2))
    assert row.connection.pause == pause.taken(row.now).made(row.now, 0.5)
    row.bring(returned=[(1, ANSWERED)])
    assert row.ask(BUY) == Refused("paused"), "it has had its call"


def test_a_try_that_cannot_be_made_yet_is_not_used_up() -> None:
    pause = Pause.by_carrier(AccountReason.debt_collection, NOW)
    row = Row(Limits(per_minute=6000, at_once=1))
    held = row.take()
    row.connection = replace(row.connection, pause=pause.taken(row.now))
    assert isinstance(row.ask(BUY), Later)
    row.bring(returned=[(held, ANSWERED)])
    row.wait(1)
    assert isinstance(row.ask(BUY), Granted)


# -- turns -------------------------------------------------------------------------------------------------------------


def test_a_turn_that_was_not_used_is_somebody_elses() -> None:
    row = Row(Limits(1, at_once=9))
    row.bring(returned=[(row.take(), Outcome(Verdict.unused))])
    assert row.ask(READ) == Granted(2)
    assert isinstance(row.ask(READ), Later)


def test_a_turn_that_others_were_reckoned_from_is_lost() -> None:
    row = Row(Limits(60, at_once=9))
    first = row.take()
    row.wait(5)
    for _ in range(3):
        row.take()
    row.bring(returned=[(first, Outcome(Verdict.unused))])
    assert isinstance(row.ask(READ), Later)


# -- what the carrier asks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", [Verdict.limited, Verdict.unusable])
@pytest.mark.parametrize("purpose", Purpose)
def test_nobody_calls_before_the_carrier_wants_to_be_called(purpose: Purpose, verdict: Verdict) -> None:
    row = Row()
    row.call(Outcome(verdict, retry_after=7))
    assert row.ask(purpose) == Later(at(7), is_certain=True)
    row.wait(7)
    assert row.ask(purpose) == Granted(2)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        pytest.param(99_999.0, 120, id="not for a day"),
        pytest.param(None, 5, id="where it does not say for how long"),
    ],
)
def test_the_carrier_is_obeyed_within_bounds(retry_after: float | None, seconds: float) -> None:
    row = Row()
    row.call(Outcome(Verdict.limited, retry_after))
    assert row.ask(READ) == Later(at(seconds), is_certain=True)


def test_too_many_calls_are_no_sign_that_the_carrier_is_away() -> None:
    row = Row()
    for _ in range(3 * SUSPECTED_AFTER):
        row.call(Outcome(Verdict.limited, retry_after=0))
        row.wait(10)
    assert (row.breaker(), row.connection.degraded_since) == ("closed", NOW)


# -- the breaker -------------------------------------------------------------------------------------------------------


def suspected() -> Row:
    row = Row(Limits(600, at_once=9))
    for _ in range(SUSPECTED_AFTER):
        row.call(UNUSABLE)
    return row


def opened() -> Row:
    row = suspected()
    row.call(UNUSABLE)
    return row


def test_after_enough_unusable_answers_one_probe_passes_and_nothing_else() -> None:
    row = suspected()
    assert row.bring(BUY, READ, READ).answers == (
        Refused("breaker_open", at(1)),
        Granted(6, is_probe=True),
        Later(at(1)),
    )


def test_while_it_is_open_nothing_passes_and_everybody_is_told_when_to_come_again() -> None:
    row = opened()
    refused = Refused("breaker_open", at(2))
    assert row.bring(BUY, READ).answers == (refused, refused)
    row.wait(2)
    assert row.ask(READ) == Granted(7, is_probe=True)


def test_a_probe_that_is_answered_closes_it_for_everybody() -> None:
    row = opened()
    row.wait(2)
    row.call(ANSWERED)
    assert (row.connection.breaker, row.connection.degraded_since) == (CLOSED, None)
    assert row.ask(BUY) == Granted(8)


def test_a_probe_whose_sender_died_makes_room_for_another() -> None:
    row = suspected()
    row.take()
    row.wait(LEASE_S)
    assert row.ask(READ) == Granted(7, is_probe=True)


def test_whoever_waits_elsewhere_hears_of_the_end_of_a_probe() -> None:
    row = suspected()
    assert row.bring(returned=[(row.take(), ANSWERED)]).has_made_room


@pytest.mark.parametrize("verdict", [Verdict.answered, Verdict.token_refused])
def test_any_answer_in_between_begins_the_count_anew(verdict: Verdict) -> None:
    row = Row(Limits(600, at_once=9))
    for _ in range(10):
        for _ in range(SUSPECTED_AFTER - 1):
            row.call(UNUSABLE)
        row.call(Outcome(verdict))
        row.wait(10)
    assert row.breaker() == "closed"


@pytest.mark.parametrize("verdict", [Verdict.unused, Verdict.unknown])
def test_what_we_cut_short_ourselves_says_nothing_of_the_carrier(verdict: Verdict) -> None:
    row = Row(breaker=Breaker(failures=SUSPECTED_AFTER - 1))
    row.call(Outcome(verdict))
    assert (row.connection.breaker, row.connection.degraded_since) == (Breaker(failures=SUSPECTED_AFTER - 1), None)


def test_a_refused_token_is_told_until_another_answer_comes() -> None:
    row = Row()
    row.call(Outcome(Verdict.token_refused))
    row.wait(5)
    row.call(Outcome(Verdict.token_refused))
    assert (row.connection.degraded_since, row.breaker()) == (NOW, "closed")
    row.call(ANSWERED)
    assert row.connection.degraded_since is None


def test_where_more_tries_would_block_us_a_refused_login_stops_everything_until_a_person_says_so() -> None:
    row = Row(Limits(600, stops_all=True, pauses_on_refusal=True))
    row.call(Outcome(Verdict.token_refused))
    row.wait(86_400)
    assert {row.ask(purpose) for purpose in Purpose} == {Refused("paused")}
    assert row.connection.pause == Pause(NOW, "login_refused", "carrier")


def test_a_refused_token_pauses_nothing_where_it_may_be_tried_again() -> None:
    row = Row(Limits(600, stops_all=True))
    row.call(Outcome(Verdict.token_refused))
    assert row.connection.pause is None


def test_a_pause_stops_purchases_alone_or_every_call() -> None:
    for stops_all, purpose in itertools.product((False, True), Purpose):
        row = Row(Limits(600, stops_all=stops_all), pause=Pause(NOW, "operator", "anna"))
        is_stopped = stops_all or purpose is Purpose.buy
        assert (row.ask(purpose) == Refused("paused")) is is_stopped


# -- clocks ------------------------------------------------------------------------------------------------------------


AHEAD = Micros(NOW + 86_400 * SECOND)


@pytest.mark.parametrize(
    ("kept", "seconds"),
    [
        pytest.param({"last_turn": AHEAD}, 4 * 1.2, id="turns: the credit, and one more"),
        pytest.param({"not_before": AHEAD}, 120, id="what the carrier asked for"),
        pytest.param({"first_in_line": Waiting(BUY, "another", AHEAD)}, 2, id="a purchase that waited"),
        pytest.param({"held": (Held(1, "one", AHEAD, NOW),)}, LEASE_S, id="a place"),
        pytest.param({"breaker": Breaker(9, 9, AHEAD)}, 37.5, id="the breaker"),
    ],
)
def test_a_clock_that_was_set_back_by_a_day_keeps_nobody_waiting_for_longer_than_each_thing_may_last(
    kept: dict[str, Any], seconds: float
) -> None:
    row = Row(Limits(60, at_once=1), last_token=1, **kept)
    assert not isinstance(row.ask(READ), Granted)
    row.wait(seconds)
    assert isinstance(row.ask(READ), Granted)


# -- all of it together ------------------------------------------------------------------------------------------------


@dataclass
class InHand:
    """A permit as its holder knows it."""

    token: int
    good_until: int
    is_probe: bool


class Replicas(RuleBasedStateMachine):
    """Three replicas do whatever they may do, in any order; some die, some stand still, and one is slow."""

    def __init__(self) -> None:
        super().__init__()
        self.hands: dict[str, list[InHand]] = {name: [] for name in ("one", "two", "three")}
        self.calls: dict[int, int] = {}
        """When each call left that counts against the rate, by token."""

    @initialize(per_minute=st.integers(1, 120), at_once=st.integers(1, 4))
    def begin(self, per_minute: int, at_once: int) -> None:
        self.row = Row(Limits(per_minute, at_once))

    @rule(seconds=st.floats(0, 1) | st.floats(0, 30))
    def time_passes(self, seconds: float) -> None:
        self.row.wait(seconds)

    @rule(
        name=st.sampled_from(["one", "two", "three"]),
        verdicts=st.lists(st.sampled_from(list(Verdict)), max_size=4),
        keeps=st.booleans(),
        wanted=st.lists(st.sampled_from(Purpose), max_size=6),
    )
    def somebody_comes(self, name: str, verdicts: list[Verdict], keeps: bool, wanted: list[Purpose]) -> None:
        hand = self.hands[name]
        back, stay = hand[: len(verdicts)], hand[len(verdicts) :]
        returned = [(one.token, Outcome(verdict)) for one, verdict in zip(back, verdicts, strict=False)]
        kept = [one.token for one in stay] if keeps else []
        before = self.row.connection
        done = self.row.bring(*sorted(wanted), returned=returned, kept=kept, holder=name)
        for one, (token, outcome) in zip(back, returned, strict=True):
            if outcome.verdict is Verdict.unused and one.good_until > self.row.now:
                del self.calls[token]
        for one in stay:
            if one.token in kept and one.token not in done.lost:
                one.good_until = self.row.now + LEASE_S * SECOND
        self.hands[name] = stay
        for purpose, answer in zip(sorted(wanted), done.answers, strict=False):
            if isinstance(answer, Granted):
                self.granted(name, purpose, answer, before)

    def granted(self, name: str, purpose: Purpose, answer: Granted, before: Connection) -> None:
        assert purpose is not BUY or (before.pause is None and not answer.is_probe)
        assert answer.token not in self.calls
        self.hands[name].append(InHand(answer.token, self.row.now + LEASE_S * SECOND, answer.is_probe))
        self.calls[answer.token] = self.row.now

    @rule(steps=st.integers(1, 150), wanted=st.lists(st.sampled_from(Purpose), min_size=1, max_size=6))
    def everybody_is_in_a_hurry(self, steps: int, wanted: list[Purpose]) -> None:
        for number in range(steps):
            name = ("one", "two", "three")[number % 3]
            self.somebody_comes(name, [Verdict.answered] * len(self.hands[name]), True, wanted)
            self.row.wait(0.5)

    @rule(name=st.sampled_from(["one", "two", "three"]))
    def somebody_dies(self, name: str) -> None:
        self.hands[name] = []

    @rule()
    def a_person_pauses(self) -> None:
        self.row.connection = replace(self.row.connection, pause=Pause(self.row.now, "operator", "x"))

    @rule()
    def a_person_resumes(self) -> None:
        self.row.connection = replace(self.row.connection, pause=None)

    @invariant()
    def no_more_run_at_once_than_agreed(self) -> None:
        running = [one for hand in self.hands.values() for one in hand if one.good_until > self.row.now]
        assert len(running) <= self.row.limits.at_once
        assert sum(one.is_probe for one in running) <= 1

    @invariant()
    def no_minute_has_more_than_agreed(self) -> None:
        latest = [one for one in self.calls.values() if one > self.row.now - 60 * SECOND]
        assert len(latest) <= self.row.limits.per_minute


Replicas.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
test_whatever_the_replicas_do_together = Replicas.TestCase
