"""Statements in one round trip: sent one behind the other, answered one behind the other.

The driver's own pipeline does it through cursors, in steps that cost more processor time than the round trips saved.
Protocol: https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import psycopg
from psycopg import errors
from psycopg.abc import Buffer
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

Values = tuple[list[Buffer | None], list[int], list[Format]]
"""Parameters as the protocol takes them: the values, the numbers of their types, their formats."""
Encoded = tuple[bytes, list[Buffer | None], list[int], list[Format]]
"""A statement with these."""
_DONE: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


class Pipeline:
    """The pipeline mode of one connection, left again after every use. Waiting gives the interpreter away."""

    def __init__(self, connection: PGconn) -> None:
        self._connection = connection
        self._poll = select.poll()

    def run(self, statements: Sequence[Encoded]) -> list[PGresult]:
        """Run statements and give what became of each. Raises psycopg.Error for the first that fails; then none
        behind it was run."""
        connection = self._connection
        connection.enter_pipeline_mode()
        try:
            for statement in statements:
                connection.send_query_params(*statement, Format.BINARY)
            connection.pipeline_sync()
            results = [self._result() for _ in statements]
            self._wait()
            connection.get_result()  # of the sync
        finally:
            with suppress(psycopg.Error):  # it is broken then, or the connection is
                connection.exit_pipeline_mode()
        for result in results:
            check(result)
        return results

    def _result(self) -> PGresult:
        self._wait()
        result = self._connection.get_result()
        if result is None:
            raise psycopg.OperationalError("the connection to the database was lost")
        self._wait()
        self._connection.get_result()  # the end of this one's results
        return result

    def _wait(self) -> None:
        """Wait until there is a result, or there will be none."""
        connection = self._connection
        while connection.is_busy():
            self._poll.register(connection.socket, select.POLLIN | (select.POLLOUT if connection.flush() else 0))
            self._poll.poll()
            connection.consume_input()


def check(result: PGresult) -> None:
    """Raise psycopg.Error for a statement that failed."""
    if result.status not in _DONE:
        found = errors.error_from_result(result)
        raise found if found.sqlstate else psycopg.OperationalError(result.error_message.decode(errors="replace"))
