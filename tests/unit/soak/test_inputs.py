"""Bad inputs: the same seed and number make the same bytes; there are all kinds; and they are aimed as they say."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest

from bridge.carriers.shipx import webhook
from bridge.errors import Unreadable
from tests.soak.answers import Answer, read
from tests.soak.bodies import MARK
from tests.soak.cast import targets
from tests.soak.inputs import KINDS, Input, make
from tests.soak.requests import webhook_path
from tests.soak.rules import Place

SOME = 4_000


@pytest.fixture(scope="module")
def inputs() -> list[Input]:
    return [make(1, number, targets()) for number in range(1, SOME)]


def test_an_input_is_made_of_its_seed_and_number_alone(inputs: list[Input]) -> None:
    assert [make(1, number, targets()) for number in (5, 3, 900)] == [inputs[4], inputs[2], inputs[899]]
    assert make(2, 5, targets()) != inputs[4]


def test_there_are_all_kinds_and_hardly_any_twice(inputs: list[Input]) -> None:
    assert {one.kind for one in inputs} == set(KINDS)
    bytes_of = Counter(one.sent.pieces for one in inputs if one.kind == "body")
    assert len(bytes_of) > 0.9 * bytes_of.total()


def test_what_is_aimed_at_the_right_secret_names_it_and_a_wrong_one_does_not(inputs: list[Input]) -> None:
    path = webhook_path(targets()).encode()
    for one in inputs:
        begin = b"".join(one.sent.pieces).split(b"\r\n", 1)[0]
        if one.sent.place is Place.right_secret:
            assert begin.split(b" ")[1].startswith(path)
        if one.sent.place is Place.wrong_secret:
            assert begin.split(b" ")[1].rstrip(b"/") != path


def test_some_bodies_take_effect_and_most_kinds_of_trouble_are_met(inputs: list[Input]) -> None:
    outcomes: Counter[str] = Counter()
    for one in inputs:
        if one.kind == "body":
            data = b"".join(one.sent.pieces).partition(b"\r\n\r\n")[2]
            try:
                outcomes[webhook.read(data, datetime.now(UTC)).event[:30]] += 1
            except Unreadable as error:
                outcomes[error.reason] += 1
    assert {"not_json", "no_envelope", "unsafe_value", "shipment_status_changed", "offers_prepared"} <= set(outcomes)


def test_the_mark_of_what_nobody_may_see_is_often_there(inputs: list[Input]) -> None:
    assert sum(MARK.encode() in b"".join(one.sent.pieces) for one in inputs) > SOME / 10


@pytest.mark.parametrize(
    ("told", "has_body", "expected"),
    [
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno", True, Answer(404, b"", b"no")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\nContent-Type: a/b\r\n\r\n", False, Answer(200, b"a/b", b"")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\n\r\n", True, Answer(503, b"", b"")),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf", True, None),  # it ended too soon
        (b"HTTP/1.1 200 OK\r\n", True, None),
        (b"AMQP\x00\x00\x09\x01\r\n\r\n", True, None),
        (b"", True, None),
    ],
)
async def test_an_answer_is_read_past_interim_ones(told: bytes, has_body: bool, expected: Answer | None) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(told)
    reader.feed_eof()
    assert await read(reader, has_body=has_body) == expected
