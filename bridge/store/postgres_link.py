"""One connection to PostgreSQL: how it is opened, controlled and broken off."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any, Final, Self

import psycopg
from psycopg import errors
from psycopg.pq import ExecStatus
from pydantic import SecretStr

from bridge.errors import StoreConflict, StoreUnavailable

CONFLICTS: Final = (errors.DeadlockDetected, errors.SerializationFailure)
_CONNECT_S: Final = 5
_CONTROL_LOST: Final = "the database's answer to a commit was lost: whether it counts is not known"


class Link:
    """A connection in a thread of its own, outside of any transaction until told."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.server_process = connection.info.backend_pid
        self.kinds: dict[str, list[str]] = {}
        """The types of the columns of an insert, by how it names them."""

    @classmethod
    def to(cls, url: SecretStr) -> Self:
        """Connect. Raises psycopg.Error."""
        return cls(psycopg.connect(url.get_secret_value(), **options()))

    @property
    def is_usable(self) -> bool:
        return not self.connection.closed and not self.connection.broken

    def control(self, statements: str) -> None:
        """Run what begins or ends a transaction, by the simple protocol. Raises StoreUnavailable."""
        try:
            self._exec(statements)
        except psycopg.Error as error:
            raise StoreUnavailable(words(error)) from error

    def commit(self) -> None:
        """Commit. Raises StoreUnavailable where it did not count, or nobody knows."""
        try:
            said = self._exec("COMMIT")
        except CONFLICTS as error:
            raise StoreConflict(words(error)) from error
        except psycopg.Error as error:
            raise StoreUnavailable(words(error) if error.sqlstate else _CONTROL_LOST) from error
        if said != b"COMMIT":  # an aborted transaction answers ROLLBACK, and no error
            raise StoreUnavailable("the transaction was undone by an error inside it")

    def _exec(self, statements: str) -> bytes | None:
        """Run statements without values and give the last one's tag; a cursor would fetch the answer to each."""
        result = self.connection.pgconn.exec_(statements.encode())
        if result.status != ExecStatus.COMMAND_OK:
            found = errors.error_from_result(result)
            raise found if found.sqlstate else psycopg.OperationalError(result.error_message.decode(errors="replace"))
        return result.command_status

    def break_off(self) -> None:
        """Shut the connection under whoever waits for it. May be called from another thread."""
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.connection.fileno())) as shared:
            shared.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close, whatever state it is in."""
        with suppress(psycopg.Error):
            self.connection.close()


def words(error: psycopg.Error) -> str:
    """Say what the server said, without the details, in which it quotes values."""
    if isinstance(error, psycopg.ProgrammingError) and not error.sqlstate:
        return "BRIDGE_DATABASE_URL cannot be read"  # what could not be read may be the password
    told = error.diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{told} ({error.sqlstate})" if error.sqlstate else told


def options() -> dict[str, Any]:
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
