"""What a soak judges by: answers, a consumer's books, logs; each can fail."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.soak.answers import Answer
from tests.soak.balance import takeovers, undisturbed, unexplained
from tests.soak.breaking import Breaking
from tests.soak.follower import Follower
from tests.soak.inputs import Input
from tests.soak.logs import Reading
from tests.soak.rules import Place, is_allowed
from tests.soak.script import BROKER, DATABASE
from tests.soak.sent import Sent
from tests.soak.strangers import Tally
from tests.soak.takeover import Kind, Takeover

STATUSES = (200, 202, 400, 401, 404, 405, 422, 500, 502, 503, 504)


@pytest.mark.parametrize(
    ("place", "allowed"),
    [
        (Place.right_secret, {200, 503}),
        (Place.wrong_secret, {404}),
        (Place.api, {200, 202, 400, 401, 404, 405, 422, 503}),
        (Place.wire, {200, 400, 404, 405, 503}),
    ],
)
def test_only_documented_answers_are_allowed(place: Place, allowed: set[int]) -> None:
    assert {status for status in STATUSES if is_allowed(place, status)} == allowed


def test_a_503_elsewhere_is_a_problem_unless_the_database_or_the_bridge_was_not_there() -> None:
    tally, breaking = Tally(), Breaking([], {}, None, print)
    tally.unavailable = [(90.0, 1), (101.0, 2), (119.0, 3), (121.0, 4), (305.0, 5), (505.0, 6)]
    breaking.troubles[DATABASE] = [(100.0, 105.0)]
    breaking.troubles["bridge/1"] = [(300.0, 310.0)]
    breaking.troubles[BROKER] = [(500.0, 510.0)]  # nobody asks the broker
    assert unexplained(tally, breaking) == [1, 4, 6]


def aimed(place: Place) -> Input:
    return Input(42, "body", Sent(place, (b"x",)))


@pytest.mark.parametrize(
    ("place", "answer", "problem"),
    [
        (Place.right_secret, Answer(500, b"", b""), "input 42 (body) was answered 500"),
        (Place.right_secret, Answer(400, b"", b""), "input 42 (body) was answered 400"),
        (Place.api, Answer(500, b"text/plain", b""), "input 42 (body) was answered 500"),
        (Place.api, Answer(404, b"text/plain", b""), "input 42 (body) was answered 404 as text/plain"),
    ],
)
def test_an_answer_that_nobody_documented_is_a_problem(place: Place, answer: Answer, problem: str) -> None:
    tally = Tally()
    tally.note(aimed(place), answer)
    assert tally.problems == [problem]


def test_what_was_accepted_is_remembered_and_what_was_parked_is_not() -> None:
    tally = Tally()
    for outcome, key in (("accepted", "01"), ("duplicate", "02"), ("parked", "03")):
        body = json.dumps({"outcome": outcome, "delivery_id": key}).encode()
        tally.note(aimed(Place.right_secret), Answer(200, b"application/json", body))
    assert (tally.kept, tally.problems) == ({b"\x01", b"\x02"}, [])
    assert tally.answers == {(Place.right_secret, 200): 3}


def event(subject: str, sequence: int, *, source: str = "/shipx/1", key: str | None = None) -> bytes:
    return json.dumps(
        {
            "id": key or str(uuid4()),
            "source": source,
            "subject": subject,
            "sequence": f"{sequence:010}",
            "type": "t",
            "data": {"carrier_status": f"s{sequence}"},
        }
    ).encode()


def test_a_consumer_drops_repeats_and_follows_each_subject() -> None:
    follower = Follower("/shipx/1")
    first, second = event("a", 1), event("a", 2)
    for body in (first, event("b", 1), first, second, first, event("a", 1, source="/shipx/2")):
        follower.take(body, redelivered=False)
    assert (follower.events, follower.repeats, follower.problems) == (4, 2, [])
    assert follower.learned == {("a", "t", "s1"): 1, ("a", "t", "s2"): 1, ("b", "t", "s1"): 1}
    assert follower.has(json.loads(first)["id"])
    assert not follower.has(str(uuid4()))


@pytest.mark.parametrize(
    ("sequences", "problem"),
    [
        ((1, 3), "/shipx/1 a: 2 never came"),
        ((2,), "/shipx/1 a: 1 never came"),
        ((1, 2, 2), "/shipx/1 a: 2 was given to two events"),
        ((1, 3, 3, 2), "/shipx/1 a: 3 was given to two events"),
        ((1, 3, 4, 2), "/shipx/1 a: 2 was sent after 4"),
    ],
)
def test_a_gap_a_late_one_and_a_number_given_twice_are_problems(sequences: tuple[int, ...], problem: str) -> None:
    follower = Follower("/shipx/1")
    for sequence in sequences:
        follower.take(event("a", sequence), redelivered=False)
    assert problem in follower.problems


def test_what_the_broker_gives_back_late_had_its_turn_before() -> None:
    follower = Follower("/shipx/1")
    for sequence, redelivered in ((1, False), (4, True), (2, True), (3, True), (5, False)):
        follower.take(event("a", sequence), redelivered=redelivered)
    assert (follower.problems, follower.returned_late) == ([], 2)


def test_a_log_with_a_secret_or_a_defect_is_a_problem_and_is_kept(tmp_path: Path) -> None:
    reading = Reading(["s3cr3t"])
    clean, leaky, broken = (tmp_path / name for name in ("clean", "leaky", "broken"))
    clean.write_text('{"event":"broker.away","level":"warning"}\n{"event":"relay.refused","level":"error"}\nno json\n')
    leaky.write_text('{"event":"x","level":"info","path":"/s3cr3t"}\n')
    broken.write_text('{"event":"projection.bug","level":"error"}\n')
    for log in (clean, leaky, broken, tmp_path / "missing"):
        reading.read(log)
    assert reading.errors == {"relay.refused": 1, "projection.bug": 1}
    assert reading.problems == [f"{leaky}: a secret stands in it", f"{broken}: projection.bug"]
    assert [log.exists() for log in (clean, leaky, broken)] == [False, True, True]


def takeover(at: float, seconds: float, kind: Kind = Kind.events) -> Takeover:
    return Takeover(at, seconds, kind)


def test_a_takeover_counts_unless_the_database_was_away_meanwhile() -> None:
    breaking = Breaking([], {}, None, print)
    breaking.troubles[DATABASE] = [(100.0, 105.0)]
    before, during, across, after = (takeover(at, 10.5) for at in (80.0, 103.0, 95.0, 106.0))
    assert undisturbed([before, during, across, after], breaking) == [before, after]
    breaking.troubles[BROKER] = [(200.0, 210.0)]
    events, purchases = (takeover(205.0, 14.0, kind) for kind in (Kind.events, Kind.purchases))
    assert undisturbed([events, purchases], breaking) == [purchases], "nobody can publish while the broker is away"
    (check,) = takeovers([takeover(1.0, 9.9)], breaking)
    assert check.holds
    (check,) = takeovers([before], breaking)
    assert check.problems == ("one took 10.5 s",)


def test_each_kind_of_work_that_was_taken_over_is_judged_by_itself() -> None:
    breaking = Breaking([], {}, None, print)
    breaking.troubles[DATABASE] = [(100.0, 105.0)]
    late = [takeover(1.0, 10.1, kind) for kind in Kind]
    away = takeover(99.0, 60.0, Kind.commands)
    checks = takeovers([*late[:2], takeover(1.0, 8.0, Kind.commands), away, takeover(2.0, 9.9), late[3]], breaking)
    assert [(check.name.rpartition(": ")[2], check.problems) for check in checks] == [
        ("events to publish", ("one took 10.1 s",)),
        ("accounts to ask about", ("one took 10.1 s",)),
        ("commands", ()),
        ("purchases", ("one took 10.1 s",)),
    ]
