"""Frames: what we write is what the library writes, byte for byte, and what comes in is sorted however it is cut."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import frame, heartbeat
from pamqp.body import ContentBody
from pamqp.commands import Basic, Channel
from pamqp.frame import FrameTypes
from pamqp.header import ContentHeader, ProtocolHeader

from bridge.broker.frames import HEADER, METHOD, EventFrames, Sieve
from bridge.model import Event, EventId, Subject

OURS = 3
FRAME_MAX = 4096

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
events = st.builds(
    Event,
    position=st.integers(1),
    id=texts.map(EventId),
    type=st.sampled_from(["shipment.confirmed", "shipment.status_changed"]),
    subject=st.just(Subject("/shipx/4821", "shipment/1")),
    sequence=st.integers(1),
    routing_key=texts,
    organization=texts,
    recorded_at=st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    body=st.binary(min_size=1, max_size=100) | st.integers(1, 3 * FRAME_MAX).map(lambda size: b"x" * size),
)


def as_the_library(event: Event, environment: str, frame_max: int) -> bytes:
    """Write a message as aiormq does: method, header, and the body in pieces that fit."""
    properties = Basic.Properties(
        content_type="application/cloudevents+json",
        headers={"organization": event.organization, "environment": environment},
        delivery_mode=2,
        message_id=event.id,
        timestamp=event.recorded_at,
        message_type=f"bridge.{event.type}.v1",
    )
    most = frame_max - 8 if frame_max else len(event.body)
    pieces = [event.body[start : start + most] for start in range(0, len(event.body), most)]
    frames: list[FrameTypes] = [
        Basic.Publish(exchange="bridge.events", routing_key=event.routing_key, mandatory=True),
        ContentHeader(body_size=len(event.body), properties=properties),
        *map(ContentBody, pieces),
    ]
    return b"".join(frame.marshal(one, OURS) for one in frames)


@given(st.lists(events, max_size=4), st.sampled_from([FRAME_MAX, 0]), texts)
def test_events_are_written_as_the_library_writes_them(some: Sequence[Event], frame_max: int, environment: str) -> None:
    written = EventFrames(OURS, frame_max, environment).write(some)
    assert written == b"".join(as_the_library(event, environment, frame_max) for event in some)


@pytest.mark.parametrize("over", [-1, 0, 1])
@given(event=events)
def test_a_body_is_cut_where_a_frame_would_be_too_large(over: int, event: Event) -> None:
    size = FRAME_MAX - 8 + over
    event = Event(**{name: getattr(event, name) for name in Event.__slots__} | {"body": b"y" * size})
    written = EventFrames(OURS, FRAME_MAX, "demo").write([event])
    assert written == as_the_library(event, "demo", FRAME_MAX)


# -- coming in ---------------------------------------------------------------------------------------------------------

ACK = Basic.Ack(delivery_tag=7, multiple=True)
RETURN: list[FrameTypes] = [
    Basic.Return(reply_code=312, reply_text="NO_ROUTE", exchange="bridge.events", routing_key="a"),
    ContentHeader(body_size=3, properties=Basic.Properties(message_id="a")),
    ContentBody(b"abc"),
]
TAKEN: list[FrameTypes] = [
    # what the broker sends on the publishing channel that is about messages
    ACK,
    Basic.Nack(delivery_tag=1),
    *RETURN,
]
PASSED: list[tuple[int, FrameTypes]] = [
    # everything else: the channel's own end, other channels, the connection
    (OURS, Channel.Close(reply_code=404, reply_text="NOT_FOUND", class_id=60, method_id=40)),
    (OURS, Channel.CloseOk()),
    (1, ACK),
    (1, RETURN[1]),
    (1, RETURN[2]),
    (0, heartbeat.Heartbeat()),
]
FRAMES = [*((OURS, one) for one in TAKEN), *PASSED]
lines = st.lists(st.sampled_from(FRAMES), max_size=12)


def sifted(sieve: Sieve, pieces: Sequence[bytes]) -> tuple[bytes, list[tuple[int, bytes]]]:
    """Feed a sieve piece by piece."""
    all_passed, all_taken = b"", []
    for piece in pieces:
        passed, taken = sieve.sift(piece)
        all_passed += passed
        all_taken += taken
    return all_passed, all_taken


@given(lines, st.lists(st.integers(0, 400), max_size=20))
def test_frames_of_messages_on_our_channel_are_taken_however_the_bytes_are_cut(
    line: Sequence[tuple[int, FrameTypes]], cuts: Sequence[int]
) -> None:
    data = [frame.marshal(one, channel) for channel, one in line]
    whole, places = b"".join(data), [0, *sorted(cuts), sum(map(len, data))]
    sieve = Sieve()
    sieve.channel = OURS
    passed, taken = sifted(sieve, [whole[start:end] for start, end in pairwise(places)])
    ours = [bytes_ for bytes_, (channel, one) in zip(data, line, strict=True) if (channel, one) not in PASSED]
    others = [bytes_ for bytes_, (channel, one) in zip(data, line, strict=True) if (channel, one) in PASSED]
    assert passed == b"".join(others)
    assert taken == [(bytes_[0], bytes_[7:-1]) for bytes_ in ours]


def test_before_a_channel_is_named_everything_passes() -> None:
    data = frame.marshal(ACK, OURS)
    assert Sieve().sift(data) == (data, [])


def test_kinds_are_told_apart() -> None:
    sieve = Sieve()
    sieve.channel = OURS
    _, taken = sieve.sift(b"".join(frame.marshal(one, OURS) for one in RETURN))
    assert [kind for kind, _ in taken] == [METHOD, HEADER, 3]


@pytest.mark.parametrize(
    "strange",
    [
        ProtocolHeader().marshal(),  # what a broker answers that does not speak this version
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        frame.marshal(ACK, OURS)[:-1] + b"\x00",  # a frame without its end
    ],
)
def test_what_is_no_frame_passes_and_so_does_everything_behind_it(strange: bytes) -> None:
    sieve, ack = Sieve(), frame.marshal(ACK, OURS)
    sieve.channel = OURS
    passed, taken = sifted(sieve, [ack, strange, ack])
    assert passed == strange + ack
    assert len(taken) == 1
