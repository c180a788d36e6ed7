"""One errand at a carrier, told call by call: when it is sent, when its effect is looked for, and when neither."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.commands.handling import Later
from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable, NoPermit
from bridge.model import CommandState, Outcome, Progress
from bridge.shipping.attempt import Attempt
from bridge.shipping.once import Came, Done, Errand, Once, Refused, Unclear

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
LOST, AWAY = CarrierUnavailable("ReadTimeout"), NoPermit("breaker_open")
LIMITED = CarrierUnavailable("not_now", status=429)
NO = CarrierRefused("validation_failed", status=400)
Answer = str | None | CarrierError


class Tried:
    """Runs an errand whose answers are written down; the last one of each kind goes on for ever."""

    def __init__(
        self, sends: Sequence[Answer], looks: Sequence[Answer] = (None,), *, takes_s: float = 0, **errand: Any
    ) -> None:
        self.now = T0
        self.looked_at: list[datetime] = []
        self._takes = timedelta(seconds=takes_s)
        self.calls: list[str] = []
        self.notes: list[Progress] = []
        self._answers = {"send": list(sends), "look": list(looks)}
        self._errand = Errand("errand", self._send, self._look, **errand)
        self._attempt = Attempt.of({}, T0)

    async def once(self) -> Came[str]:
        """Take it up, from what was written down."""
        return await Once(self._errand, self, lambda: self.now).run(self._attempt)

    async def to_its_end(self) -> Came[str]:
        """Take it up again and again, each time when it asked for that."""
        while isinstance(came := await self.once(), Later):
            self.resume(came, came.after)
        return came

    def resume(self, came: Later, after: timedelta) -> None:
        """Go on from what was written down, so much later."""
        self.now += after
        self._attempt = Attempt.of(came.progress.at, self.now)

    async def step(self, _write: object, progress: Any) -> Any:
        """Be the hand: a note is kept before anything is sent."""
        self.notes.append(progress(None))
        self.calls.append("note")

    async def keep(self, _write: object, _progress: object) -> Any:
        raise AssertionError("nothing is kept")

    async def report(self, progress: Progress) -> None:
        raise AssertionError("nothing is reported")

    async def _send(self) -> str | None:
        self.now += self._takes
        return self._next("send")

    async def _look(self, since: datetime) -> str | None:
        assert since < T0, "what was sent first may be what is found"
        self.looked_at.append(self.now)
        return self._next("look")

    def _next(self, kind: str) -> str | None:
        self.calls.append(kind)
        answers = self._answers[kind]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, CarrierError):
            raise answer
        return answer


async def test_what_is_sent_is_written_down_before() -> None:
    tried = Tried(["made"])
    assert await tried.once() == Done("made")
    assert tried.calls == ["note", "send"]
    assert tried.notes[0].at["sent"] == 1


async def test_a_no_is_believed_at_once() -> None:
    tried = Tried([NO])
    assert await tried.once() == Refused(NO)
    assert tried.calls == ["note", "send"]


async def test_after_a_lost_answer_its_effect_is_looked_for_and_nothing_else_is_sent() -> None:
    tried = Tried([LOST], [None, CarrierUnavailable("not_now"), "found"])
    assert await tried.to_its_end() == Done("found")
    assert tried.calls == ["note", "send", "look", "look", "look"]


async def test_what_does_not_show_is_sent_again_only_after_its_time_and_three_times_at_most() -> None:
    tried = Tried([LOST])
    assert await tried.to_its_end() == Unclear()
    assert tried.calls.count("send") == 3
    assert tried.now - T0 >= 3 * timedelta(minutes=5, seconds=30)


async def test_a_call_that_took_long_is_looked_for_as_long_as_any_from_its_end_on() -> None:
    absent_after = timedelta(seconds=90)
    tried = Tried([LOST, "made"], takes_s=100, absent_after=absent_after)
    assert await tried.to_its_end() == Done("made")
    last_but_one, last = tried.looked_at[-2:]
    assert last - last_but_one >= timedelta(seconds=60)
    assert last - T0 >= timedelta(seconds=100) + absent_after


async def test_lists_that_are_read_in_quick_succession_after_a_restart_count_as_one() -> None:
    tried = Tried([LOST, "made"], absent_after=timedelta(seconds=90))
    came = await tried.once()
    assert isinstance(came, Later)
    down = timedelta(minutes=2, seconds=1)
    tried.resume(came, down)
    assert await tried.to_its_end() == Done("made")
    first, *_, last = tried.looked_at
    assert (first - T0, last - first >= timedelta(seconds=60)) == (down, True)


async def test_lists_that_an_older_version_counted_however_close_they_were_count_not() -> None:
    kept = {**Attempt.of({}, T0).sending(T0).written(), "lists": 5}
    assert (Attempt.of(kept, T0).lists, Attempt.of(kept | {"listed_at": 1}, T0).lists) == (0, 5)


async def test_a_repeat_that_is_refused_because_the_first_was_taken_finds_the_first() -> None:
    looks = [None] * 11 + ["the first"]
    tried = Tried([LOST, NO], looks)
    assert await tried.to_its_end() == Done("the first")
    assert tried.calls.count("send") == 2


@pytest.mark.parametrize("shown", [None, CarrierRefused("access_denied", status=403)], ids=["nothing", "no list"])
async def test_a_repeat_may_be_refused_for_what_was_done_at_first_so_nobody_knows(shown: Answer) -> None:
    tried = Tried([LOST, NO], [None] * 11 + [shown])
    assert await tried.to_its_end() == Unclear()
    assert tried.calls[-2:] == ["send", "look"]


async def test_a_refusal_that_may_mean_that_it_was_done_before_is_looked_behind() -> None:
    assert await Tried([NO], ["done"], looks_after_no=True).once() == Done("done")
    assert await Tried([NO], [None], looks_after_no=True).once() == Refused(NO)


async def test_what_was_only_taken_in_is_looked_for_at_once() -> None:
    tried = Tried([None], ["shown"])
    assert await tried.once() == Done("shown")
    assert tried.calls == ["note", "send", "look"]


@pytest.mark.parametrize("away", [AWAY, LIMITED], ids=["no permit", "429"])
async def test_what_could_not_be_sent_for_a_minute_is_given_back(away: CarrierUnavailable) -> None:
    tried = Tried([away])
    came = await tried.to_its_end()
    assert isinstance(came, Outcome)
    assert (came.state, "look" in tried.calls) == (CommandState.withdrawn, False)
    assert timedelta(minutes=1) < tried.now - T0 < timedelta(minutes=2)


async def test_what_may_have_been_sent_before_is_never_given_back() -> None:
    assert await Tried([LOST, AWAY]).to_its_end() == Unclear()


async def test_where_no_look_succeeds_for_an_hour_nobody_knows() -> None:
    tried = Tried([LOST], [CarrierUnavailable("not_now")])
    assert await tried.to_its_end() == Unclear()
    assert tried.calls.count("send") == 1
    assert tried.now - T0 > timedelta(hours=1)
