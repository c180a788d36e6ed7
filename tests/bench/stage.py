"""What every measure stands on: broker, database server, empty databases and queues, and rounds told as they pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from types import TracebackType
from typing import Self

from rich.console import Console

from bridge.nodes.postgres import PostgresNode
from bridge.nodes.rabbitmq import RabbitNode
from tests.bench import broker, server
from tests.bench.cores import Cores
from tests.bench.databases import Databases, PostgresDatabases, SqliteFiles
from tests.bench.row import Row
from tests.bench.server import Server
from tests.bench.size import Size
from tests.bench.table import figure
from tests.nodes import Vhosts

SHARED_BUFFERS = "256MB"


class Stage:
    """Nodes are started when something first needs them, and end with the stage."""

    def __init__(self, size: Size, cores: Cores, console: Console) -> None:
        self.size = size
        self.cores = cores
        self._console = console
        self._stack = ExitStack()
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @cached_property
    def rabbit(self) -> RabbitNode:
        """The broker."""
        return self._stack.enter_context(RabbitNode())

    @cached_property
    def postgres(self) -> PostgresNode:
        """The database server; it syncs."""
        return self._stack.enter_context(PostgresNode(memory=SHARED_BUFFERS))

    @cached_property
    def sqlite_files(self) -> SqliteFiles:
        return SqliteFiles()

    @cached_property
    def postgres_databases(self) -> PostgresDatabases:
        return PostgresDatabases(self.postgres)

    @property
    def databases(self) -> Sequence[Databases]:
        """Both kinds."""
        return self.sqlite_files, self.postgres_databases

    @contextmanager
    def consumers_queue(self) -> Iterator[str]:
        """Give the URL of a virtual host with the topology and a consumer's queue."""
        url = self._vhosts.take()
        asyncio.run(broker.add_queue(url))
        yield url
        asyncio.run(broker.drop_queue(url))

    @contextmanager
    def bridge(
        self,
        database_url: str,
        amqp_url: str | None = None,
        roles: str = "all",
        told: Mapping[str, str] | None = None,
    ) -> Iterator[Server]:
        """Run a bridge on the server's core; `told` are further settings."""
        cores = self.cores.server
        with server.bridge(database_url, amqp_url=amqp_url, roles=roles, told=told, cores=cores) as running:
            yield running

    @contextmanager
    def rival(self, name: str, *arguments: str) -> Iterator[Server]:
        """Run a rival on the server's core."""
        with server.rival(name, *arguments, cores=self.cores.server) as running:
            yield running

    def rounds(self, name: str, rows: Sequence[Row]) -> Iterator[int]:
        """Go through the rounds, and tell after each what it added to these rows."""
        for number in range(1, self.size.rounds + 1):
            yield number
            added = ", ".join(f"{row.what} {figure(row, row.values[-1])}" for row in rows)
            self.tell(f"{name} {number}/{self.size.rounds}: {added}")

    def tell(self, text: str) -> None:
        """Tell people what goes on."""
        seconds = time.monotonic() - self._began
        self._console.print(f"[dim]{seconds // 60:3.0f}:{seconds % 60:02.0f}  {text}", highlight=False, soft_wrap=True)

    @cached_property
    def _vhosts(self) -> Vhosts:
        return Vhosts(self.rabbit)
