"""Strangers: many at once, each sending one bad input after the other to one of the bridges."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bridge.web.kinds import UNAVAILABLE
from tests.soak.answers import Answer, read
from tests.soak.inputs import Input
from tests.soak.pace import Pace
from tests.soak.rules import Place, is_allowed, is_told_right

AT_ONCE: Final = 144
"""Many more than are answered at a time: those who wait for a bridge that is frozen hold up nobody else."""
_CONNECT_S: Final = 5.0
_NOBODY_THERE_S: Final = 0.2
_MOST_PROBLEMS: Final = 100
_DATABASE_AWAY: Final = f'"{UNAVAILABLE.type}"'.encode()
"""What a problem says then. A carrier that gives no answer, or no turn, is a 503, too."""


@dataclass
class Tally:
    """What strangers sent and were answered."""

    inputs: Counter[str] = field(default_factory=Counter)
    """By kind."""
    answers: Counter[tuple[Place, int]] = field(default_factory=Counter)
    cut_off: Counter[Place] = field(default_factory=Counter)
    """How often the connection ended without an answer."""
    kept: set[bytes] = field(default_factory=set)
    """The ids of deliveries that were acknowledged as accepted, in half the bytes."""
    problems: list[str] = field(default_factory=list)
    unavailable: list[tuple[float, int]] = field(default_factory=list)
    """When somebody was told that the database is away, elsewhere than at the webhook route, and for which input."""

    def note(self, one: Input, answer: Answer) -> None:
        """Note an answer, and judge it."""
        place = one.sent.place
        self.answers[place, answer.status] += 1
        if place is Place.api and answer.status == 503 and _DATABASE_AWAY in answer.body:
            self.unavailable.append((time.monotonic(), one.number))
        if not is_allowed(place, answer.status):
            self.blame(f"input {one.number} ({one.kind}) was answered {answer.status}")
        elif not is_told_right(place, answer.status, answer.content_type):
            self.blame(
                f"input {one.number} ({one.kind}) was answered {answer.status} as {answer.content_type.decode()}"
            )
        elif place is Place.right_secret and answer.status == 200 and answer.body:
            self._keep(json.loads(answer.body))

    def blame(self, problem: str) -> None:
        """Note something that must not be."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)

    def _keep(self, told: dict[str, str]) -> None:
        if told["outcome"] in ("accepted", "duplicate"):
            self.kept.add(bytes.fromhex(told["delivery_id"]))


class Strangers:
    """Sends inputs by their numbers until told to stop."""

    def __init__(self, ports: Sequence[int], make: Callable[[int], Input], per_second: float) -> None:
        self.tally = Tally()
        self._ports = ports
        self._make = make
        self._pace = Pace(per_second)
        self._numbers: Iterator[int] = itertools.count(1)
        self._stopped = False

    def stop(self) -> None:
        """Let everybody finish what they have begun."""
        self._stopped = True

    async def send(self) -> None:
        """Send, many at once, until `stop`."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work())

    async def _work(self) -> None:
        while not self._stopped:
            await self._pace.wait()
            one = self._make(next(self._numbers))
            opened = await self._connected(one)
            if opened is None:
                return
            self.tally.inputs[one.kind] += 1
            await self._talk(one, *opened)

    async def _connected(self, one: Input) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Find a bridge that is there; None where the run ends meanwhile."""
        for attempt in itertools.count(one.number):
            if self._stopped:
                return None
            try:
                async with asyncio.timeout(_CONNECT_S):
                    return await asyncio.open_connection("127.0.0.1", self._ports[attempt % len(self._ports)])
            except (OSError, TimeoutError):
                await asyncio.sleep(_NOBODY_THERE_S)
        return None

    async def _talk(self, one: Input, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening = asyncio.create_task(self._listen(one, reader))
        try:
            await _speak(one, writer, listening)
            if one.sent.answers:
                await asyncio.wait({listening}, timeout=one.sent.patience_s)
                if not listening.done() and one.sent.place is not Place.wire:
                    self.tally.blame(f"input {one.number} ({one.kind}) was never answered")
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            _leave(writer)

    async def _listen(self, one: Input, reader: asyncio.StreamReader) -> None:
        for _ in range(one.sent.answers):
            try:
                answer = await read(reader, has_body=one.sent.has_bodies)
            except OSError:
                answer = None
            if answer is None:
                self.tally.cut_off[one.sent.place] += 1
                return
            self.tally.note(one, answer)


async def _speak(one: Input, writer: asyncio.StreamWriter, listening: asyncio.Task[None]) -> None:
    """Send the pieces, as long as nobody hangs up or has answered all there is."""
    for number, piece in enumerate(one.sent.pieces):
        if number and one.sent.pause_s:
            await asyncio.wait({listening}, timeout=one.sent.pause_s)
        if writer.is_closing() or (listening.done() and one.sent.answers):
            return
        writer.write(piece)
        try:
            async with asyncio.timeout(one.sent.patience_s):
                await writer.drain()
        except (OSError, TimeoutError):
            return


def _leave(writer: asyncio.StreamWriter) -> None:
    """Hang up at once: thousands of connections a minute would else wait for their ports."""
    found = writer.get_extra_info("socket")
    if found is not None and not writer.is_closing():
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
