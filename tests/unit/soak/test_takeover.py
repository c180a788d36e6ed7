"""What a process that was killed leaves in hand, and when that lies about no more, on both databases."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest

from tests.faults.books import Books
from tests.soak.takeover import Kind, Remains, Takeover, lying

NOW = 1_000_000_000
EARLIER, LATER = NOW - 1, NOW + 1
DEAD, OTHER = "here-4-0a1b2c3d", "here-45-0a1b2c3d"


@pytest.fixture(params=["sqlite", "postgres"])
def books(request: pytest.FixtureRequest) -> Books:
    """A database with the present schema and nothing in it."""
    if request.param == "sqlite":
        return Books(f"sqlite:///{request.getfixturevalue('migrated_sqlite')}")
    return Books(request.getfixturevalue("migrated_postgres_url"))


def write(books: Books, *statements: str) -> None:
    """Change it behind everybody's back."""
    if books.is_file:
        with closing(sqlite3.connect(books.url.removeprefix("sqlite:///"))) as file:
            file.executescript("; ".join(statements))
        return
    with psycopg.connect(books.url, autocommit=True) as server:
        server.execute("; ".join(statements))


def left(books: Books) -> list[tuple[Kind, str]]:
    return sorted(lying(books, "here-4-", NOW))


def lease(name: str, holder: str, until: int = EARLIER) -> str:
    return f"INSERT INTO leases (name, holder, token, expires_at) VALUES ('{name}', '{holder}', 1, {until})"


def test_a_lease_lies_about_until_another_process_has_it(books: Books) -> None:
    names = ("relay/7", "reconcile/4821", "retention", f"relay@{DEAD}")
    write(books, *(lease(name, DEAD) for name in names), lease("relay/8", OTHER))
    assert left(books) == [(Kind.accounts, "reconcile/4821"), (Kind.events, "relay/7")]
    write(books, f"UPDATE leases SET holder = '{OTHER}' WHERE name = 'relay/7'")
    assert left(books) == [(Kind.accounts, "reconcile/4821")]


def command(state: str, holder: str, until: int) -> str:
    return (
        "INSERT INTO commands (operation, id, body_sha256, given_by, submitted_at, deadline, state, holder, held_until)"
        f" VALUES ('dead.redrive', 'c', '', 'cli', 1, 1, '{state}', {holder}, {until})"
    )


@pytest.mark.parametrize(
    ("state", "holder", "until", "lies"),
    [
        ("running", f"'{DEAD}'", LATER, True),
        ("running", f"'{DEAD}'", EARLIER, True),  # nobody took it yet
        ("running", f"'{OTHER}'", LATER, False),
        ("running", "NULL", EARLIER, False),  # it was given back
        ("done", f"'{DEAD}'", 0, False),
        ("withdrawn", f"'{DEAD}'", LATER, False),
    ],
)
def test_a_command_lies_about_until_another_process_has_it_or_it_ends(
    books: Books, state: str, holder: str, until: int, lies: bool
) -> None:
    write(books, command(state, holder, until))
    assert left(books) == ([(Kind.commands, "dead.redrive c")] if lies else [])


def purchase(state: str, holder: str, held_until: int, due_at: int, answer: str) -> str:
    return (
        "INSERT INTO purchases"
        " (organization, shipment, state, holder, held_until, due_at, answer, deadline, updated_at)"
        f" VALUES (4821, 17, '{state}', '{holder}', {held_until}, {due_at}, {answer}, {LATER}, 1)"
    )


@pytest.mark.parametrize(
    ("row", "lies"),
    [
        (("intended", DEAD, LATER, EARLIER, "NULL"), True),
        (("intended", DEAD, EARLIER, EARLIER, "NULL"), True),  # nobody took it yet
        (("doubt", DEAD, EARLIER, EARLIER, "'lost'"), True),
        (("doubt", DEAD, EARLIER, EARLIER, "NULL"), True),
        (("doubt", DEAD, EARLIER, LATER, "'lost'"), False),  # nobody has to look at it yet
        (("doubt", DEAD, LATER, LATER, "'lost'"), True),  # not due either, but nobody else could take it
        (("doubt", DEAD, 0, EARLIER, "'lost'"), False),  # it was let go before the kill
        (("doubt", OTHER, LATER, EARLIER, "'lost'"), False),
        (("doubt", DEAD, LATER, EARLIER, "'accepted'"), True),
        (("doubt", DEAD, EARLIER, EARLIER, "'accepted'"), False),  # it stands in line
        (("doubt", DEAD, EARLIER, EARLIER, "'refused'"), False),
        (("wanted", DEAD, LATER, EARLIER, "NULL"), True),
        (("wanted", DEAD, EARLIER, EARLIER, "NULL"), False),
        (("succeeded", DEAD, 0, EARLIER, "NULL"), False),
        (("held", DEAD, LATER, EARLIER, "NULL"), False),  # somebody looked at what has ended
    ],
)
def test_a_purchase_lies_about_until_another_process_has_it_or_nobody_has_to(
    books: Books, row: tuple[str, str, int, int, str], lies: bool
) -> None:
    write(books, purchase(*row))
    assert left(books) == ([(Kind.purchases, "4821/17")] if lies else [])


EVENTS, MORE, COMMAND = (Kind.events, "relay/1"), (Kind.events, "relay/2"), (Kind.commands, "dead.redrive c")


def test_a_kind_is_taken_over_when_the_last_of_it_is() -> None:
    remains = Remains(100.0, [EVENTS, MORE, COMMAND])
    assert remains.look(107.0, {EVENTS, COMMAND}) == []
    assert remains.look(108.0, {EVENTS}) == [Takeover(100.0, 8.0, Kind.commands)]
    assert remains.look(109.0, set()) == [Takeover(100.0, 9.0, Kind.events)]
    assert not remains


def test_what_nobody_had_to_take_once_is_not_late_when_it_is_due_later() -> None:
    remains = Remains(100.0, [EVENTS, COMMAND])
    assert remains.look(108.0, {EVENTS}) == [Takeover(100.0, 8.0, Kind.commands)]
    assert remains.look(115.0, {COMMAND}) == [Takeover(100.0, 15.0, Kind.events)]
    assert not remains


def test_what_nobody_takes_is_late_by_all_the_time_it_was_watched() -> None:
    remains = Remains(100.0, [EVENTS, MORE, COMMAND])
    assert remains.give_up(160.0) == [Takeover(100.0, 60.0, Kind.commands), Takeover(100.0, 60.0, Kind.events)]
    assert Remains(100.0, []).give_up(160.0) == []
