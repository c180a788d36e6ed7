"""One connection to PostgreSQL: how it is opened, controlled and broken off."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, Self

import psycopg
from psycopg import errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult
from pydantic import SecretStr

from bridge.errors import StoreConflict, StoreUnavailable
from bridge.store.database import Row
from bridge.store.postgres_arrays import Column

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

    def run(self, sql: str, parameters: Sequence[object]) -> list[Row]:
        """Run one statement with `$1`, `$2`, … for its parameters, and give its rows. Raises psycopg.Error.

        A cursor would do the same in rounds of its own, for three times the processor time.
        """
        transformer = Transformer(self.connection)
        plain = [None if isinstance(one, Column) else one for one in parameters]
        values = list(transformer.dump_sequence(plain, [PyFormat.AUTO] * len(plain)))
        kinds, formats = list(transformer.types or ()), list(transformer.formats or ())
        for place, one in enumerate(parameters):
            if isinstance(one, Column):
                values[place], kinds[place], formats[place] = one.data, one.oid, Format.BINARY
        result = self.connection.pgconn.exec_params(sql.encode(), values, kinds, formats, Format.BINARY)
        if result.status == ExecStatus.TUPLES_OK:
            transformer.set_pgresult(result)
            return transformer.load_rows(0, result.ntuples, tuple)
        _check(result)
        return []

    def _exec(self, statements: str) -> bytes | None:
        """Run statements without values and give the last one's tag; a cursor would fetch the answer to each."""
        result = self.connection.pgconn.exec_(statements.encode())
        _check(result)
        return result.command_status

    def break_off(self) -> None:
        """Shut the connection under whoever waits for it. May be called from another thread."""
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.connection.fileno())) as shared:
            shared.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close, whatever state it is in."""
        with suppress(psycopg.Error):
            self.connection.close()


def _check(result: PGresult) -> None:
    if result.status != ExecStatus.COMMAND_OK:
        found = errors.error_from_result(result)
        raise found if found.sqlstate else psycopg.OperationalError(result.error_message.decode(errors="replace"))


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
