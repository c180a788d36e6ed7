"""What is compared in the end; every check names what stands against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bridge.demo.summary import Check
from tests.faults.books import Books, broken_identities
from tests.soak.breaking import Breaking
from tests.soak.fleet import Replica
from tests.soak.follower import Follower
from tests.soak.logs import Reading
from tests.soak.script import BROKER, DATABASE
from tests.soak.strangers import Tally
from tests.soak.takeover import Kind, Takeover
from tests.soak.traffic import Traffic
from tests.support.bridge import ORGANIZATION

MOST_MIB: Final = 300
MOST_TAKEOVER_S: Final = 10.0
RECOVERS_S: Final = 15.0
"""For so long after the database was away a request may still be told that it is: it waited meanwhile."""
MOST_PARKED: Final = 10_000
MOST_PARKED_BYTES: Final = 256 * 1024 * 1024
_ANSWERS: Final = frozenset({"200", "503"})


def acknowledged(books: Books, traffic: Traffic, tally: Tally) -> list[Check]:
    """Whatever was acknowledged is in the database, with a verdict."""
    judged = {bytes.fromhex(row[0]) for row in books.rows("SELECT id FROM deliveries WHERE state <> 0")}
    ours = books.count(f"deliveries WHERE organization = {ORGANIZATION}")
    accepted = books.rows(f"SELECT sum(n) FROM tallies WHERE organization = {ORGANIZATION} AND name = 'accepted'")[0][0]
    return [
        Check("every acknowledged webhook is in the database with a verdict", _missing(traffic.kept - judged)),
        Check("so is every stranger's input that was accepted", _missing(tally.kept - judged)),
        Check(
            "as many are there, and were counted, as were sent",
            _unequal({"sent": traffic.different, "in the database": ours, "counted": int(accepted or 0)}),
        ),
        Check("no webhook was answered anything but 200 and 503", _odd_answers(traffic)),
    ]


def database(books: Books) -> list[Check]:
    """The database agrees with itself, and what is kept of strangers is bounded."""
    rows, size = books.rows("SELECT count(*), coalesce(sum(kept), 0) FROM parked")[0]
    broken = tuple(f"{number} {name}" for name, number in broken_identities(books).items())
    parked = [f"{rows} rows"] if rows > MOST_PARKED else []
    parked += [f"{size} bytes"] if size > MOST_PARKED_BYTES else []
    return [
        Check("facts, events, numbers and publishes agree with each other", broken),
        Check(f"no more than {MOST_PARKED:,} inputs are kept parked, nor 256 MiB", tuple(parked)),
    ]


def consumer(books: Books, follower: Follower, traffic: Traffic) -> list[Check]:
    """After dropping repeats by id the consumer has each event once, in sequence; and knows what there is to know."""
    recorded = [row[0] for row in books.rows("SELECT id FROM events")]
    lost = [event for event in recorded if not follower.has(event)]
    wrong = (traffic.expected - follower.learned) + (follower.learned - traffic.expected)
    return [
        Check("every event came to the consumer", tuple(f"event {event} did not" for event in lost)),
        Check("and none that is not in the database", _unequal({"recorded": len(recorded), "came": follower.events})),
        Check("in sequence and without a gap per subject", tuple(follower.problems)),
        Check("it learned each shipment's life, once", tuple(" ".join(fact) for fact in wrong)),
    ]


def processes(replicas: Sequence[Replica], reading: Reading) -> list[Check]:
    """The bridges lived, and ended, as they should."""
    fat = [f"{one.name} had {one.most_mib:.0f} MiB" for one in replicas if one.most_mib > MOST_MIB]
    return [
        Check(f"no bridge had more than {MOST_MIB} MiB", tuple(fat)),
        Check("none ended by itself, or late, or badly", tuple(told for one in replicas for told in one.problems)),
        Check("no defect, no secret and no person stands in a log", tuple(reading.problems)),
    ]


def strangers(tally: Tally, breaking: Breaking) -> list[Check]:
    """Whatever strangers sent was answered as the contract says."""
    told = tuple(f"input {number} was" for number in unexplained(tally, breaking))
    return [
        Check("every bad input was answered as documented", tuple(tally.problems)),
        Check("nobody was told that the database is away while it was there", told),
    ]


def takeovers(measured: Sequence[Takeover], breaking: Breaking) -> list[Check]:
    """Others had a killed process's work in time: a check for each kind of work that was measured."""
    taken = by_kind(undisturbed(measured, breaking))
    return [
        Check(
            f"the work of a killed bridge was taken over within {MOST_TAKEOVER_S:g} s: {kind}",
            tuple(f"one took {seconds:.1f} s" for seconds in found if seconds > MOST_TAKEOVER_S),
        )
        for kind, found in taken.items()
    ]


def by_kind(measured: Iterable[Takeover]) -> dict[Kind, list[float]]:
    """Give how long each takeover took, by the kind of work."""
    found = dict[Kind, list[float]]()
    for one in measured:
        found.setdefault(one.kind, []).append(one.seconds)
    return found


def undisturbed(measured: Iterable[Takeover], breaking: Breaking) -> list[Takeover]:
    """Leave out those during which the database was away, too; of events also the broker: nobody can publish then."""
    return [
        one
        for one in measured
        if not any(
            began < one.at + one.seconds and one.at < ended
            for victim in ((DATABASE, BROKER) if one.kind is Kind.events else (DATABASE,))
            for began, ended in breaking.troubles.get(victim, [])
        )
    ]


def unexplained(tally: Tally, breaking: Breaking) -> list[int]:
    """Name the inputs that were told, elsewhere than on webhook routes, that a database is away that was there."""
    troubles = [when for victim, some in breaking.troubles.items() if victim != BROKER for when in some]
    return [
        number
        for at, number in tally.unavailable
        if not any(began < at < ended + RECOVERS_S for began, ended in troubles)
    ]


def _missing(ids: set[bytes]) -> tuple[str, ...]:
    return tuple(f"{one.hex()} is not" for one in sorted(ids))


def _unequal(numbers: dict[str, int]) -> tuple[str, ...]:
    told = ", ".join(f"{number:,} {name}" for name, number in numbers.items())
    return () if len(set(numbers.values())) == 1 else (told,)


def _odd_answers(traffic: Traffic) -> tuple[str, ...]:
    statuses = {name: times for name, times in traffic.failures.items() if name.isdigit() and name not in _ANSWERS}
    return tuple(f"{times} × {status}" for status, times in statuses.items())
