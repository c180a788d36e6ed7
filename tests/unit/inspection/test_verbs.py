"""The questions of an operator: how they are asked, and how the answer ends."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest

from bridge.inspection.audit import Progress
from tests.unit.test_cli import bridge, settings

__all__ = ["settings"]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def migrated(settings: dict[str, str], migrated_sqlite: Path) -> dict[str, str]:
    """Settings whose database is there, and empty."""
    return settings | {"BRIDGE_DATABASE_URL": f"sqlite:///{migrated_sqlite}"}


WRONG = [
    ("audit", "--since", "yesterday"),
    ("why",),
    ("why", "3900000017"),
    ("why", "shipment/"),
    ("why", "shipment/1; drop"),
    ("why", "shipment/1/2"),
    ("why", "shipment/1", "--organization", "x"),
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], migrated: dict[str, str]) -> None:
    ran = bridge(*arguments, environ=migrated)
    assert (ran.code, ran.out, "Traceback" in ran.err) == (2, "", False)


@pytest.mark.parametrize("arguments", [("audit",), ("why", "shipment/1")], ids=" ".join)
def test_without_a_database_it_says_what_is_missing(arguments: tuple[str, ...], settings: dict[str, str]) -> None:
    ran = bridge(*arguments, environ=settings)
    assert (ran.code, ran.out) == (1, "")
    assert "bridge serve" in ran.err


def test_an_old_schema_is_refused_by_name(migrated: dict[str, str], tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "bridge.db") as connection:
        connection.execute("DELETE FROM migrations WHERE name = '0005_retention'")
    connection.close()
    ran = bridge("audit", environ=migrated)
    assert (ran.code, ran.out) == (1, "")
    assert "0005_retention" in ran.err


def test_the_books_of_a_new_bridge_are_balanced(migrated: dict[str, str]) -> None:
    ran = bridge("audit", environ=migrated)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("Balanced.\n")
    assert "no broker was ever configured" in ran.out


def test_a_subject_nobody_knows_ends_with_1(migrated: dict[str, str]) -> None:
    ran = bridge("why", "shipment/1", environ=migrated)
    assert (ran.code, ran.out, ran.err) == (1, "", "bridge why: nothing is known of shipment/1\n")


def test_a_subject_of_several_organizations_has_to_be_told_apart(migrated: dict[str, str], tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "bridge.db") as connection:
        for organization in (4821, 4822):
            connection.execute(
                "INSERT INTO subjects (source, name, partition) VALUES (?, 'shipment/1', 1)",
                (f"/shipx/{organization}",),
            )
    connection.close()
    several = bridge("why", "shipment/1", environ=migrated)
    assert (several.code, several.out) == (2, "")
    assert "/shipx/4821, /shipx/4822" in several.err
    one = bridge("why", "shipment/1", "--organization", "4822", "--json", environ=migrated)
    assert (one.code, json.loads(one.out)["source"]) == (0, "/shipx/4822")
    none = bridge("why", "shipment/1", "--organization", "4823", environ=migrated)
    assert (none.code, none.err) == (1, "bridge why: nothing is known of shipment/1 of organization 4823\n")
    shown = bridge("shipments", "show", "1", environ=migrated)
    assert (shown.code, "one of 4821, 4822" in shown.err) == (2, True)
    assert bridge("shipments", "show", "1", "--organization", "4822", environ=migrated).code == 0
    assert bridge("shipments", "show", "1", "--organization", "4823", environ=migrated).code == 1


_ORDERS = "dispatch_orders (organization, id, state, statuses, known_since, news_at, read_at)"
OF_SEVERAL = [
    # the noun, the columns that a row needs, the values behind the first two
    ("purchases", "purchases (organization, shipment, state, deadline, due_at, updated_at)", "'held', 1, 1, 1"),
    ("dispatch", _ORDERS, "'created', '[]', 1, 1, 1"),
]


@pytest.mark.parametrize(("noun", "columns", "values"), OF_SEVERAL, ids=[row[0] for row in OF_SEVERAL])
def test_what_several_organizations_have_is_shown_when_it_is_said_whose(
    noun: str, columns: str, values: str, migrated: dict[str, str], tmp_path: Path
) -> None:
    assert bridge(noun, "show", "1", environ=migrated).code == 1
    with sqlite3.connect(tmp_path / "bridge.db") as connection:
        for organization in (4821, 4822):
            connection.execute(f"INSERT INTO {columns} VALUES ({organization}, 1, {values})")
    connection.close()
    ran = bridge(noun, "show", "1", environ=migrated)
    assert (ran.code, "one of 4821, 4822" in ran.err) == (2, True)


def test_why_tells_of_a_connection(migrated: dict[str, str], tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "bridge.db") as connection:
        connection.execute(
            "INSERT INTO subjects (source, name, partition) VALUES ('/shipx/4821', 'connection/shipx/4821', 1)"
        )
    connection.close()
    ran = bridge("why", "connection/shipx/4821", "--json", environ=migrated)
    assert (ran.code, json.loads(ran.out)["subject"]) == (0, "connection/shipx/4821")


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal_and_nothing_elsewhere() -> None:
    for stream, shown in ((Terminal(), ["audit: subjects 50%", "audit: subjects 100%"]), (StringIO(), [])):
        progress = Progress(stream)
        for share in (0.5, 0.501, 1):
            progress.show("subjects", share)
        progress.end()
        assert [line for line in stream.getvalue().split("\r\x1b[K") if line] == shown
