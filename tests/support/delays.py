"""What a slow machine adds to a time that a test takes: disk, broker and processor may stall for seconds."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import aio_pika
import psycopg

USUAL_S: Final = 0.1
"""What a commit and a confirmed publish take together where nothing stalls, and some times as much. Little, so that a
machine that is slow all the time, with other work, counts as well as one that stands still for a moment."""
_QUEUE: Final = "delays"
_EVERY_S: Final = 0.1


class Delays:
    """Commits a row and publishes a message again and again, beside what a test waits for, and adds up what is late."""

    def __init__(self, database_url: str, amqp_url: str) -> None:
        self._database_url = database_url
        self._amqp_url = amqp_url
        self._before = 0.0
        self._began = 0.0

    @property
    def seconds(self) -> float:
        """Beyond the usual, of all turns together, the present one among them."""
        return self._before + max(0.0, time.monotonic() - self._began - _EVERY_S - USUAL_S)

    async def __aenter__(self) -> Self:
        self._connection = await aio_pika.connect(self._amqp_url)
        self._channel = await self._connection.channel()
        await self._channel.declare_queue(_QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        self._database = await psycopg.AsyncConnection.connect(self._database_url, autocommit=True)
        await self._database.execute("CREATE TABLE delays (at timestamptz)")
        self._began = time.monotonic()
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._before, self._began = self.seconds, math.inf
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching
        await self._database.close()
        await self._connection.close()

    async def _watch(self) -> None:
        while True:
            self._began = time.monotonic()
            await self._database.execute("INSERT INTO delays VALUES (now())")
            await self._channel.default_exchange.publish(aio_pika.Message(b"", delivery_mode=2), _QUEUE)
            await asyncio.sleep(_EVERY_S)
            self._before = self.seconds
