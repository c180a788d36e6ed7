"""A record of the calls that reached the carrier's address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from bridge.simulator.faults import Kind


@dataclass(frozen=True)
class Call:
    """One call and the status it was answered with, None for no answer at all; bodies are not kept."""

    id: int
    method: str
    path: str
    status: int | None
    fault: Kind | None
    at: datetime


class Calls:
    """All calls in the order of their answers, so that a test can show that a write went out once."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def record(self, method: str, path: str, status: int | None, fault: Kind | None, at: datetime) -> None:
        self._calls.append(Call(len(self._calls) + 1, method, path, status, fault, at))

    def after(self, call_id: int) -> Iterator[Call]:
        """List the calls that followed this one; 0 lists all. Ids are positions, from 1."""
        return islice(self._calls, max(0, call_id), None)
