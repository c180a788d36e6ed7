"""Real brokers and databases for tests, started once per worker; a fresh virtual host or database for each test."""

import asyncio
import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bridge.nodes.postgres import PostgresNode, find_postgres
from bridge.nodes.rabbitmq import RabbitNode, find_rabbitmq
from bridge.store.database import ManagedDatabase
from bridge.store.migrate import migrate
from bridge.store.postgres import PostgresDatabase
from bridge.store.sqlite import SqliteDatabase

MISSING = "{} not found: run the tests by ./dev test, which finds or installs it"
VHOSTS_AT_ONCE = 20


class Vhosts:
    """Hands out virtual hosts that nobody has used; makes a new batch when they are out."""

    def __init__(self, node: RabbitNode) -> None:
        self._node = node
        self._fresh: list[str] = []
        self._batches = itertools.count(1)

    def take(self) -> str:
        """Give the URL of an empty virtual host."""
        if not self._fresh:
            batch = next(self._batches)
            self._fresh = [f"test-{batch}-{number}" for number in range(VHOSTS_AT_ONCE)]
            self._node.add_vhosts(self._fresh)
        return self._node.vhost_url(self._fresh.pop())


@pytest.fixture(scope="session")
def rabbit() -> Iterator[RabbitNode]:
    """The worker's broker, shared; never stop it."""
    _need_rabbitmq()
    with RabbitNode() as node:
        yield node


@pytest.fixture(scope="session")
def vhosts(rabbit: RabbitNode) -> Vhosts:
    """Virtual hosts of the worker's broker, for tests that need several."""
    return Vhosts(rabbit)


@pytest.fixture
def amqp_url(vhosts: Vhosts) -> str:
    """A virtual host of its own on the shared broker."""
    return vhosts.take()


@pytest.fixture
def own_rabbit() -> Iterator[RabbitNode]:
    """A private broker, for tests that stop, freeze or kill it."""
    _need_rabbitmq()
    with RabbitNode() as node:
        yield node


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresNode]:
    """The worker's database server, shared; never stop it."""
    _need_postgres()
    with PostgresNode(fast=True) as node:
        yield node


@pytest.fixture(scope="session")
def _database_numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture
def postgres_url(postgres: PostgresNode, _database_numbers: Iterator[int]) -> str:
    """An empty database of its own on the shared server."""
    return postgres.create_database(f"test_{next(_database_numbers)}")


@pytest.fixture
def another_postgres_url(postgres: PostgresNode, _database_numbers: Iterator[int]) -> str:
    """A second empty database, for tests that compare two."""
    return postgres.create_database(f"test_{next(_database_numbers)}")


@pytest.fixture(scope="session")
def _migrated_postgres(postgres: PostgresNode) -> str:
    """The name of a database with the present schema, to make others from."""
    asyncio.run(_migrate(PostgresDatabase(SecretStr(postgres.create_database("migrated")))))
    return "migrated"


@pytest.fixture
def new_postgres(
    postgres: PostgresNode, _migrated_postgres: str, _database_numbers: Iterator[int]
) -> Callable[[], ManagedDatabase]:
    """What gives databases with the present schema, each its own: to copy one takes less than to migrate one."""

    def made() -> ManagedDatabase:
        url = postgres.create_database(f"test_{next(_database_numbers)}", _migrated_postgres)
        return PostgresDatabase(SecretStr(url))

    return made


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the present schema, to copy."""
    path = tmp_path_factory.mktemp("migrated") / "bridge.db"
    asyncio.run(_migrate(SqliteDatabase(path)))
    return path


@pytest.fixture
def new_sqlite(_migrated_sqlite: Path, tmp_path: Path) -> Callable[[], ManagedDatabase]:
    """The same for files."""
    numbers = itertools.count(1)
    return lambda: SqliteDatabase(Path(shutil.copy(_migrated_sqlite, tmp_path / f"bridge-{next(numbers)}.db")))


async def _migrate(database: ManagedDatabase) -> None:
    await database.open()
    await database.rebuild(migrate)
    await database.close()


@pytest.fixture
def own_postgres() -> Iterator[PostgresNode]:
    """A private database server that syncs to disk, for tests that stop, freeze or kill it."""
    _need_postgres()
    with PostgresNode() as node:
        yield node


def _need_rabbitmq() -> None:
    if find_rabbitmq() is None:
        pytest.fail(MISSING.format("RabbitMQ"), pytrace=False)


def _need_postgres() -> None:
    if find_postgres() is None:
        pytest.fail(MISSING.format("PostgreSQL"), pytrace=False)
