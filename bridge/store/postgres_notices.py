"""Notices between processes: who commits something tells the others; whoever hears nothing looks by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import psycopg
import structlog
from pydantic import SecretStr

from bridge.lifecycle import Stop
from bridge.store.database import TOPICS, Topic
from bridge.store.postgres_link import options

log = structlog.get_logger()

_CHANNEL: Final = "bridge"
_APART_S: Final = 0.01
_HEAR_S: Final = 0.5
_AGAIN_S: Final = 2.0


class Notices:
    """Tells the other processes what was committed: at once, and then a hundred times a second at most.

    A notice has a transaction of its own: the server lets those that hold one commit only one after the other, and no
    webhook may wait in that line.
    """

    def __init__(self, send: Callable[[str], Awaitable[None]]) -> None:
        self._send = send
        self._topics: set[Topic] = set()
        self._telling: asyncio.Task[None] | None = None

    def tell(self, topics: Iterable[Topic]) -> None:
        """Have this told. What nobody can be told is found by those who look."""
        self._topics.update(topics)
        if self._topics and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell())

    def close(self) -> None:
        """Tell nothing more."""
        if self._telling is not None:
            self._telling.cancel()

    async def _tell(self) -> None:
        while self._topics:
            topics, self._topics = sorted(self._topics), set()
            await self._send("; ".join(f"NOTIFY {_CHANNEL}, '{topic}'" for topic in topics))
            await asyncio.sleep(_APART_S)


async def hear(url: SecretStr, wake: Callable[[Topic], None], is_own: Callable[[int], bool], stop: Stop) -> None:
    """Call `wake` with the topic of what other processes commit, until the end.

    Behind a pooler nothing may ever be heard; the loops that are woken look by themselves every second, too.
    """
    bell = stop.bell()
    while not stop:
        try:
            async with await psycopg.AsyncConnection.connect(url.get_secret_value(), **options(url)) as connection:
                await connection.execute(f"LISTEN {_CHANNEL}")
                while not stop:
                    async for notice in connection.notifies(timeout=_HEAR_S):
                        if notice.payload in TOPICS and not is_own(notice.pid):
                            wake(notice.payload)
        except psycopg.Error as error:
            log.info("database.not_heard", error=type(error).__name__)
            await bell.wait(_AGAIN_S)
