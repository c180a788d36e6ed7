"""One connection to PostgreSQL: how it is opened, controlled and broken off, and how the others' commits are heard."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, LiteralString, Self

import psycopg
import structlog
from psycopg import errors
from pydantic import SecretStr

from bridge.errors import StoreUnavailable
from bridge.lifecycle import Stop
from bridge.store.database import TOPICS, Topic

log = structlog.get_logger()

CHANNEL: Final = "bridge"
_CONNECT_S: Final = 5
_HEAR_S: Final = 0.5
_AGAIN_S: Final = 2.0
_CONTROL_LOST: Final = "the database's answer to a commit was lost: whether it counts is not known"


class Link:
    """A connection in a thread of its own, outside of any transaction until told."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.kinds: dict[str, list[str]] = {}
        """The types of the columns of an insert, by how it names them."""

    @classmethod
    def to(cls, url: SecretStr) -> Self:
        """Connect. Raises psycopg.Error."""
        return cls(psycopg.connect(url.get_secret_value(), **_options()))

    @property
    def is_usable(self) -> bool:
        return not self.connection.closed and not self.connection.broken

    def control(self, statements: LiteralString) -> None:
        """Run what begins or ends a transaction, by the simple protocol. Raises StoreUnavailable."""
        try:
            self.connection.execute(statements)
        except psycopg.Error as error:
            raise StoreUnavailable(error.diag.message_primary or type(error).__name__) from error

    def commit(self) -> None:
        """Commit. Raises StoreUnavailable where it did not count, or nobody knows."""
        try:
            cursor = self.connection.execute("COMMIT")
        except (errors.DeadlockDetected, errors.SerializationFailure):
            raise
        except psycopg.Error as error:
            raise StoreUnavailable(error.diag.message_primary or _CONTROL_LOST) from error
        if cursor.statusmessage != "COMMIT":  # an aborted transaction answers ROLLBACK, and no error
            raise StoreUnavailable("the transaction was undone by an error inside it")

    def break_off(self) -> None:
        """Shut the connection under whoever waits for it. May be called from another thread."""
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.connection.fileno())) as shared:
            shared.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close, whatever state it is in."""
        with suppress(psycopg.Error):
            self.connection.close()


async def hear(url: SecretStr, wake: Callable[[Topic], None], stop: Stop) -> None:
    """Call `wake` with the topic of what other processes commit, until the end.

    Behind a pooler nothing may ever be heard; the loops that are woken look by themselves every second, too.
    """
    bell = stop.bell()
    while not stop:
        try:
            async with await psycopg.AsyncConnection.connect(url.get_secret_value(), **_options()) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                while not stop:
                    async for notice in connection.notifies(timeout=_HEAR_S):
                        if notice.payload in TOPICS:
                            wake(notice.payload)
        except psycopg.Error as error:
            log.info("database.not_heard", error=type(error).__name__)
            await bell.wait(_AGAIN_S)


def _options() -> dict[str, Any]:
    """Set what every connection needs; a prepared statement would not survive a pooler."""
    return {
        "autocommit": True,
        "prepare_threshold": None,
        "connect_timeout": _CONNECT_S,
        "fallback_application_name": "shipx-bridge",
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
