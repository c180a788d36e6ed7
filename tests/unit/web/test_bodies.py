"""The body of a command: read whole, or refused for what is wrong with its arrival."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from pydantic import BaseModel
from starlette.requests import Request
from starlette.types import Message

from bridge.web import bodies
from bridge.web.bodies import MOST_BYTES, MOST_S
from bridge.web.kinds import TOO_LARGE, TOO_SLOW
from bridge.web.problems import Problem
from tests.unit.purchasing.virtual_time import in_virtual_time


class Note(BaseModel):
    """What is sent."""

    text: str


def request(pieces: Iterator[bytes], every_s: float) -> Request:
    """Make a request whose body comes piece by piece, and never ends by itself."""

    async def receive() -> Message:
        await asyncio.sleep(every_s)
        piece = next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


async def read(pieces: Iterator[bytes], every_s: float) -> tuple[object, float]:
    """Read it, and say what came of it after how many seconds."""
    began = asyncio.get_running_loop().time()
    try:
        found: object = await bodies.read(request(pieces, every_s), Note)
    except Problem as problem:
        found = problem.kind
    return found, asyncio.get_running_loop().time() - began


def test_a_body_that_comes_in_pieces_is_read_whole() -> None:
    found, seconds = in_virtual_time(read(iter([b'{"te', b'xt": "', b'x"}']), MOST_S / 5))
    assert (found, round(seconds, 6)) == (Note(text="x"), MOST_S * 4 / 5)


def test_a_body_that_does_not_come_in_time_is_given_up() -> None:
    found, seconds = in_virtual_time(read(iter([b"{"] * 1000), MOST_S / 10))
    assert (found, round(seconds, 6)) == (TOO_SLOW, MOST_S)


def test_a_body_without_end_is_read_as_far_as_it_may_go() -> None:
    found, seconds = in_virtual_time(read(iter([b" " * 1024] * 10_000), 0.001))
    assert (found, round(seconds / 0.001)) == (TOO_LARGE, MOST_BYTES // 1024 + 1)
