"""Ordered SQL files bring the schema up to date: expand first, contract a version later, never both at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from bridge.errors import SchemaOutdated, StoreConflict
from bridge.store.database import Dialect, Transaction


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `0001_spine.sql` is number 1."""

    number: int
    name: str
    statements: tuple[str, ...]


def migrations(dialect: Dialect) -> list[Migration]:
    """Read the files of one dialect, in order."""
    folder = resources.files(__package__).joinpath("migrations", dialect)
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [_migration(file.name, file.read_text(encoding="utf-8")) for file in files]


def _migration(name: str, text: str) -> Migration:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    statements = tuple(part.strip() for part in "\n".join(lines).split(";") if part.strip())
    return Migration(int(name.split("_", 1)[0]), name.removesuffix(".sql"), statements)


def applied(transaction: Transaction) -> int:
    """Say up to which number the schema is; 0 for an empty database."""
    transaction.run("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    return int(transaction.run("SELECT coalesce(max(number), 0) FROM migrations")[0][0])


def migrate(transaction: Transaction, files: Sequence[Migration] | None = None) -> list[str]:
    """Apply what is missing of these files, or of all there are, in one transaction, and name it."""
    done = applied(transaction)
    known = migrations(transaction.dialect) if files is None else files
    missing = [migration for migration in known if migration.number > done]
    for migration in missing:
        _apply(transaction, migration)
    return [migration.name for migration in missing]


def _apply(transaction: Transaction, migration: Migration) -> None:
    for statement in migration.statements:
        try:
            transaction.run(statement)
        except StoreConflict as error:
            raise StoreConflict(f"{migration.name}, {statement.splitlines()[0]}: {error}") from error
    transaction.run("INSERT INTO migrations VALUES (?, ?)", (migration.number, migration.name))


def require_current(transaction: Transaction) -> None:
    """Refuse a schema that lacks migrations. A newer one is fine: versions run against the next one's schema."""
    rows = transaction.run("SELECT name FROM migrations") if has_table(transaction, "migrations") else []
    names = {row[0] for row in rows}
    missing = [migration.name for migration in migrations(transaction.dialect) if migration.name not in names]
    if missing:
        raise SchemaOutdated(f"the database lacks {', '.join(missing)}: run `bridge migrate`")


_THERE: Final[dict[Dialect, str]] = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE name = ?",
    "postgres": "SELECT to_regclass(?) IS NOT NULL",
}


def has_table(transaction: Transaction, name: str) -> bool:
    """Say whether a migration, of whatever age, has made this table."""
    return bool(transaction.run(_THERE[transaction.dialect], (name,))[0][0])
