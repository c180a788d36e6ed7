"""What a process does with a connection: it gives back permits, keeps those it still uses, and asks for more.

`exchange` is a function from the row, what the process brings and the database's clock to the row as it is from then
on, with an answer to each wish. All that the replicas promise together is promised here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bridge.limits.breaker import CLOSED
from bridge.limits.connection import (
    LEASE_S,
    LONGEST_REST_S,
    PATIENT_FROM,
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
from bridge.limits.pause import Pause
from bridge.limits.rate import Rate
from bridge.model import Micros

_LEASE: Final = LEASE_S * 1_000_000
_LONGEST_REST: Final = LONGEST_REST_S * 1_000_000
_POLL: Final = 1_000_000
_KEPT: Final = 2 * _POLL
"""How long a place that becomes free is kept for who is first in line; whoever waits asks at least every second."""
_PROBED: Final = ("suspected", "half_open")
_USUAL_REST_S: Final = 5.0
"""Where the carrier asks to slow down, and does not say for how long."""


def exchange(found: Connection, limits: Limits, brought: Exchange, now: Micros, dice: float) -> Exchanged:
    """Take back, renew and give out permits. `dice` is a random number from 0 to 1."""
    connection = before = _at(found, limits, now)
    for token, outcome in brought.returned:
        connection = _given_back(connection, limits, token, outcome, now, dice)
    connection = _renewed(connection, brought.kept, now)
    answers: list[Answer] = []
    for purpose in brought.wanted:
        connection, answer = _asked(connection, limits, purpose, brought.holder, now, dice)
        answers.append(answer)
        if isinstance(answer, Later):
            break
    lost = frozenset(brought.kept) - {one.token for one in connection.held}
    returned = {token for token, _ in brought.returned}
    freed = [one for one in before.held if one.token in returned]
    has_made_room = any(one.is_probe or not _has_place(before, limits, is_patient=one.is_patient) for one in freed)
    return Exchanged(connection, before.breaker, now, tuple(answers), lost, has_made_room)


def _at(found: Connection, limits: Limits, now: Micros) -> Connection:
    """Leave out what has run out. Nothing lies further ahead than it can, even where the clock was set back."""
    return replace(
        found,
        last_turn=min(found.last_turn, Rate(limits.per_minute).latest(now)),
        not_before=min(found.not_before, Micros(now + _LONGEST_REST)),
        held=tuple(replace(one, until=min(one.until, Micros(now + _LEASE))) for one in found.held if one.until > now),
        first_in_line=_still_first(found.first_in_line, now),
        breaker=found.breaker.sane(now),
    )


def _still_first(waiting: Waiting | None, now: Micros) -> Waiting | None:
    if waiting is None or waiting.until <= now:
        return None
    return replace(waiting, until=min(waiting.until, Micros(now + _KEPT)))


def _renewed(connection: Connection, kept: Sequence[int], now: Micros) -> Connection:
    until = Micros(now + _LEASE)
    held = tuple(replace(one, until=until) if one.token in kept else one for one in connection.held)
    return replace(connection, held=held)


# -- giving back -------------------------------------------------------------------------------------------------------


def _given_back(
    connection: Connection, limits: Limits, token: int, outcome: Outcome, now: Micros, dice: float
) -> Connection:
    permit = next((one for one in connection.held if one.token == token), None)
    if permit is None:
        return connection  # it ran out: what its holder has to say is too old to count
    rest = replace(connection, held=tuple(one for one in connection.held if one is not permit))
    match outcome.verdict:
        case Verdict.unused:
            return _untaken(rest, limits, permit)
        case Verdict.unknown:
            return rest
        case Verdict.answered:
            return replace(rest, breaker=CLOSED, degraded_since=None)
        case Verdict.token_refused:
            pause = Pause.by_login(now) if limits.pauses_on_refusal and rest.pause is None else rest.pause
            return replace(rest, breaker=CLOSED, degraded_since=rest.degraded_since or now, pause=pause)
        case Verdict.limited:
            wait = _USUAL_REST_S if outcome.retry_after is None else outcome.retry_after
            return _resting(replace(rest, degraded_since=rest.degraded_since or now), wait, now)
        case Verdict.unusable:
            breaker = rest.breaker.failed(now, is_probe=permit.is_probe, dice=dice)
            failed = replace(rest, breaker=breaker, degraded_since=rest.degraded_since or now)
            return _resting(failed, outcome.retry_after or 0.0, now)


def _untaken(connection: Connection, limits: Limits, permit: Held) -> Connection:
    """Give a turn to others, where no other was given out after it: those were reckoned from it."""
    if connection.last_turn != permit.turn:
        return connection
    return replace(connection, last_turn=Micros(permit.turn - Rate(limits.per_minute).interval))


def _resting(connection: Connection, seconds: float, now: Micros) -> Connection:
    wait = min(round(seconds * 1_000_000), _LONGEST_REST)
    return replace(
        connection, not_before=max(connection.not_before, Micros(now + wait)) if wait else connection.not_before
    )


# -- giving out --------------------------------------------------------------------------------------------------------


def _asked(
    connection: Connection, limits: Limits, purpose: Purpose, holder: str, now: Micros, dice: float
) -> tuple[Connection, Answer]:
    objection = _objection(connection, limits, purpose, holder, now)
    if objection is not None:
        return connection, objection
    rate = Rate(limits.per_minute)
    turn = rate.turn(connection.last_turn, now)
    leaves_at = rate.leaves_at(turn, on_credit=purpose is Purpose.buy)
    if leaves_at > now:
        return connection, Later(leaves_at, is_certain=True)
    is_patient = purpose >= PATIENT_FROM
    if not _has_place(connection, limits, is_patient=is_patient):
        return _full(connection, purpose, holder, now)
    is_probe = connection.breaker.state(now) in _PROBED
    permit = Held(connection.last_token + 1, holder, Micros(now + _LEASE), turn, is_probe, is_patient)
    granted = replace(connection, last_turn=turn, last_token=permit.token, held=(*connection.held, permit))
    if (first := granted.first_in_line) is not None and first.holder == holder and purpose <= first.purpose:
        granted = replace(granted, first_in_line=None)
    if purpose is Purpose.buy and granted.pause is not None:  # the one purchase that a pause is tried with
        granted = replace(granted, pause=granted.pause.made(now, dice))
    return granted, Granted(permit.token, is_probe)


def _objection(
    connection: Connection, limits: Limits, purpose: Purpose, holder: str, now: Micros
) -> Later | Refused | None:
    """Say what stands against any call for this purpose, whatever the rate."""
    state = connection.breaker.state(now)
    is_stopped = limits.stops_all or purpose is Purpose.buy
    if is_stopped and connection.pause is not None and not connection.pause.lets_call(now):
        return Refused("paused")
    if state == "open":
        return Refused("breaker_open", connection.breaker.open_until)
    if state in _PROBED and purpose is Purpose.buy:
        return Refused("breaker_open", Micros(now + _POLL))
    if connection.not_before > now:
        return Later(connection.not_before, is_certain=True)
    if state in _PROBED and any(one.is_probe for one in connection.held):
        return Later(Micros(now + _POLL))
    if (first := connection.first_in_line) is not None and first.is_before(purpose, holder):
        return Later(min(first.until, Micros(now + _POLL)))
    return None


def _has_place(connection: Connection, limits: Limits, *, is_patient: bool) -> bool:
    """Say whether one more call may run now; who is patient leaves one place to others, where there are several."""
    patient = sum(one.is_patient for one in connection.held)
    return len(connection.held) < limits.at_once and not (is_patient and patient >= limits.patient_at_once)


def _full(connection: Connection, purpose: Purpose, holder: str, now: Micros) -> tuple[Connection, Answer]:
    """Say when a place may be free. Who could not get one is first in line, and a purchase before a read."""
    soonest = min(*(one.until for one in connection.held), Micros(now + _POLL))
    waiting = Waiting(purpose, holder, Micros(now + _KEPT))
    return replace(connection, first_in_line=waiting), Later(soonest)
