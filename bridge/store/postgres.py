"""PostgreSQL: a few connections, each with a thread; every unit of work is a transaction, and many run at once.

Nothing is kept in a session (no prepared statement, no session lock, no setting), so that a pooler may hand each
transaction to another server connection. What a commit brings is announced by NOTIFY; whoever does not hear it polls.
"""

from __future__ import annotations

import asyncio
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Final, Literal, TypeVar

import psycopg
from psycopg import errors
from pydantic import SecretStr

from bridge.errors import RowRefused, StoreConflict, StoreUnavailable
from bridge.lifecycle import Stop
from bridge.model import Micros
from bridge.store.database import Doing, Given, Kind, Row, Topic, Transaction, Trouble, Unit, marks
from bridge.store.postgres_arrays import array, column
from bridge.store.postgres_link import CONFLICTS, Link, Statement, words
from bridge.store.postgres_notices import Notices, hear
from bridge.store.postgres_turns import PATIENCE, Patience, Teller, take_turn

T = TypeVar("T")

_REFUSALS: Final = (psycopg.DataError, psycopg.IntegrityError, UnicodeEncodeError, OverflowError)
_ATTEMPTS: Final = 4
_APART_S: Final = (0.05, 0.2)
WRITE_S: Final = 8.0
"""Longer than this no unit takes: then its connection is given up."""
_SURVEY_S: Final = 3600.0
_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SURVEY: Final = (  # many statements of some hundred milliseconds each: compiling one takes longer than running it
    f"{_SNAPSHOT}; SET LOCAL jit = off; SET LOCAL statement_timeout = 0;"
    " SET LOCAL idle_in_transaction_session_timeout = 0"
)
_IDLE_S: Final = 4
"""A process that stands still in a transaction loses it, so that others need not wait for its rows."""
_BY_INDEX: Final = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off"
"""Units find their rows by an index, in its order, also while the statistics speak of a table as it was hours ago:
with what waits in a long queue collected and sorted first, every claim would take the longer the more there is."""
_GRACE_S: Final = 1.0
_FEED: Final = 0x5B1D
"""The upper sixteen bits of our advisory locks on the feed, so that they are nobody else's."""
_ALONE: Final[dict[Doing, int]] = {"parking": (0x5B1E << 48) + 1, "settling": (0x5B1E << 48) + 2}


class PostgresTransaction:
    """A transaction on a PostgreSQL connection.

    A statement that gives no rows waits for the next one that does, or for the commit, to share its round trip.
    """

    dialect: Literal["postgres"] = "postgres"
    for_update = "FOR UPDATE"
    for_share = "FOR SHARE"

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: list[Statement] = []
        self.topics: set[Topic] = set()

    @property
    def shard(self) -> int:
        return self._link.server_process % _SHARDS

    def run(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        self._waiting.append((_translated(sql), parameters))
        return self._send() if _gives_rows(sql) else []

    def insert(self, into: str, rows: Sequence[Sequence[object]], *, tail: str = "") -> list[Row]:
        """Insert all rows by one statement: a column is one array, whatever the number of rows."""
        if not rows:
            return []
        kinds = self._kinds(into)
        columns = zip(*rows, strict=True)
        with in_our_words():
            arrays = [column(kind, values) for kind, values in zip(kinds, columns, strict=True)]
        return self.run(f"INSERT INTO {into} SELECT * FROM unnest({marks(arrays)}) {tail}", arrays)

    def given(self, kinds: Sequence[Kind], rows: Sequence[Sequence[object]]) -> Given:
        names = ", ".join(f"column{number}" for number in range(1, len(kinds) + 1))
        with in_our_words():
            arrays = [column(kind, values) for kind, values in zip(kinds, zip(*rows, strict=True), strict=True)]
        return Given(f"unnest({marks(arrays)}) AS given ({names})", arrays)

    def among(self, name: str, values: Sequence[object]) -> Given:
        with in_our_words():
            return Given(f"{name} = ANY(?)", [array(values) if values else "{}"])

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self.run("SAVEPOINT unit")
        try:
            yield
            self.run("RELEASE unit")
        except BaseException:
            self._waiting.clear()
            self.run("ROLLBACK TO unit")
            self.run("RELEASE unit")
            raise

    @property
    def now(self) -> Micros:
        rows = self.run("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        return Micros(rows[0][0])

    def skip_locked(self, table: str) -> str:
        return f"FOR UPDATE OF {table} SKIP LOCKED"

    def notify(self, topic: Topic) -> None:
        self.topics.add(topic)

    def reserve_positions(self) -> None:
        """Say, until the commit, after which position this transaction adds its events."""
        self._waiting.append((_RESERVE, ()))

    def alone(self, doing: Doing) -> None:
        """Let no other process do the same until the commit."""
        self._waiting.append((f"SELECT pg_advisory_xact_lock({_ALONE[doing]})", ()))

    def commit(self) -> None:
        """Commit. Raises StoreUnavailable where it did not count, or nobody knows."""
        with in_our_words():
            self._link.commit(self._waiting)

    def _kinds(self, into: str) -> Sequence[str]:
        """Look up, once per connection, the types of the columns that `table (column, …)` names."""
        found = self._link.kinds.get(into)
        if found is None:
            table, names = _INTO.fullmatch(into).groups()  # type: ignore[union-attr] # every caller writes it so
            rows = self.run(
                "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute"
                " WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped",
                (table,),
            )
            kinds: dict[str, str] = dict(rows)
            try:
                found = self._link.kinds[into] = [kinds[name.strip()] for name in names.split(",")]
            except KeyError as error:
                raise StoreUnavailable(f"the table {table} is not as this version needs it") from error
        return found

    def _send(self) -> list[Row]:
        """Run what waits, and give the rows of the last one."""
        statements, self._waiting = self._waiting, []
        with in_our_words():
            return self._link.run(statements)


_SHARDS: Final = 32
_INTO: Final = re.compile(r"(\w+) \(([\w, ]+)\)")
_LAST_POSITION: Final = "CASE WHEN is_called THEN last_value ELSE 0 END"
_RESERVE: Final = (
    f"SELECT pg_advisory_xact_lock_shared(({_FEED}::bigint << 48) + {_LAST_POSITION}) FROM events_position_seq"
)
_DECIDED: Final = (
    "SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) FROM pg_locks"
    " WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = "
    f"{_FEED} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@lru_cache(maxsize=2048)
def _gives_rows(sql: str) -> bool:
    """Say whether somebody may wait for what this statement gives; of what is unheard of, somebody may."""
    return not sql.startswith(("INSERT ", "UPDATE ", "DELETE ")) or " RETURNING " in sql


@lru_cache(maxsize=2048)
def _translated(sql: str) -> str:
    """Number the marks of a statement's parameters."""
    first, *others = sql.split("?")
    return first + "".join(f"${number}{text}" for number, text in enumerate(others, 1))


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn the driver's errors into ours, without the values that the server quotes in its details."""
    try:
        yield
    except _REFUSALS as error:
        raise RowRefused(type(error).__name__) from error
    except CONFLICTS as error:
        raise StoreConflict(words(error)) from error
    except psycopg.Error as error:
        raise StoreUnavailable(words(error)) from error


class PostgresDatabase:
    """A PostgreSQL database. Open it, use it from one event loop, close it."""

    dialect: Literal["postgres"] = "postgres"

    def __init__(self, url: SecretStr, *, writers: int = 6, readers: int = 2, within_s: float = WRITE_S) -> None:
        self._url = url
        self._within = within_s
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="postgres-write")
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="postgres-read")
        self._local = threading.local()
        self._links: set[Link] = set()
        self._closed = False
        self._notices = Notices(self._notify)
        self.trouble: Trouble | None = None

    async def open(self) -> None:
        """Connect once, to find out early what is wrong. Raises StoreUnavailable."""
        await self.read(lambda transaction: transaction.run("SELECT 1"))

    async def close(self) -> None:
        """Finish what was handed in, then close every connection; one that hangs is broken off."""
        self._closed = True
        self._notices.close()
        ending = asyncio.gather(*(asyncio.to_thread(one.shutdown) for one in (self._writers, self._readers)))
        try:
            await asyncio.wait_for(asyncio.shield(ending), self._within)
        except TimeoutError:
            for link in list(self._links):
                link.break_off()
            await ending
        for link in list(self._links):
            link.close()

    async def write(self, unit: Unit[T], *, at_leisure: bool = False) -> T:
        return await self._committed(partial(self._attempts, unit, _begin(self._within)), self._within)

    async def rebuild(self, unit: Unit[T], patience: Patience = PATIENCE) -> T:
        """Run and commit what may take minutes, such as a migration; one process at a time.

        Whoever wants a table waits behind the one who waits for it. So it is waited for briefly, and where it is not
        to be had all is undone, and tried again after a pause. Raises StoreUnavailable when the patience is over; one
        that is cancelled is undone at once.
        """
        until, pause_s, teller = time.monotonic() + patience.whole_s, 0.0, Teller(patience.told_s)
        while True:
            left, call = until - time.monotonic(), _Call()
            begin = f"{_begin(left)}; {take_turn(pause_s, patience.lock_s)}"
            try:
                return await self._committed(partial(self._once, unit, begin), left, call)
            except StoreConflict as error:
                await teller.tell(self, error)
                pause_s = patience.pause_s
                if time.monotonic() + pause_s >= until:
                    raise StoreUnavailable(str(error)) from error
            except asyncio.CancelledError:
                await asyncio.to_thread(call.cancel)
                raise

    async def _committed(self, work: Callable[[_Call], T], seconds: float, call: _Call | None = None) -> T:
        """Run what commits, and remember where it could not."""
        try:
            done = await self._run(self._writers, work, seconds, call)
        except StoreUnavailable as error:
            self.trouble = self.trouble or Trouble(datetime.now(UTC), str(error))
            raise
        self.trouble = None
        return done

    async def read(self, unit: Unit[T]) -> T:
        begin = f"{_SNAPSHOT}; {_bounds(self._within)}; {_BY_INDEX}"
        return await self._run(self._readers, partial(self._attempts, unit, begin), self._within)

    async def survey(self, unit: Unit[T]) -> T:
        """Read what may take minutes, on one snapshot."""
        return await self._run(self._readers, partial(self._attempts, unit, _SURVEY), _SURVEY_S)

    async def decided(self) -> int:
        """Give the position up to which every event is either committed or never will be.

        A transaction that adds events holds a shared lock whose key is a position before them; the sequence is looked
        at first, because what begins after that adds beyond it.
        """

        def look(transaction: Transaction) -> int:
            last = transaction.run(f"SELECT {_LAST_POSITION} FROM events_position_seq")[0][0]
            lowest = transaction.run(_DECIDED)[0][0]
            return int(last if lowest is None else min(last, lowest))

        begin = f"BEGIN READ ONLY; {_bounds(self._within)}"
        return await self._run(self._readers, partial(self._attempts, look, begin), self._within)

    async def hear(self, wake: Callable[[Topic], None], stop: Stop) -> None:
        """Call `wake` with what other processes commit, until the end."""
        await hear(self._url, wake, self._is_own, stop)

    def _is_own(self, server_process: int) -> bool:
        return any(link.server_process == server_process for link in list(self._links))

    async def _notify(self, statements: str) -> None:
        begin = f"BEGIN; SET LOCAL synchronous_commit = off; {statements}"
        with suppress(StoreUnavailable):
            await self._run(self._readers, partial(self._attempts, lambda _: None, begin), self._within)

    async def probe(self, seconds: float) -> Trouble | None:
        """Say whether commits succeed: where the last one did not, try a small one, for so long."""
        if self.trouble is not None:
            with suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.write(lambda transaction: transaction.run(_PROBE))
        return self.trouble

    async def _run(
        self, executor: ThreadPoolExecutor, work: Callable[[_Call], T], seconds: float, call: _Call | None = None
    ) -> T:
        """Run in a thread. Where no answer comes the connection is broken off: a frozen server would hold it."""
        if self._closed:
            raise StoreUnavailable("the database is closed")
        call = call or _Call()
        running = asyncio.get_running_loop().run_in_executor(executor, work, call)
        running.add_done_callback(_heard)
        done, _ = await asyncio.wait((running,), timeout=seconds + _GRACE_S)
        if not done:
            call.give_up()
            done, _ = await asyncio.wait((running,), timeout=_GRACE_S)
            if not done or running.exception() is not None:
                raise StoreUnavailable("the database does not answer")
        result = running.result()
        self._notices.tell(call.topics)
        return result

    def _attempts(self, unit: Unit[T], begin: str, call: _Call) -> T:
        """Run a unit, and once more where another transaction came between."""
        for attempt in range(_ATTEMPTS):
            try:
                return self._once(unit, begin, call)
            except StoreConflict as error:
                if attempt == _ATTEMPTS - 1:
                    raise StoreUnavailable(str(error)) from error
                time.sleep(random.uniform(*_APART_S))  # noqa: S311 - lets the other one go first
        raise AssertionError("the last attempt returns or raises")

    def _once(self, unit: Unit[T], begin: str, call: _Call) -> T:
        try:
            link = self._begun(begin, call)
            try:
                transaction = PostgresTransaction(link)
                result = unit(transaction)
                transaction.commit()
                call.topics = transaction.topics
            except BaseException as error:
                self._undo(link, error)
                raise
        finally:
            call.leave()
        return result

    def _begun(self, begin: str, call: _Call) -> Link:
        """Begin; on a new connection where the one that is at hand turns out to have ended: nothing was done yet."""
        at_hand = getattr(self._local, "link", None)
        link = call.take(self._link())
        try:
            with in_our_words():
                link.control(begin)
        except BaseException as error:
            self._undo(link, error)
            is_gone = isinstance(error, StoreUnavailable) and self._local.link is None
            if link is at_hand and is_gone:
                return self._begun(begin, call)
            raise
        return link

    def _undo(self, link: Link, error: BaseException) -> None:
        """Roll back; a connection that cannot, or whose server takes no writes any more, is of no use."""
        try:
            link.control("ROLLBACK")
        except psycopg.Error:
            self._forget(link)
        else:
            if isinstance(error.__cause__, errors.ReadOnlySqlTransaction):
                self._forget(link)

    def _link(self) -> Link:
        """Give this thread's connection, a new one where there is none or it broke."""
        link: Link | None = getattr(self._local, "link", None)
        if link is not None and link.is_usable:
            return link
        if link is not None:
            self._forget(link)
        with in_our_words():
            link = self._local.link = Link.to(self._url)
        self._links.add(link)
        return link

    def _forget(self, link: Link) -> None:
        link.close()
        self._links.discard(link)
        self._local.link = None


def _begin(within: float) -> str:
    """Begin a transaction whose commit is on disk, within bounds."""
    return f"BEGIN; SET LOCAL synchronous_commit = on; {_bounds(within)}; {_BY_INDEX}"


def _bounds(within: float) -> str:
    """Have the server end a statement that takes longer than so many seconds, and a transaction that stands still.

    It does not see, in the middle of one, that nobody waits for it any more.
    """
    return f"SET LOCAL statement_timeout = '{within:g}s'; SET LOCAL idle_in_transaction_session_timeout = '{_IDLE_S}s'"


_PROBE: Final = (
    "INSERT INTO meta (name, value) VALUES ('probe', now()::text)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


def _heard(done: asyncio.Future[T]) -> None:
    """Take note of how a unit ended that nobody waits for any more."""
    if not done.cancelled():
        done.exception()


class _Call:
    """One unit's way through a thread, the connection that it is using just now, and what it brought in the end."""

    def __init__(self) -> None:
        self.topics: set[Topic] = set()
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._given_up = False

    def take(self, link: Link) -> Link:
        """Note which connection is used. Raises StoreUnavailable where nobody waits any more."""
        with self._lock:
            if self._given_up:
                raise StoreUnavailable("the database does not answer")
            self._link = link
        return link

    def leave(self) -> None:
        """Note that none is used any more."""
        with self._lock:
            self._link = None

    def give_up(self) -> None:
        """Break off the connection in use, so that its thread comes back."""
        with self._lock:
            self._given_up = True
            if self._link is not None:
                self._link.break_off()

    def cancel(self) -> None:
        """Have the server end what it does for us, and break the connection off. Takes a second at most."""
        with self._lock:
            self._given_up = True
            if self._link is not None:
                self._link.cancel(_GRACE_S)
                self._link.break_off()
