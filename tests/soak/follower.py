"""A consumer's own books: it drops repeats by id, and then has each event once, in sequence, without a gap.

A quorum queue gives back what a lost consumer had not acknowledged in any order, marked as redelivered. So an event
may come after later ones of its subject only where the broker says that it had sent it before; a consumer holds the
later ones back until then.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final
from uuid import UUID

_MOST_PROBLEMS: Final = 50
Event = dict[str, Any]


class Follower:
    """Takes messages one after the other. Ids are kept in sixteen bytes each: there are millions."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._seen: set[bytes] = set()
        self._last: dict[str, int] = {}
        self._ahead: dict[str, set[int]] = {}
        self.learned: Counter[tuple[str, str, str]] = Counter()
        """What was learned of the subjects of our source: subject, type, and the carrier's word where there is one."""
        self.repeats = 0
        self.returned_late = 0
        """Events that the broker had sent before, and gave back after later ones."""
        self._problems: list[str] = []

    @property
    def events(self) -> int:
        """How many different ones came."""
        return len(self._seen)

    @property
    def problems(self) -> list[str]:
        """What was out of turn, and what is missing still."""
        gaps = [f"{subject}: {self._last[subject] + 1} never came" for subject in self._ahead]
        return [*self._problems, *gaps[:_MOST_PROBLEMS]]

    def has(self, event_id: str) -> bool:
        """Say whether an event came."""
        return UUID(event_id).bytes in self._seen

    def take(self, body: bytes, *, redelivered: bool) -> Event | None:
        """Take a message; gives its event, unless that is a repeat."""
        event: Event = json.loads(body)
        key = UUID(event["id"]).bytes
        if key in self._seen:
            self.repeats += 1
            return None
        self._seen.add(key)
        self._follow(f"{event['source']} {event['subject']}", int(event["sequence"]), redelivered)
        if event["source"] == self._source:
            self.learned[event["subject"], event["type"], event["data"].get("carrier_status", "")] += 1
        return event

    def _follow(self, subject: str, sequence: int, redelivered: bool) -> None:
        last, ahead = self._last.setdefault(subject, 0), self._ahead.get(subject, set())
        if sequence <= last or sequence in ahead:
            self._blame(f"{subject}: {sequence} was given to two events")
        elif any(later > sequence for later in ahead):
            self.returned_late += 1
            if not redelivered:
                self._blame(f"{subject}: {sequence} was sent after {max(ahead)}")
        ahead = {number for number in ahead | {sequence} if number > last}
        while last + 1 in ahead:
            last += 1
            ahead.discard(last)
        self._last[subject] = last
        if ahead:
            self._ahead[subject] = ahead
        else:
            self._ahead.pop(subject, None)

    def _blame(self, problem: str) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(problem)
