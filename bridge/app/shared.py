"""What all parts of a process share, and which needs nothing to be open."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from bridge.ingress.readings import Readings
from bridge.lifecycle import Clock, Loops, Stop
from bridge.observability import Metrics
from bridge.settings import Settings
from bridge.store.database import TOPICS, Topic


class Bells:
    """Who in this process waits for what is committed, here or in another one."""

    def __init__(self) -> None:
        self._rings: dict[Topic, list[Callable[[], None]]] = {topic: [] for topic in TOPICS}

    def hang(self, topic: Topic, ring: Callable[[], None]) -> None:
        """Have this called when something of the topic was committed."""
        self._rings[topic].append(ring)

    def ring(self, topic: Topic, *, but: Callable[[], None] | None = None) -> None:
        """Wake whoever waits for the topic, but for one who knows already."""
        for ring in self._rings[topic]:
            if ring != but:
                ring()


def _name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True)
class Shared:
    """What every part of one process is given.

    `draining` is announced when the process is told to end, `stop` when nobody asks it for anything any more; `holder`
    names the process on what it leases, and `warnings` are what an operator should change. `readings` is what the
    receiver has read and the worker has not yet taken.
    """

    settings: Settings
    clock: Clock
    loops: Loops
    stop: Stop = field(default_factory=Stop)
    draining: Stop = field(default_factory=Stop)
    metrics: Metrics = field(default_factory=Metrics)
    holder: str = field(default_factory=_name)
    bells: Bells = field(default_factory=Bells)
    warnings: list[str] = field(default_factory=list)
    readings: Readings = field(default_factory=Readings)
