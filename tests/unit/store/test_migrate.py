"""The schema: made once, refused where it is older than the code, accepted where it is newer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, get_args

import pytest

from bridge.errors import SchemaOutdated
from bridge.store.database import Dialect
from bridge.store.migrate import Migration, applied, migrate, migrations, require_current
from bridge.store.sqlite import SqliteTransaction, connect

ALL = [migration.name for migration in migrations("sqlite")]
DIALECTS: Final[Sequence[Dialect]] = get_args(Dialect)
STILL_CHANGING: Final = 20
"""The last file that is not held to the rule: before the first release files may still change."""
CONTRACTS: Final[dict[str, str]] = {}
"""Files that take away what nobody uses any more, by name, with the version that stopped using it: the one before."""


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


# --- expand, then contract --------------------------------------------------------------------------------------------

_NEW_COLUMN: Final = r"ADD (?:COLUMN )?(?:IF NOT EXISTS )?(?!CONSTRAINT |CHECK\b|UNIQUE\b|PRIMARY |FOREIGN )"
_FORBIDDEN: Final = {
    r"DROP\b": "drops something",
    r"RENAME\b": "renames something",
    r"ALTER (?:COLUMN )?(?!TABLE |COLUMN )\S+ (?:SET DATA )?TYPE\b": "changes a column's type",
    r"SET NOT NULL\b": "forbids NULL where it was allowed",
    rf"{_NEW_COLUMN}(?!.*\bDEFAULT (?!NULL\b)).*\bNOT NULL\b": "adds a column that has to be filled",
}


def taken_away(statement: str) -> list[str]:
    """Say what the version before could not live with."""
    plain = re.sub(r"--[^\n]*", " ", re.sub(r"'(?:[^']|'')*'", "''", statement))
    words = " ".join(plain.upper().split())
    while (inner := re.sub(r"\([^()]*\)", "", words)) != words:  # so that commas part what is done to a table
        words = inner
    actions = words.split(",") if words.startswith("ALTER TABLE") else [words]
    return [told for form, told in _FORBIDDEN.items() if any(re.search(rf"\b{form}", one) for one in actions)]


def contracting(files: Sequence[Migration], after: int) -> list[str]:
    """Name what files beyond a number take away."""
    return [
        f"{file.name} {told}: {statement}"
        for file in files
        if file.number > after and file.name not in CONTRACTS
        for statement in file.statements
        for told in taken_away(statement)
    ]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_file_takes_nothing_away_that_the_version_before_uses(dialect: Dialect) -> None:
    found = contracting(migrations(dialect), STILL_CHANGING)
    assert not found, (
        "the version before runs on this schema, too, so a file only adds what that one can live with"
        " (docs/decisions/0001-migrations-as-sql-files.md):\n" + "\n".join(found)
    )


def test_files_that_take_something_away_are_found_by_name() -> None:
    """Seen with the early ones, which did."""
    found = "\n".join(contracting(migrations("postgres"), 0))
    assert "0005_retention drops something: DROP INDEX events_of_subject" in found
    assert "0006_counters drops something: DROP TABLE tallies" in found


@pytest.mark.parametrize("dialect", DIALECTS)
def test_both_databases_have_the_same_files(dialect: Dialect) -> None:
    assert [migration.name for migration in migrations(dialect)] == ALL


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DROP TABLE returns", "drops something"),
        ("drop index if exists returns_due", "drops something"),
        ("ALTER TABLE returns\n  DROP COLUMN due_at", "drops something"),
        ("ALTER TABLE returns ALTER COLUMN due_at DROP DEFAULT", "drops something"),
        ("ALTER TABLE returns RENAME TO sent_back", "renames something"),
        ("ALTER TABLE returns RENAME COLUMN due_at TO due", "renames something"),
        ("ALTER INDEX returns_due RENAME TO returns_late", "renames something"),
        ("ALTER TABLE returns ALTER COLUMN due_at TYPE TEXT", "changes a column's type"),
        ("ALTER TABLE returns ALTER due_at TYPE TEXT USING due_at::text", "changes a column's type"),
        ('ALTER TABLE returns ALTER COLUMN "due_at" SET DATA TYPE TEXT', "changes a column's type"),
        ("ALTER TABLE returns ALTER COLUMN due_at SET NOT NULL", "forbids NULL where it was allowed"),
        ("ALTER TABLE returns ADD COLUMN size BIGINT NOT NULL", "adds a column that has to be filled"),
        ("ALTER TABLE returns ADD size BIGINT NOT NULL", "adds a column that has to be filled"),
        (
            "ALTER TABLE returns ADD COLUMN IF NOT EXISTS size BIGINT NOT NULL",
            "adds a column that has to be filled",
        ),
        (
            "ALTER TABLE returns ADD COLUMN size BIGINT NOT NULL DEFAULT NULL",
            "adds a column that has to be filled",
        ),
        (
            "ALTER TABLE returns ADD COLUMN price NUMERIC(8, 2) NOT NULL, ADD COLUMN size BIGINT NOT NULL DEFAULT 0",
            "adds a column that has to be filled",
        ),
    ],
)
def test_what_takes_something_away_is_recognised(statement: str, told: str) -> None:
    assert taken_away(statement) == [told]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE drops (id BIGINT NOT NULL PRIMARY KEY, type TEXT NOT NULL)",
        "CREATE INDEX returns_due ON returns (connection, due_at) WHERE due_at IS NOT NULL",
        "ALTER TABLE returns ADD COLUMN due_at BIGINT",
        "ALTER TABLE returns ADD COLUMN type TEXT",
        "ALTER TABLE returns ADD COLUMN IF NOT EXISTS size BIGINT",
        "ALTER TABLE returns ADD COLUMN size BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE returns ADD COLUMN size BIGINT DEFAULT 0 NOT NULL",
        "ALTER TABLE returns ADD COLUMN hint TEXT NOT NULL DEFAULT 'DROP, or RENAME'",
        "ALTER TABLE returns ADD COLUMN size BIGINT, -- DROP comes later\n  ADD COLUMN kind TEXT",
        "ALTER TABLE returns ALTER COLUMN type SET DEFAULT 'parcel'",
        "ALTER TABLE returns SET (autovacuum_vacuum_scale_factor = 0.02)",
        "UPDATE returns SET due_at = 0 WHERE due_at IS NOT NULL",
    ],
)
def test_what_only_adds_is_left_alone(statement: str) -> None:
    assert taken_away(statement) == []
