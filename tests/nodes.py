"""Real brokers and databases for tests, started once per worker; a fresh virtual host or database for each test."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aio_pika
import psycopg
import pytest
from pydantic import SecretStr

from bridge.nodes.postgres import PostgresNode, find_postgres
from bridge.nodes.rabbitmq import RabbitNode, find_rabbitmq
from bridge.store.migrate import migrate
from bridge.store.postgres import PostgresDatabase
from tests.support.migrated import migrated

MISSING = "{} not found: run the tests by ./dev test, which finds or installs it"
VHOSTS_AT_ONCE = 20
LEFT_S = 2.0
"""How long the server may take to notice that a process was killed."""
POLL_S = 0.01
VHOST_S = 60.0
"""How long the last of a batch may take to answer: right after their making, longer than a bridge would wait."""


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
            _apart(_answers(self._node.vhost_url(self._fresh[-1])))
        return self._node.vhost_url(self._fresh.pop())


class SharedRabbit:
    """The worker's broker as one test has it: in a virtual host of its own, and frozen for no longer than the test."""

    def __init__(self, node: RabbitNode, url: str) -> None:
        self._node = node
        self.url = url

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self._node.pause()

    def resume(self) -> None:
        """Let it go on."""
        self._node.resume()

    def close_connections(self) -> None:
        """Have it close every connection to this virtual host."""
        vhost = unquote(urlsplit(self.url).path[1:])
        self._node.control("close_all_connections", "--vhost", vhost, "for this test")


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
def shared_rabbit(rabbit: RabbitNode, amqp_url: str) -> Iterator[SharedRabbit]:
    """The shared broker, for tests that freeze it or have it close connections: nobody else is at work meanwhile."""
    yield SharedRabbit(rabbit, amqp_url)
    rabbit.resume()


@pytest.fixture
def own_rabbit() -> Iterator[RabbitNode]:
    """A private broker, for tests that stop or kill it; it takes ten seconds to start."""
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


class Databases:
    """Hands out PostgreSQL databases with the present schema; one that comes back is emptied and used again.

    To make a database takes a third of a second, to empty one less than a hundredth: by a connection that is
    kept for it and knows the tables already.
    """

    def __init__(self, node: PostgresNode, numbers: Iterator[int]) -> None:
        self._node = node
        self._numbers = numbers
        self._empty: list[str] = []
        self._cleaners: dict[str, psycopg.Connection] = {}
        original = node.create_database("migrated")
        _apart(_migrate(PostgresDatabase(SecretStr(original))))
        with _cleaner(original) as cleaner:  # closed: nothing may be connected to what is copied
            self._shape = _shape(cleaner)

    def take(self) -> str:
        """Give the URL of an empty one."""
        if self._empty:
            return self._empty.pop()
        return self._node.create_database(f"test_{next(self._numbers)}", "migrated")

    def give_back(self, url: str) -> None:
        """Empty one; what somebody still uses, or a test changed in its schema, is not used again."""
        if self._emptied(url) == self._shape:
            self._empty.append(url)
        else:
            self._forget(url)

    def close(self) -> None:
        """Let go of all."""
        for url in list(self._cleaners):
            self._forget(url)

    def _emptied(self, url: str) -> object:
        """Empty it and say what its schema is like, by a new connection where the kept one was cut."""
        for _ in range(2):
            try:
                if url not in self._cleaners:
                    self._cleaners[url] = _cleaner(url)
                return _shape(self._cleaners[url])
            except psycopg.OperationalError:
                self._forget(url)
        return None

    def _forget(self, url: str) -> None:
        if (cleaner := self._cleaners.pop(url, None)) is not None:
            cleaner.close()


def _cleaner(url: str) -> psycopg.Connection:
    """Connect to a database so that rows may be deleted in any order."""
    return psycopg.connect(url, autocommit=True, options="-c session_replication_role=replica")


def _shape(cleaner: psycopg.Connection) -> object:
    """Empty a database that everybody has left, and say what its schema is like."""
    if not _is_left(cleaner):
        return None
    cleaner.execute(_EMPTY)
    return cleaner.execute(_SHAPE).fetchone()


def _is_left(connection: psycopg.Connection) -> bool:
    """Wait until nobody else is connected: for a process that was killed the server may still be at work."""
    until = time.monotonic() + LEFT_S
    while connection.execute(_OTHERS).fetchone() is not None:
        if time.monotonic() > until:
            return False
        time.sleep(POLL_S)
    return True


_OTHERS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""

_SHAPE = """
SELECT
  (SELECT string_agg(concat_ws(' ', attrelid, attname, atttypid, attnotnull), ',' ORDER BY attrelid, attnum)
     FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0),
  (SELECT string_agg(concat_ws(' ', oid, relname), ',' ORDER BY oid) FROM pg_class WHERE oid >= 16384),
  (SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_attrdef WHERE oid >= 16384),
  (SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_constraint WHERE oid >= 16384),
  (SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_trigger WHERE oid >= 16384),
  (SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_proc WHERE oid >= 16384)"""
"""Every object but the server's own, which have smaller numbers; a copy of a database has the numbers of its original.

Numbers are looked up in an index, where the views that write out types and definitions take ten times as long.
"""
_EMPTY = """
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations' LOOP
    EXECUTE format('DELETE FROM %I', one.tablename);
  END LOOP;
  FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
    PERFORM setval(one.sequencename::regclass, 1, false);
  END LOOP;
END $$"""


@pytest.fixture(scope="session")
def _databases(postgres: PostgresNode, _database_numbers: Iterator[int]) -> Iterator[Databases]:
    found = Databases(postgres, _database_numbers)
    yield found
    found.close()


@pytest.fixture
def migrated_postgres_url(_databases: Databases) -> Iterator[str]:
    """A database with the present schema and nothing in it, its own until the test is over."""
    url = _databases.take()
    yield url
    _databases.give_back(url)


@pytest.fixture
def another_migrated_postgres_url(_databases: Databases) -> Iterator[str]:
    """A second one, for tests that compare two."""
    url = _databases.take()
    yield url
    _databases.give_back(url)


@pytest.fixture
def migrated_sqlite(tmp_path: Path) -> Path:
    """A database file with the present schema and nothing in it."""
    return migrated(tmp_path / "bridge.db")


@pytest.fixture
def another_migrated_sqlite(tmp_path: Path) -> Path:
    """A second one, for tests that compare two."""
    return migrated(tmp_path / "another.db")


def _apart(work: Coroutine[Any, Any, None]) -> None:
    """Do it on a loop of its own: whoever asks for it may be inside of another."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def _answers(url: str) -> None:
    async with await aio_pika.connect(url, timeout=VHOST_S):
        pass


async def _migrate(database: PostgresDatabase) -> None:
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
