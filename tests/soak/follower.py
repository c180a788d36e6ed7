"""A consumer's own books: it drops repeats by id, and then has each event once, in sequence, without a gap."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final
from uuid import UUID

_MOST_PROBLEMS: Final = 50


class Follower:
    """Takes messages one after the other. Ids are kept in sixteen bytes each: there are millions."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._seen: set[bytes] = set()
        self._last: dict[str, int] = {}
        self.learned: Counter[tuple[str, str, str]] = Counter()
        """What was learned of the subjects of our source: subject, type, and the carrier's word where there is one."""
        self.repeats = 0
        self.problems: list[str] = []

    @property
    def events(self) -> int:
        """How many different ones came."""
        return len(self._seen)

    def has(self, event_id: str) -> bool:
        """Say whether an event came."""
        return UUID(event_id).bytes in self._seen

    def take(self, body: bytes) -> None:
        """Take a message."""
        event: dict[str, Any] = json.loads(body)
        key = UUID(event["id"]).bytes
        if key in self._seen:
            self.repeats += 1
            return
        self._seen.add(key)
        self._follow(f"{event['source']} {event['subject']}", int(event["sequence"]))
        if event["source"] == self._source:
            self.learned[event["subject"], event["type"], event["data"].get("carrier_status", "")] += 1

    def _follow(self, subject: str, sequence: int) -> None:
        expected = self._last.get(subject, 0) + 1
        if sequence != expected and len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"{subject}: {sequence} came where {expected} was due")
        self._last[subject] = max(sequence, expected)
