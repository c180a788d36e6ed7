"""The same on PostgreSQL: every behaviour to its end, and some with a process struck wherever it can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import structlog

from bridge.nodes.postgres import PostgresNode
from tests.unit.purchasing.behaviours import BEHAVIOURS, OF_MANY, Behaviour
from tests.unit.purchasing.disks import PostgresDisk
from tests.unit.purchasing.playing import dies, places, stands_still, undisturbed

PLAYED: Counter[str] = Counter()
ALL = [*(pytest.param(one, id=name) for name, one in BEHAVIOURS.items())]
ALL += [*(pytest.param(one, id=f"many, {name}") for name, one in OF_MANY.items())]
DYING = ("plain", "429", "502 before the effect", "somebody faster", "unavailable", "expired")
STANDING_STILL = ("plain", "429", "unavailable", "expired")
DYING_OF_MANY = ("plain", "one is named", "429")


@pytest.fixture(scope="module")
def made(postgres: PostgresNode) -> Iterator[PostgresDisk]:
    disk = PostgresDisk.made(postgres.create_database("crash_points"))
    yield disk
    disk.end()


@pytest.fixture
def disk(made: PostgresDisk) -> Iterator[PostgresDisk]:
    """An empty database, and no log lines in the report."""
    with structlog.testing.capture_logs():
        yield made.emptied()


@pytest.mark.parametrize("behaviour", ALL)
def test_it_ends_as_it_should_when_nobody_is_struck(behaviour: Behaviour, disk: PostgresDisk) -> None:
    undisturbed(behaviour, disk)
    PLAYED["undisturbed"] += 1


@pytest.mark.parametrize("name", DYING)
def test_a_process_dies_at_any_place(name: str, disk: PostgresDisk) -> None:
    for at in places(BEHAVIOURS[name], every=name == "plain", disk=disk):
        dies(BEHAVIOURS[name], at, disk=disk.emptied())
        PLAYED["died"] += 1


@pytest.mark.parametrize("name", STANDING_STILL)
def test_a_process_stands_still_at_any_place_while_another_works(name: str, disk: PostgresDisk) -> None:
    for at in places(BEHAVIOURS[name], freeze=True, every=name == "plain", disk=disk):
        stands_still(BEHAVIOURS[name], at, disk=disk.emptied())
        PLAYED["stood still"] += 1


@pytest.mark.parametrize("name", DYING_OF_MANY)
def test_a_process_that_buys_many_dies_at_any_place(name: str, disk: PostgresDisk) -> None:
    for at in places(OF_MANY[name], disk=disk):
        dies(OF_MANY[name], at, disk=disk.emptied())
        PLAYED["many, died"] += 1


def test_a_process_that_buys_many_stands_still_at_any_place_while_another_works(disk: PostgresDisk) -> None:
    for at in places(OF_MANY["one is named"], freeze=True, disk=disk):
        stands_still(OF_MANY["one is named"], at, disk=disk.emptied())
        PLAYED["many, stood still"] += 1


def test_how_many_cases_that_were(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{PLAYED.total()} purchases on PostgreSQL: {dict(PLAYED)}")
