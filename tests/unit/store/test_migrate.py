"""The schema: made once, refused where it is older than the code, accepted where it is newer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.errors import SchemaOutdated
from bridge.store.migrate import applied, migrate, migrations, require_current
from bridge.store.sqlite import SqliteTransaction, connect

ALL = [migration.name for migration in migrations("sqlite")]


@pytest.fixture
def transaction(tmp_path: Path) -> Iterator[SqliteTransaction]:
    connection = connect(tmp_path / "bridge.db")
    connection.execute("BEGIN")
    yield SqliteTransaction(connection)
    connection.close()


def test_an_empty_database_gets_everything_once(transaction: SqliteTransaction) -> None:
    assert migrate(transaction) == ALL
    schema = transaction.run("SELECT sql FROM sqlite_master ORDER BY name")
    assert migrate(transaction) == []
    assert transaction.run("SELECT sql FROM sqlite_master ORDER BY name") == schema
    require_current(transaction)
    assert applied(transaction) == len(ALL)


def test_numbers_are_in_order_and_without_gap() -> None:
    assert [migration.number for migration in migrations("sqlite")] == list(range(1, len(ALL) + 1))


def test_an_empty_database_is_the_oldest_of_all(transaction: SqliteTransaction) -> None:
    with pytest.raises(SchemaOutdated, match="run `bridge migrate`") as caught:
        require_current(transaction)
    assert all(name in str(caught.value) for name in ALL)


def test_a_database_that_lacks_a_migration_is_refused_by_its_name(transaction: SqliteTransaction) -> None:
    migrate(transaction)
    transaction.run("DELETE FROM migrations WHERE name = ?", (ALL[0],))
    with pytest.raises(SchemaOutdated, match=ALL[0]):
        require_current(transaction)


def test_a_database_of_the_next_version_is_accepted_and_left_alone(transaction: SqliteTransaction) -> None:
    migrate(transaction)
    transaction.run("INSERT INTO migrations VALUES (9999, '9999_from_the_future')")
    require_current(transaction)
    assert migrate(transaction) == []
