"""The log: one JSON object per line, those of one turn of the event loop in one write, and no text of an exception."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bridge.observability import configure_logging

SECRET = "what somebody sent"


class Stream(io.BytesIO):
    """Remembers every write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_gone = False

    def write(self, data: Any) -> int:
        if self.is_gone:
            raise BrokenPipeError
        self.writes.append(bytes(data))
        return len(data)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in b"".join(self.writes).splitlines()]


@pytest.fixture
def stream() -> Iterator[Stream]:
    """A stream that the log is written to while the test runs."""
    found = Stream()
    before = structlog.get_config()
    configure_logging(found)
    yield found
    structlog.configure(**before)


def test_a_line_is_one_json_object_with_its_time_and_level(stream: Stream) -> None:
    structlog.get_logger().warning("broker.lost", reason="gone", number=3)
    (line,) = stream.lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    assert line == {"event": "broker.lost", "level": "warning", "reason": "gone", "number": 3}


def test_what_json_does_not_know_is_named_by_its_type(stream: Stream) -> None:
    structlog.get_logger().info("x", what=object())
    assert stream.lines()[0]["what"] == "object"


def test_without_an_event_loop_a_line_is_written_at_once(stream: Stream) -> None:
    for number in range(3):
        structlog.get_logger().info("x", number=number)
        assert len(stream.writes) == number + 1


async def test_lines_of_one_turn_are_one_write_and_come_in_order(stream: Stream) -> None:
    log = structlog.get_logger()
    for number in range(3):
        log.info("x", number=number)
    assert stream.writes == []
    await asyncio.sleep(0)
    assert len(stream.writes) == 1
    log.info("x", number=3)
    await asyncio.to_thread(log.info, "x", number=4)
    await asyncio.sleep(0)
    assert [line["number"] for line in stream.lines()] == [0, 1, 2, 3, 4]


async def test_bound_words_stand_in_every_line(stream: Stream) -> None:
    with structlog.contextvars.bound_contextvars(shipment=7):
        structlog.get_logger().info("x")
    await asyncio.sleep(0)
    assert stream.lines()[0]["shipment"] == 7


async def test_where_nobody_reads_the_log_any_more_the_work_goes_on(stream: Stream) -> None:
    log = structlog.get_logger()
    stream.is_gone = True
    log.info("lost")
    await asyncio.sleep(0)
    stream.is_gone = False
    log.info("written")
    await asyncio.sleep(0)
    assert [line["event"] for line in stream.lines()] == ["written"]


def test_an_exception_is_told_by_its_type_and_place_and_not_by_its_text(stream: Stream) -> None:
    log = structlog.get_logger()
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        log.exception("bug")
        log.error("bug", exc_info=error)
    for line in stream.lines():
        assert (line["error"], line["level"]) == ("ValueError", "error")
        assert line["at"][-1].startswith("test_observability.py:")
        assert SECRET not in json.dumps(line)
