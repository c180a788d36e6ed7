"""SQLite: one writing thread, and every unit that waits for it shares one commit.

A commit costs a sync to disk, whatever is in it; taking everything that arrived since the last one makes the safe way
the fast one. Where one of the units fails all are run again, kept apart by savepoints, so that it undoes only itself.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal, TypeVar

from bridge.errors import RowRefused, StoreUnavailable
from bridge.lifecycle import Clock, Stop, utc_now
from bridge.model import Micros, micros
from bridge.store.database import EVERYTHING, Doing, Given, Kind, Row, Topic, Trouble, Unit

T = TypeVar("T")

MOST_UNITS = 64
"""Units in one commit: more would make the first wait for the last."""
_REFUSALS = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, OverflowError, UnicodeEncodeError)
_PARAMETERS = 30_000
"""SQLite takes 32,766 parameters in a statement."""
_PROBE = "INSERT INTO meta (name, value) VALUES ('probe', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_CHECKPOINT_PAGES = 4_000
"""The log grows to about 16 MiB before it is written back: rarely enough to be cheap, small enough to be quick."""


class SqliteTransaction:
    """A transaction on a SQLite connection."""

    dialect: Literal["sqlite"] = "sqlite"
    for_update = ""
    for_share = ""
    shard = 0

    def __init__(self, connection: sqlite3.Connection, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._clock = clock

    def run(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        try:
            return self._connection.execute(sql, tuple(parameters)).fetchall()
        except _REFUSALS as error:
            raise RowRefused(str(error)) from error
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error

    @property
    def now(self) -> Micros:
        return micros(self._clock())

    def skip_locked(self, table: str) -> str:
        """Take any row: who writes here is alone."""
        return ""

    def notify(self, topic: Topic) -> None:
        """Tell nobody: whoever waits is in this process, or looks every second."""

    def reserve_positions(self) -> None:
        """Do nothing: the next transaction begins after this one has ended."""

    def alone(self, doing: Doing) -> None:
        """Do nothing: who writes here is alone."""

    def insert(self, into: str, rows: Sequence[Sequence[object]], *, tail: str = "") -> list[Row]:
        found: list[Row] = []
        width = len(rows[0]) if rows else 1
        for size, start in _pieces(len(rows), _PARAMETERS // width):
            sql = f"INSERT INTO {into} {_values(width, size)} {tail}"
            found += self.run(sql, [*chain.from_iterable(rows[start : start + size])])
        return found

    def given(self, kinds: Sequence[Kind], rows: Sequence[Sequence[object]]) -> Given:
        return Given(f"({_values(len(kinds), len(rows))})", [*chain.from_iterable(rows)])

    def among(self, column: str, values: Sequence[object]) -> Given:
        return Given(f"{column} IN (SELECT value FROM json_each(?))", [json.dumps(values)])

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self._connection.execute("SAVEPOINT unit")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO unit")
            self._connection.execute("RELEASE unit")
            raise
        self._connection.execute("RELEASE unit")


@lru_cache(maxsize=512)
def _values(width: int, rows: int) -> str:
    row = "(" + ", ".join("?" * width) + ")"
    return "VALUES " + ", ".join([row] * rows)


def _pieces(total: int, most: int) -> Iterator[tuple[int, int]]:
    """Cut a number of rows into pieces of a few sizes, so that few different statements are ever prepared."""
    most, start = min(most, _LARGEST), 0
    while left := total - start:
        size = min(left - left % _STEP or left, most)
        yield size, start
        start += size


_LARGEST = 512
_STEP = 32
"""Larger pieces are multiples of it."""


@dataclass(slots=True)
class _Job:
    unit: Unit[Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    at_leisure: bool
    result: Any = None
    error: BaseException | None = None


_Run = Callable[[SqliteTransaction, _Job], None]


class SqliteDatabase:
    """A SQLite file in write-ahead mode with full syncs. Open it, use it from one event loop, close it."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, path: Path, *, readers: int = 2, clock: Clock = utc_now, leisure_s: float = 0.01) -> None:
        self._path = path
        self._leisure_s = leisure_s
        self._clock = clock
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="sqlite-read")
        self._local = threading.local()
        self._thread: threading.Thread | None = None
        self._reading: list[sqlite3.Connection] = []
        self._file: tuple[int, int] | None = None
        self.trouble: Trouble | None = None

    async def open(self) -> None:
        """Open the file, creating it and its folder where they are missing."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"cannot make the database's folder: {error.strerror}") from error
        connection = connect(self._path)
        self._file = _identity(self._path)
        self._thread = threading.Thread(target=self._write_all, args=(connection,), name="sqlite-write", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Finish what was handed in, then close every connection."""
        thread, self._thread = self._thread, None
        if thread:
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)
        self._readers.shutdown(wait=True)
        for connection in self._reading:
            connection.close()

    async def rebuild(self, unit: Unit[T]) -> T:
        """Run and commit like any other unit: nothing bounds how long one may take."""
        return await self.write(unit)

    async def write(self, unit: Unit[T], *, at_leisure: bool = False) -> T:
        if self._thread is None:
            raise StoreUnavailable("the database is not open for writing")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(unit, loop, done, at_leisure))
        return await done

    async def decided(self) -> int:
        """Give everything: positions are given out and committed by one thread, in order."""
        return EVERYTHING

    async def hear(self, wake: Callable[[Topic], None], stop: Stop) -> None:
        """Hear nothing: who else writes is a command's verb, and those are looked for."""
        await stop.wait()

    async def probe(self, seconds: float) -> Trouble | None:
        """Say whether commits succeed: where the last one did not, try a small one, for so long."""
        if self.trouble is not None:
            with suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.write(lambda transaction: transaction.run(_PROBE, (transaction.now,)))
        return self.trouble

    async def survey(self, unit: Unit[T]) -> T:
        """Read what may take minutes. The log cannot be cut back meanwhile, so it grows by what is written."""
        return await self.read(unit)

    async def read(self, unit: Unit[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, unit)

    def _read(self, unit: Unit[T]) -> T:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect(self._path, read_only=True)
            self._reading.append(connection)
        return read_once(connection, unit, self._clock)

    def _write_all(self, connection: sqlite3.Connection) -> None:
        """Be the writing thread: take all that waits, commit it as one, answer, repeat."""
        while (job := self._jobs.get()) is not None:
            jobs, is_last = self._waiting(job)
            changes = connection.total_changes
            self._note(
                _commit(connection, jobs, self._check_file, self._clock), changed=connection.total_changes > changes
            )
            with suppress(RuntimeError):  # the loop may be gone: then nobody waits
                jobs[0].loop.call_soon_threadsafe(_answer, jobs)
            if is_last:
                break
        connection.close()

    def _note(self, reason: str | None, *, changed: bool) -> None:
        """Remember since when commits fail. One that had nothing to write proves nothing."""
        if reason is not None:
            since = self.trouble.since if self.trouble else datetime.now(UTC)
            self.trouble = Trouble(since, reason)
        elif changed:
            self.trouble = None

    def _check_file(self) -> None:
        """Refuse to commit into a file that nobody will find again."""
        if _identity(self._path) != self._file:
            raise StoreUnavailable("the database file was removed or replaced under the running bridge: restart it")

    def _waiting(self, first: _Job) -> tuple[list[_Job], bool]:
        """Take what waits; and while nobody in it is in a hurry, what comes within a moment."""
        jobs, until = [first], time.monotonic() + self._leisure_s
        with suppress(Empty):
            while len(jobs) < MOST_UNITS:
                seconds = until - time.monotonic() if all(job.at_leisure for job in jobs) else 0
                job = self._jobs.get(timeout=max(seconds, 0))
                if job is None:
                    return jobs, True
                jobs.append(job)
        return jobs, False


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open one connection, set up as the bridge needs it. Raises StoreUnavailable."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        connection.execute("PRAGMA busy_timeout = 5000")
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            connection.execute("PRAGMA temp_store = MEMORY")  # else what undoes a large statement is kept in a file
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
    except sqlite3.Error as error:
        raise StoreUnavailable(f"cannot open the database file: {error}") from error
    return connection


def _identity(path: Path) -> tuple[int, int] | None:
    """Tell one file from another of the same name."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def read_once(connection: sqlite3.Connection, unit: Unit[T], clock: Clock = utc_now) -> T:
    """Run a reading unit on one snapshot."""
    try:
        connection.execute("BEGIN")
        try:
            return unit(SqliteTransaction(connection, clock))
        finally:
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise StoreUnavailable(str(error)) from error


def _commit(connection: sqlite3.Connection, jobs: list[_Job], check: Callable[[], None], clock: Clock) -> str | None:
    """Run all jobs and commit them; gives the reason where the database did not take it."""
    try:
        try:
            _take(connection, jobs, _plainly, check, clock)
        except _TROUBLE:
            raise
        except BaseException:  # a unit's own: run apart from the others, it is met again and handed to its caller
            if len(jobs) == 1:
                raise
            _roll_back(connection)
            _take(connection, jobs, _apart, check, clock)
    except BaseException as error:  # noqa: BLE001 - every waiting unit is told, and the thread lives on
        with suppress(sqlite3.Error):
            _roll_back(connection)
        _fail(jobs, error)
        return str(error) if isinstance(error, sqlite3.Error | StoreUnavailable) else None
    return None


_TROUBLE = (sqlite3.OperationalError, StoreUnavailable)
"""An error of the database itself, which ends the whole commit."""


def _take(connection: sqlite3.Connection, jobs: list[_Job], run: _Run, check: Callable[[], None], clock: Clock) -> None:
    connection.execute("BEGIN IMMEDIATE")
    transaction = SqliteTransaction(connection, clock)
    for job in jobs:
        run(transaction, job)
    check()
    connection.execute("COMMIT")


def _plainly(transaction: SqliteTransaction, job: _Job) -> None:
    """Run a unit without a savepoint, for which every page would be copied that others changed, too."""
    job.result = job.unit(transaction)


def _apart(transaction: SqliteTransaction, job: _Job) -> None:
    """Run a unit so that what it raises undoes that unit alone."""
    try:
        with transaction.savepoint():
            job.result = job.unit(transaction)
    except _TROUBLE:
        raise
    except BaseException as error:  # noqa: BLE001 - it is handed to whoever asked for the unit
        job.error = error


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _fail(jobs: list[_Job], error: BaseException) -> None:
    for job in jobs:
        if job.error is None:
            job.error = StoreUnavailable(str(error)) if isinstance(error, sqlite3.Error) else error


def _answer(jobs: list[_Job]) -> None:
    """On the event loop: hand out what the commit brought. Nobody may have waited."""
    for job in jobs:
        if job.done.done():
            continue
        if job.error is not None:
            job.done.set_exception(job.error)
        else:
            job.done.set_result(job.result)
