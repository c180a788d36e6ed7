"""What the service says of itself: JSON logs without secrets or people, and metrics under the contract's names."""

from __future__ import annotations

import asyncio
import atexit
import logging
import sys
import threading
import time
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from pydantic_core import to_json

Entry = MutableMapping[str, Any]


def configure_logging(stream: BinaryIO | None = None) -> None:
    """Write one JSON object per line to the stream (standard output where none is given)."""
    lines = Lines(stream or sys.stdout.buffer)
    atexit.register(lines.flush)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _write],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Forward()], force=True)
    for chatty in ("aiormq", "aio_pika", "uvicorn", "httpx"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)


class Lines:
    """Where lines go. On an event loop those of one turn are written together, at its end: a write for each costs more
    than making it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Write a line, at the latest when this turn of the event loop is over."""
        with self._lock:
            self._waiting.append(line)
            is_first = len(self._waiting) == 1
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
        else:
            if is_first:
                loop.call_soon(self.flush)

    debug = info = warning = error = critical = write

    def flush(self) -> None:
        """Write what waits. Where nobody takes it any more it is dropped: the work goes on without a log."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            if waiting:
                with suppress(OSError, ValueError):
                    self._stream.write(b"\n".join(waiting) + b"\n")
                    self._stream.flush()


def _write(_logger: object, method: str, entry: Entry) -> bytes:
    """Make a line of what is logged."""
    if "exc_info" in entry:
        _where_it_broke(entry)
    entry["level"] = method
    entry["timestamp"] = _now()
    return to_json(entry, fallback=_name)


def _now() -> str:
    """Write the time of this machine; what a second's text begins with is kept, for most lines share it."""
    seconds, rest = divmod(time.time_ns() // 1000, 1_000_000)
    return f"{_second(seconds)}.{rest:06d}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:-6]


def _name(value: object) -> str:
    return type(value).__name__


def _where_it_broke(entry: Entry) -> None:
    """Describe an exception by its type and its places in the code: its text may quote what somebody sent."""
    found = entry.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()[1]
    elif isinstance(found, tuple):
        found = found[1]
    if isinstance(found, BaseException):
        frames = traceback.extract_tb(found.__traceback__)[-8:]
        entry["error"] = type(found).__name__
        entry["at"] = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]


class _Forward(logging.Handler):
    """Turns what libraries log into our lines, by name and place only."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().warning("library.logged", logger=record.name, level_name=record.levelname)


class Metrics:
    """Every metric, by the contract's names (section 6). One object per process, nothing global."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library does not annotate it
        self.registry = CollectorRegistry()
        self.process = ProcessCollector(namespace="bridge", registry=self.registry)
        self.ready = self._gauge("ready", "1 while this process can do the role, as `/readyz` says", "role")
        self.degraded = self._gauge("degraded", "1 while the database or the broker is away, as seen from here", "part")
        self.deliveries = self._counter("deliveries", "Webhooks by outcome", "source", "event", "outcome")
        self.ack_seconds = self._histogram(
            "ack_seconds",
            "Time from the request to its answer",
            (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5),
        )
        self.inbox_pending = self._gauge("inbox_pending", "Accepted webhooks not worked off yet")
        self.inbox_oldest = self._gauge("inbox_oldest_seconds", "Age of the oldest of them")
        self.outbox_pending = self._gauge("outbox_pending", "Events the broker has not confirmed yet")
        self.outbox_oldest = self._gauge("outbox_oldest_seconds", "Age of the oldest of them")
        self.published = self._counter("events_published", "Events the broker confirmed", "type")
        self.refused = self._counter("events_refused", "Publishes the broker refused; each holds its subject", "type")
        self.held_subjects = self._gauge("relay_held_subjects", "Subjects held back by a refused publish")
        self.unrouted = self._gauge("unrouted_messages", "Events that no consumer was bound for")
        self.dead = self._gauge("dead_messages", "Commands that could not be carried out")
        self.status_words_unknown = self._gauge(
            "status_words_unknown", "Status words that the carrier lists and our table does not have"
        )
        self.purchases = self._counter("purchases", "Purchases by outcome", "outcome", "reason")
        self.purchases_open = self._gauge(
            "purchases_open", "Purchases that are under way, and held ones whose window is open, by state", "state"
        )
        self.doubt_oldest = self._gauge(
            "purchases_doubt_oldest_seconds", "For how long the oldest purchase has been in doubt"
        )
        self.returns_in_doubt = self._gauge(
            "returns_in_doubt", "Returns that were asked for, and nobody knows whether they were made"
        )
        self.windows_projected_missed = self._gauge(
            "windows_projected_missed", "Windows that are open now and will close unbought, as things stand"
        )
        self.purchase_seconds_left = self._histogram(
            "purchase_seconds_left",
            "Seconds left in the window when the buy was sent",
            (0, 15, 60, 120, 180, 240, 270, 285, 295),
        )
        self.carrier_seconds = self._histogram(
            "carrier_request_seconds",
            "Calls to carriers",
            (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            "carrier",
            "operation",
            "outcome",
        )
        self.connection_paused = self._gauge(
            "connection_paused", "1 while nothing is bought on a carrier connection", "connection"
        )
        self.connection_breaker_open = self._gauge(
            "connection_breaker_open", "1 while a carrier that gives no usable answer is left alone", "connection"
        )
        self.webhook_health = self._gauge(
            "webhook_health",
            "1 for the state that an organization's webhooks are in: `healthy`, `silent`, `missing`, "
            "`foreign_organization`, `unconfigured_proxy`",
            "connection",
            "state",
        )
        self.labels = self._counter("labels", "Labels that were fetched or given up, by outcome", "format", "outcome")
        self.found_by_poll = self._counter(
            "found_by_poll", "Facts that a read of ours found before any webhook told them", "fact"
        )
        self.reads_skipped = self._counter(
            "sweep_reads_skipped", "Reads that were due and could not be made in time, by how urgent they were", "phase"
        )
        self.parked = self._counter("parked", "Webhooks kept without effect, by reason", "reason")
        self.unknown_secret = self._counter(
            "unknown_secret", "Webhooks with a secret nobody has; each was answered 404"
        )
        self.outside_networks = self._counter("outside_networks", "Webhooks from elsewhere, let in by `observe`")
        self.parked_dropped = self._counter("parked_dropped", "Parked webhooks dropped because there were too many")
        self.pruned = self._counter("pruned", "Rows deleted because they were older than they are kept for", "table")
        self.failed_deliveries = self._counter("deliveries_failed", "Deliveries that could not be projected", "verdict")
        self.unknown_words = self._counter("unknown_statuses", "Statuses that say nothing of where a parcel is")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"bridge_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"bridge_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"bridge_{name}", text, labels, buckets=buckets, registry=self.registry)
