"""Order per subject: each subject is a lane with at most one event on its way; a refusal holds one lane only."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.model import Subject
from bridge.store.outbox import Made, Pending

MOST_HELD = 20_000
"""Lanes held by refusals before nothing new is taken on: each keeps one event in memory."""


@dataclass(slots=True, eq=False)
class Lane:
    """The events of one subject, in order. `refusals` counts those of the first event.

    `retry_at` and `held_since` are monotonic. `is_unrouted` says that the last refusal was for want of any queue.
    """

    subject: Subject
    waiting: deque[Pending] = field(default_factory=deque)
    is_taken: bool = False
    refusals: int = 0
    retry_at: float | None = None
    held_since: float | None = None
    is_unrouted: bool = False

    @property
    def first(self) -> Pending:
        return self.waiting[0]


class Lanes:
    """All lanes of a process."""

    def __init__(self, in_memory: int) -> None:
        self._most = in_memory
        self._lanes: dict[Subject, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._held: dict[Subject, Lane] = {}
        self._freed: set[Subject] = set()
        self._positions: set[int] = set()

    @property
    def room(self) -> int:
        """How many more events may be taken into memory; 0 while less than half of it is free."""
        free = self._most - (len(self._positions) - len(self._held))
        return free if free >= self._most // 2 and len(self._held) < MOST_HELD else 0

    @property
    def ready(self) -> int:
        """How many lanes could send at once."""
        return len(self._ready)

    @property
    def held(self) -> int:
        """How many lanes a refusal holds."""
        return len(self._held)

    @property
    def unrouted(self) -> int:
        """How many of the held lanes found no queue at all."""
        return sum(lane.is_unrouted for lane in self._held.values())

    @property
    def held_since(self) -> float | None:
        """Since when the lane is held that has been so for longest."""
        return min((lane.held_since for lane in self._held.values() if lane.held_since is not None), default=None)

    @property
    def freed(self) -> int:
        """How many subjects move again, with more of them in the outbox than here."""
        return len(self._freed)

    @property
    def next_retry(self) -> float | None:
        """When the first held lane is to be tried again."""
        return min((lane.retry_at for lane in self._held.values() if lane.retry_at is not None), default=None)

    def add(self, pending: Pending) -> None:
        """Put an event behind the others of its subject; one that is here already, or after a gap, is not."""
        subject = pending.event.subject
        if pending.event.position in self._positions or subject in self._held or subject in self._freed:
            return
        lane = self._lanes.get(subject)
        if lane is None:
            lane = self._lanes[subject] = Lane(subject)
            self._ready.append(lane)
        self._positions.add(pending.event.position)
        lane.waiting.append(pending)

    def offer(self, made: Made) -> bool:
        """Put an event that nobody has read yet in its place; says whether it has one: what comes before it may not
        be here, but in the outbox."""
        event = made.pending.event
        lane = self._lanes.get(event.subject)
        if lane is None or not lane.waiting:
            fits = made.is_next and event.subject not in self._freed
        else:
            fits = lane.waiting[-1].event.sequence + 1 == event.sequence and event.subject not in self._held
        if fits:
            self.add(made.pending)
        return fits

    def take(self) -> Lane | None:
        """Take a lane to send from."""
        while self._ready:
            lane = self._ready.popleft()
            if lane.waiting and not lane.is_taken:
                lane.is_taken = True
                return lane
        return None

    def confirmed(self, lane: Lane) -> bool:
        """Move a lane on; says whether a refusal had held it, so that more of it waits in the outbox."""
        lane.waiting.popleft()
        was_held, lane.refusals, lane.held_since = lane.refusals > 0, 0, None
        if was_held:
            self._held.pop(lane.subject, None)
            self._freed.add(lane.subject)
        return was_held

    def let_in(self) -> bool:
        """Take in freed subjects again, for they are read from the start now; says whether there were any."""
        were_any = bool(self._freed)
        self._freed.clear()
        return were_any

    def marked(self, positions: Iterable[int]) -> None:
        """Forget events that are written down as published (or are somebody else's now)."""
        self._positions.difference_update(positions)

    def refused(self, lane: Lane, retry_at: float, *, now: float = 0.0, is_unrouted: bool = False) -> None:
        """Hold a lane: its first event stays, the rest goes back to the outbox."""
        self._cut(lane, 1)
        lane.held_since = now if lane.held_since is None else lane.held_since
        lane.is_unrouted = is_unrouted
        lane.refusals += 1
        lane.retry_at = retry_at
        self._held[lane.subject] = lane

    def drop(self, lane: Lane) -> None:
        """Let go of a lane's events: they are in the outbox."""
        self._cut(lane, 0)
        self._held.pop(lane.subject, None)

    def put_back(self, lane: Lane) -> None:
        """Give a lane back after sending."""
        lane.is_taken = False
        if not lane.waiting:
            self._lanes.pop(lane.subject, None)
        elif lane.retry_at is None:
            self._ready.append(lane)

    def retry(self, now: float) -> None:
        """Make held lanes ready whose time has come."""
        for lane in self._held.values():
            if lane.retry_at is not None and lane.retry_at <= now and not lane.is_taken:
                lane.retry_at = None
                self._ready.append(lane)

    def forget(self) -> None:
        """Drop everything that is not on its way, to be read from the outbox again."""
        self._ready.clear()
        self._held.clear()
        self._freed.clear()
        for lane in list(self._lanes.values()):
            lane.refusals, lane.retry_at, lane.held_since = 0, None, None
            self._cut(lane, 1 if lane.is_taken else 0)
            if not lane.waiting:
                del self._lanes[lane.subject]

    def _cut(self, lane: Lane, keep: int) -> None:
        kept = list(lane.waiting)[:keep]
        self._positions.difference_update(one.event.position for one in list(lane.waiting)[keep:])
        lane.waiting = deque(kept)
