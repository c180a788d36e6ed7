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

from bridge.errors import StoreUnavailable
from bridge.store.database import Row
from bridge.store.postgres_arrays import Column
from bridge.store.postgres_pipeline import Encoded, Pipeline, Values, check

Statement = tuple[str, Sequence[object]]
"""A statement with `$1`, `$2`, … for its parameters, and these."""
CONFLICTS: Final = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)
_CONNECT_S: Final = 5
_COMMIT: Final[Encoded] = (b"COMMIT", [], [], [])
_COMMIT_LOST: Final = "the database's answer to a commit was lost: whether it counts is not known"


class Link:
    """A connection in a thread of its own, outside of any transaction until told."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.server_process = connection.info.backend_pid
        self._pipeline = Pipeline(connection.pgconn)
        self.kinds: dict[str, list[str]] = {}
        """The types of the columns of an insert, by how it names them."""

    @classmethod
    def to(cls, url: SecretStr) -> Self:
        """Connect. Raises psycopg.Error."""
        return cls(psycopg.connect(url.get_secret_value(), **options(url)))

    @property
    def is_usable(self) -> bool:
        return not self.connection.closed and not self.connection.broken

    def control(self, statements: str) -> bytes | None:
        """Run what begins or ends a transaction, by the simple protocol, and give the last one's tag.

        A cursor would fetch the answer to each. Raises psycopg.Error.
        """
        result = self.connection.pgconn.exec_(statements.encode())
        check(result)
        return result.command_status

    def run(self, statements: Sequence[Statement]) -> list[Row]:
        """Run statements one after the other in one round trip, and give the last one's rows. Raises psycopg.Error.

        Of those behind one that fails none is run. Cursors would take three times the processor time.
        """
        result = self._results(self._encoded(statements))[-1]
        if result.status != ExecStatus.TUPLES_OK:
            return []
        transformer = Transformer(self.connection)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def commit(self, statements: Sequence[Statement]) -> None:
        """Run what is left of a transaction and commit. Raises where it did not count, or nobody knows."""
        encoded = self._encoded(statements)
        try:
            said = self._results([*encoded, _COMMIT])[-1].command_status if encoded else self.control("COMMIT")
        except psycopg.Error as error:
            if error.sqlstate:
                raise
            raise StoreUnavailable(_COMMIT_LOST) from error
        if said != b"COMMIT":  # an aborted transaction answers ROLLBACK, and no error
            raise StoreUnavailable("the transaction was undone by an error inside it")

    def _encoded(self, statements: Sequence[Statement]) -> list[Encoded]:
        return [(sql.encode(), *_written(self.connection, parameters)) for sql, parameters in statements]

    def _results(self, statements: Sequence[Encoded]) -> list[PGresult]:
        if len(statements) > 1:
            return self._pipeline.run(statements)
        result = self.connection.pgconn.exec_params(*statements[0], Format.BINARY)
        check(result)
        return [result]

    def cancel(self, seconds: float) -> None:
        """Have the server end the statement that it runs for us. May be called from another thread."""
        with suppress(psycopg.Error):
            self.connection.cancel_safe(timeout=seconds)

    def break_off(self) -> None:
        """Shut the connection under whoever waits for it. May be called from another thread."""
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.connection.fileno())) as shared:
            shared.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close, whatever state it is in."""
        with suppress(psycopg.Error):
            self.connection.close()


def _written(connection: psycopg.Connection[Any], parameters: Sequence[object]) -> Values:
    """Give values, kinds and formats as the protocol takes them."""
    transformer = Transformer(connection)
    plain = [None if isinstance(one, Column) else one for one in parameters]
    values = list(transformer.dump_sequence(plain, [PyFormat.AUTO] * len(plain)))
    kinds, formats = list(transformer.types or ()), list(transformer.formats or ())
    for place, one in enumerate(parameters):
        if isinstance(one, Column):
            values[place], kinds[place], formats[place] = one.data, one.oid, Format.BINARY
    return values, kinds, formats


def words(error: psycopg.Error) -> str:
    """Say what the server said, without the details, in which it quotes values."""
    if isinstance(error, psycopg.ProgrammingError) and not error.sqlstate:
        return "BRIDGE_DATABASE_URL cannot be read"  # what could not be read may be the password
    told = error.diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{told} ({error.sqlstate})" if error.sqlstate else told


def options(url: SecretStr) -> dict[str, Any]:
    """Set what every connection needs; a prepared statement would not survive a pooler.

    A standby takes no writes, and does not show which positions are still open: a cursor would pass them by. Where the
    URL itself says which server is wanted, that goes.
    """
    is_chosen = "target_session_attrs" in url.get_secret_value()
    return {
        **({} if is_chosen else {"target_session_attrs": "primary"}),
        "autocommit": True,
        "prepare_threshold": None,
        "connect_timeout": _CONNECT_S,
        "fallback_application_name": "shipx-bridge",
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
