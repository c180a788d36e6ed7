"""What became of what is on its way: confirms by count, refusals, messages that come back, a connection that ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import frame
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.frame import FrameTypes
from pamqp.header import ContentHeader

from bridge.broker.confirms import Confirms
from bridge.broker.frames import EventFrames, Sieve
from bridge.errors import BrokerError, BrokerUnavailable, PublishRefused, TopologyMissing
from bridge.model import Event, EventId, Subject
from bridge.ports import Answer

CHANNEL = 1


def event(number: int) -> Event:
    return Event(
        position=number,
        id=EventId(f"event-{number}"),
        type="shipment.confirmed",
        subject=Subject("/shipx/1", f"shipment/{number}"),
        sequence=1,
        routing_key="shipx.shipment.confirmed",
        organization="1",
        recorded_at=datetime(2026, 3, 2, tzinfo=UTC),
        body=b"{}",
    )


class Stage:
    """A publishing channel, and what was written and answered."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.answered: list[Sequence[Answer]] = []
        self.returns = 0
        self._sieve = Sieve()
        self._sieve.channel = CHANNEL
        self.frames = EventFrames(CHANNEL, 131_072, "demo")
        self.confirms = Confirms(
            self.frames, write=self.written.append, answered=self.answered.append, on_return=self._came_back
        )

    def publish(self, *numbers: int) -> None:
        self.confirms.publish([event(number) for number in numbers])

    def says(self, *frames: FrameTypes) -> None:
        """Let the broker say this, all at once."""
        passed, taken = self._sieve.sift(b"".join(frame.marshal(one, CHANNEL) for one in frames))
        assert passed == b""
        self.confirms.take(taken)

    def answers(self) -> list[tuple[int, type[BrokerError] | None]]:
        """Give what became of which event, in order."""
        return [(one.position, None if error is None else type(error)) for some in self.answered for one, error in some]

    def _came_back(self) -> None:
        self.returns += 1


def ack(count: int, *, multiple: bool = False) -> Basic.Ack:
    return Basic.Ack(delivery_tag=count, multiple=multiple)


def nack(count: int, *, multiple: bool = False) -> Basic.Nack:
    return Basic.Nack(delivery_tag=count, multiple=multiple, requeue=False)


def come_back(number: int) -> list[FrameTypes]:
    """What the broker sends in front of the confirm of a message that no queue took."""
    return [
        Basic.Return(reply_code=312, reply_text="NO_ROUTE", exchange="bridge.events", routing_key="a"),
        ContentHeader(body_size=2, properties=Basic.Properties(message_id=f"event-{number}")),
        ContentBody(b"{}"),
    ]


def test_many_events_are_one_write() -> None:
    stage = Stage()
    stage.publish(1, 2, 3)
    assert stage.written == [stage.frames.write([event(1), event(2), event(3)])]


def test_what_could_not_be_written_is_not_on_its_way() -> None:
    stage = Stage()

    def closed(_data: bytes) -> None:
        raise BrokerUnavailable("closed")

    confirms = Confirms(stage.frames, write=closed, answered=stage.answered.append, on_return=lambda: None)
    with pytest.raises(BrokerUnavailable):
        confirms.publish([event(11)])
    confirms.lose("gone")
    assert stage.answers() == []


def test_a_confirm_answers_the_event_with_that_count() -> None:
    stage = Stage()
    stage.publish(11, 12)
    stage.publish(13)
    stage.says(ack(2))
    stage.says(ack(3))
    stage.says(ack(1))
    assert stage.answers() == [(12, None), (13, None), (11, None)]


def test_a_confirm_of_several_answers_everything_up_to_it_that_has_no_answer_yet() -> None:
    stage = Stage()
    stage.publish(11, 12, 13, 14)
    stage.says(ack(2), ack(3, multiple=True))
    assert stage.answers() == [(12, None), (11, None), (13, None)]


def test_a_confirm_of_count_0_answers_everything() -> None:
    stage = Stage()
    stage.publish(11, 12)
    stage.says(ack(0, multiple=True))
    assert stage.answers() == [(11, None), (12, None)]


def test_what_the_broker_says_at_once_is_told_at_once() -> None:
    stage = Stage()
    stage.publish(11, 12, 13)
    stage.says(ack(1), nack(2), ack(3))
    assert len(stage.answered) == 1


def test_a_refusal_is_told_of_its_own_event_alone() -> None:
    stage = Stage()
    stage.publish(11, 12, 13)
    stage.says(ack(1), nack(2), ack(3))
    assert stage.answers() == [(11, None), (12, PublishRefused), (13, None)]


def test_several_may_be_refused_at_once() -> None:
    stage = Stage()
    stage.publish(11, 12, 13)
    stage.says(nack(2, multiple=True))
    assert stage.answers() == [(11, PublishRefused), (12, PublishRefused)]


def test_a_message_that_comes_back_found_no_queue_though_it_is_confirmed_afterwards() -> None:
    stage = Stage()
    stage.publish(11, 12, 13)
    stage.says(*come_back(12))
    assert (stage.returns, stage.answers()) == (1, [])
    stage.says(ack(3, multiple=True))
    assert stage.answers() == [(11, None), (12, TopologyMissing), (13, None)]


def test_an_event_that_came_back_may_be_sent_again_and_arrive() -> None:
    stage = Stage()
    stage.publish(11)
    stage.says(*come_back(11), ack(1))
    stage.publish(11)
    stage.says(ack(2))
    assert stage.answers() == [(11, TopologyMissing), (11, None)]


def test_with_the_connection_everything_on_its_way_is_lost_and_later_answers_say_nothing() -> None:
    stage = Stage()
    stage.publish(11, 12, 13)
    stage.says(ack(2))
    stage.confirms.lose("gone")
    stage.says(ack(1), nack(3))
    stage.confirms.lose("gone")
    assert stage.answers() == [(12, None), (11, BrokerUnavailable), (13, BrokerUnavailable)]
    assert str(stage.answered[-1][0][1]) == "gone"


confirms = st.tuples(st.integers(0, 12), st.booleans(), st.booleans())


@given(st.lists(confirms, max_size=20))
def test_whatever_the_broker_says_each_event_is_answered_once(said: list[tuple[int, bool, bool]]) -> None:
    stage = Stage()
    stage.publish(*range(1, 11))
    for count, multiple, refused in said:
        stage.says(nack(count, multiple=multiple) if refused else ack(count, multiple=multiple))
    stage.confirms.lose("gone")
    assert sorted(number for number, _ in stage.answers()) == list(range(1, 11))
