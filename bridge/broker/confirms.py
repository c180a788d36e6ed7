"""What is on its way to the broker, and what became of it: confirmed, refused, come back, or lost with the connection.

Confirms and returns: https://www.rabbitmq.com/docs/confirms. The broker counts what is published on a channel from 1;
a confirm names a count, and may mean everything up to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Final

from pamqp.commands import Basic
from pamqp.header import ContentHeader

from bridge.broker.frames import HEADER, METHOD, EventFrames, Frame
from bridge.errors import BrokerError, BrokerUnavailable, PublishRefused, TopologyMissing
from bridge.model import Event
from bridge.ports import Answer, Answered

_METHOD: Final = Struct(">HH")
_CONFIRM: Final = Struct(">HHQB")
_ACK: Final = Basic.Ack.index & 0xFFFF
_NACK: Final = Basic.Nack.index & 0xFFFF
_MULTIPLE: Final = 1


class Confirms:
    """The publishing channel. Ask nothing of it after `lose`."""

    def __init__(
        self,
        frames: EventFrames,
        *,
        write: Callable[[bytes], None],
        answered: Answered,
        on_return: Callable[[], None],
    ) -> None:
        self._frames = frames
        self._write = write
        self._answered = answered
        self._on_return = on_return
        self._last = 0
        self._on_way: dict[int, Event] = {}
        self._returned: set[int] = set()

    def publish(self, events: Sequence[Event]) -> None:
        """Send events in one write. Raises what that raises; nothing was sent then."""
        self._write(self._frames.write(events))
        for event in events:
            self._last += 1
            self._on_way[self._last] = event

    def take(self, frames: list[Frame]) -> None:
        """Take what the broker answered."""
        answers: list[Answer] = []
        for kind, payload in frames:
            if kind == METHOD:
                self._take_method(payload, answers)
            elif kind == HEADER:  # all that is ever sent to us with content on this channel is what comes back
                self._note_return(payload)
        if answers:
            self._answered(answers)

    def lose(self, reason: str) -> None:
        """Give up on everything that is on its way."""
        lost, self._on_way = self._on_way, {}
        if lost:
            self._answered([(event, BrokerUnavailable(reason)) for event in lost.values()])

    def _take_method(self, payload: bytes, answers: list[Answer]) -> None:
        _, method = _METHOD.unpack_from(payload)
        if method not in (_ACK, _NACK):
            return
        _, _, count, bits = _CONFIRM.unpack_from(payload)
        refused = method == _NACK
        if not bits & _MULTIPLE:
            self._settle(count, answers, refused=refused)
            return
        for one in list(self._on_way):
            if one > count > 0:  # 0 stands for all
                break
            self._settle(one, answers, refused=refused)

    def _settle(self, count: int, answers: list[Answer], *, refused: bool) -> None:
        event = self._on_way.pop(count, None)
        if event is not None:
            answers.append((event, self._error(count, refused=refused)))

    def _error(self, count: int, *, refused: bool) -> BrokerError | None:
        """Say what the broker has against a message. One that came back is confirmed all the same, afterwards."""
        if count in self._returned:
            self._returned.remove(count)
            return TopologyMissing("no queue takes what nobody is bound for")
        return PublishRefused("the broker refused the message") if refused else None

    def _note_return(self, payload: bytes) -> None:
        header = ContentHeader()
        header.unmarshal(payload)
        name = header.properties.message_id
        self._returned.update(count for count, event in self._on_way.items() if event.id == name)
        self._on_return()
