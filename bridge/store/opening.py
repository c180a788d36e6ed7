"""Which database the settings name: the one place that knows both kinds."""

from __future__ import annotations

from bridge.errors import StoreUnavailable
from bridge.settings import Database as DatabaseSettings
from bridge.store.database import ManagedDatabase


def database(settings: DatabaseSettings) -> ManagedDatabase:
    """Give the database, not opened yet. The driver that is not needed is not imported."""
    if settings.path is None:
        from bridge.store.postgres import PostgresDatabase

        return PostgresDatabase(settings.url)
    from bridge.store.sqlite import SqliteDatabase

    return SqliteDatabase(settings.path)


def existing(settings: DatabaseSettings) -> ManagedDatabase:
    """Give a database that a bridge has made, for reading. Raises StoreUnavailable where there is none."""
    if settings.path is not None and not settings.path.exists():
        raise StoreUnavailable("there is no database yet: has `bridge serve` run with these settings?")
    return database(settings)
