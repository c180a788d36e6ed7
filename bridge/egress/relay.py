"""The relay: committed events reach the broker at least once, in order per subject, a bounded window at a time.

Partitions are leased, never rows (see `partitions`). A subject has at most one unconfirmed event; a refused one holds
its own subject and nobody else's.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bridge.egress.lanes import Lane, Lanes
from bridge.egress.partitions import Partitions
from bridge.errors import BrokerError, BrokerUnavailable, LeaseLost, StoreError, TopologyMissing
from bridge.lifecycle import Clock, Stop
from bridge.observability import Metrics
from bridge.ports import Answer, Outbox, Publisher, Shares
from bridge.store.outbox import Made, Pending

log = structlog.get_logger()

_POLL_S = 1.0
_PAGE = 512
"""Events read at once: more would keep the event loop, and with it every webhook, waiting."""
_GATHER_S = 0.02
"""How long what is confirmed waits to be written down together: nobody waits for it, and each commit is a sync."""
_MOST_DOUBLINGS = 30
"""More make a number that no float holds, after some hours of refusals."""
_FULL = "a queue that is bound to bridge.events is full and rejects: make room in it; the subject moves again by itself"
_UNROUTED = "bridge.unrouted is missing, so events that no consumer is bound for wait here: bridge topology apply"


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is on its way at once, and after how many seconds a refusal is tried again, doubling to the last."""

    window: int = 256
    in_memory: int = 4096
    first_retry_s: float = 0.5
    last_retry_s: float = 30.0
    confirm_s: float = 30.0
    """A broker that is connected but leaves a message unconfirmed so long (no quorum, an alarm) counts as away."""
    stalled_s: float = 5.0
    """A publish that is unconfirmed for longer is told as a broker that is away, though the connection stands yet."""
    tell_s: float = 60.0
    """How often the log says again what is still so."""
    away_s: float = 15.0
    """Without a broker for so long, the partitions are left to relays that have one."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A lane whose first event is on its way, and since when (monotonic)."""

    lane: Lane
    since: float


class Relay:
    """Publishes what the outbox holds."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        leases: Shares,
        publisher: Publisher,
        start: int,
        metrics: Metrics,
        clock: Clock,
        stop: Stop,
        pace: Pace | None = None,
    ) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._start = start
        self._metrics = metrics
        self._clock = clock
        self._stop = stop
        self._pace = pace or Pace()
        self._lanes = Lanes(self._pace.in_memory)
        self.bell = stop.bell()
        self._marking = stop.bell()
        self._gathering = stop.bell()
        self._away = stop.bell()
        self._leasing = stop.bell()
        self._cursor = start
        self._is_at_end = True
        self._restarts = 0
        self._just_marked: set[int] = set()  # since a page was asked for, which may still show them as pending
        self._on_way: dict[int, _Sent] = {}  # by position; the first is the oldest
        self._confirmed: list[Pending] = []
        self._partitions = Partitions(leases, self._restart)
        self._is_connected = False
        self._bug: BaseException | None = None
        self._away_since: datetime | None = clock()
        self._away_told: tuple[str, float] | None = None  # the reason that the log has, and when it is said again
        self._tell_held_at = 0.0

    @property
    def degraded_since(self) -> datetime | None:
        """Since when the broker has been away, or has confirmed nothing that was sent."""
        if self._away_since is not None or (oldest := self._oldest_unconfirmed()) is None:
            return self._away_since
        waited = asyncio.get_running_loop().time() - oldest
        return self._clock() - timedelta(seconds=waited) if waited > self._pace.stalled_s else None

    def warnings(self) -> list[str]:
        """Say what an operator should see to, in words."""
        held, unrouted = self._lanes.held, self._lanes.unrouted
        told = [f"{_subjects(unrouted)} held: {_UNROUTED}"] if unrouted else []
        return [*told, f"{_subjects(held - unrouted)} held by refusals: {_FULL}"] if held > unrouted else told

    @property
    def held_subjects(self) -> int:
        """How many subjects a refused publish holds back."""
        return self._lanes.held

    @property
    def partitions(self) -> int:
        """How many partitions are ours."""
        return len(self._partitions.ours)

    async def renew(self) -> None:
        """Keep the partitions; whatever is lost is published by somebody else from then on."""
        while not self._stop:
            await self._hold()
            await self._leasing.wait(self._partitions.next_look)

    async def publish(self) -> None:
        """Publish until the end is announced, then let what is on its way arrive."""
        while not self._stop:
            await self._give_up_waiting()
            if await self._connected() and self._partitions.any_may_publish():
                await self._fetch()
                self._lanes.retry(asyncio.get_running_loop().time())
                self._dispatch()
            self._tell_held()
            await self.bell.wait(self._next_look())
            if self._bug is not None:
                raise self._bug
        while self._on_way:
            await self.bell.wait(_POLL_S)

    def offer(self, made: Sequence[Made]) -> None:
        """Take what this process has just committed, so that it need not be read; what has no place is read.

        Nothing depends on it: whatever is lost here, or is not ours to publish, lies in the outbox.
        """
        if not self._goes_on() or not self._is_at_end or self._lanes.room < len(made):
            self.bell.ring()
            return
        mine = [one for one in made if self._partitions.may_publish(one.pending.partition)]
        taken = [self._lanes.offer(one) for one in mine]
        if not all(taken):
            self.bell.ring()
        self._dispatch()

    async def mark(self) -> None:
        """Write down what was confirmed, all that came since the last time at once."""
        while self._confirmed or self._on_way or not self._stop:
            if self._confirmed:
                await self._gathering.wait(_GATHER_S)
                await self._mark(self._confirmed)
            else:
                await self._marking.wait(_POLL_S)

    async def close(self) -> None:
        """Give back the partitions and leave the broker."""
        try:
            await self._partitions.leave()
        except StoreError as error:
            log.warning("relay.leases_not_released", error=type(error).__name__)
        finally:
            await self._publisher.close()

    async def _hold(self) -> None:
        away = self._away_since
        if away is None or self._clock() - away < timedelta(seconds=self._pace.away_s):
            await self._partitions.renew()
            self.bell.ring()
        elif self._partitions.ours:
            log.warning("relay.left_to_others", since=away.isoformat(timespec="seconds"))
            with suppress(StoreError):  # then they have to wait for the end of the leases
                await self._partitions.leave()

    async def _connected(self) -> bool:
        if self._is_connected and not self._publisher.is_open:
            self._lost("the connection closed")
        if self._is_connected or self._on_way:
            return self._is_connected
        try:
            await self._publisher.connect(self._answered)
        except BrokerUnavailable as error:
            self._away_since = self._away_since or self._clock()
            self._tell_away(str(error), self._away_since)
            await self._away.wait(_POLL_S)
            return False
        log.info("broker.connected")
        self._is_connected, self._away_since, self._away_told = True, None, None
        self._leasing.ring()
        self._restart()
        return True

    async def _give_up_waiting(self) -> None:
        """Leave a broker that does not confirm: what was on its way fails, and is published again later."""
        oldest = self._oldest_unconfirmed()
        if oldest is not None and oldest + self._pace.confirm_s < asyncio.get_running_loop().time():
            self._lost("no confirm")
            await self._publisher.close()

    def _oldest_unconfirmed(self) -> float | None:
        return next((sent.since for sent in self._on_way.values()), None)

    def _tell_away(self, reason: str, since: datetime) -> None:
        """Log a broker that is away: when the reason is new, and then now and again."""
        now = asyncio.get_running_loop().time()
        if self._away_told is None or self._away_told[0] != reason or self._away_told[1] <= now:
            self._away_told = reason, now + self._pace.tell_s
            log.warning("broker.away", reason=reason, since=since.isoformat(timespec="seconds"))

    def _tell_held(self) -> None:
        """Log now and again how much is held; each subject's first refusal has a line of its own."""
        since, now = self._lanes.held_since, asyncio.get_running_loop().time()
        if since is None:
            self._tell_held_at = now + self._pace.tell_s
        elif self._tell_held_at <= now:
            self._tell_held_at = now + self._pace.tell_s
            log.warning("relay.held", subjects=self._lanes.held, oldest_s=round(now - since), advice=self.warnings())

    def _restart(self) -> None:
        """Drop what is not on its way, and read the outbox again."""
        self._lanes.forget()
        self._read_again()

    def _read_again(self) -> None:
        """Read the outbox again from where publishing began; a page being read now does not count any more."""
        self._cursor = self._start
        self._restarts += 1
        self.bell.ring()

    async def _fetch(self) -> None:
        """Take a page from the outbox while there is room.

        Subjects that move again are read from the start, but only once the end was reached: others come first.
        """
        if self._is_at_end and self._lanes.let_in():
            self._cursor = self._start
        room, restarts = min(self._lanes.room, _PAGE), self._restarts
        if not room:
            return
        self._just_marked.clear()
        try:
            decided = await self._outbox.decided()
            found = await self._outbox.pending(self._cursor, room, self._partitions.ours)
        except StoreError as error:
            log.warning("relay.outbox_unreadable", error=type(error).__name__)
            return
        if restarts != self._restarts:
            return
        for pending in found:
            if pending.event.position not in self._just_marked:
                self._lanes.add(pending)
            self._cursor = min(pending.event.position, decided)  # what comes late before it is not passed by
        self._is_at_end = len(found) < room
        if not self._is_at_end or self._lanes.freed:
            self.bell.ring()

    def _dispatch(self) -> None:
        """Send the first event of every lane that is ready, as far as the window goes."""
        if not self._goes_on():
            return
        now, events = asyncio.get_running_loop().time(), []
        while len(self._on_way) < self._pace.window and (lane := self._lanes.take()) is not None:
            event = lane.first.event
            self._partitions.begin(lane.first.partition)
            self._on_way[event.position] = _Sent(lane, now)
            events.append(event)
        if not events:
            return
        try:
            self._publisher.publish(events)
        except BrokerUnavailable as error:
            self._take_in([(event, error) for event in events])

    def _goes_on(self) -> bool:
        return self._is_connected and not self._stop and self._partitions.any_may_publish()

    def _answered(self, answers: Sequence[Answer]) -> None:
        """Take what the broker says, and send what may go now; called in the middle of the connection's work."""
        try:
            self._take_in(answers)
            self._dispatch()
        except Exception as bug:  # noqa: BLE001 - `publish` raises it: it must end the process, not the connection
            self._bug = self._bug or bug
            self.bell.ring()

    def _take_in(self, answers: Sequence[Answer]) -> None:
        confirmed: Counter[str] = Counter()
        for event, error in answers:
            lane = self._on_way.pop(event.position).lane
            if error is None:
                confirmed[event.type] += 1
                self._confirm(lane)
            else:
                self._failed(lane, error)
            self._lanes.put_back(lane)
        for kind, number in confirmed.items():
            self._metrics.published.labels(kind).inc(number)
        if self._stop or not self._is_connected:
            self.bell.ring()

    def _confirm(self, lane: Lane) -> None:
        self._confirmed.append(lane.first)
        if len(self._confirmed) == 1:
            self._marking.ring()
        if self._lanes.confirmed(lane):
            log.info("relay.subject_moves_again", subject=lane.subject.name)
            self.bell.ring()

    def _failed(self, lane: Lane, error: BrokerError) -> None:
        self._settled([lane.first])
        if isinstance(error, BrokerUnavailable):
            self._lost(str(error))
        else:
            self._refused(lane, error)

    def _lost(self, reason: str) -> None:
        if self._is_connected:
            log.warning("broker.lost", reason=reason)
            self._is_connected, self._away_since = False, self.degraded_since or self._clock()

    def _refused(self, lane: Lane, error: BrokerError) -> None:
        delay = min(self._pace.first_retry_s * 2 ** min(lane.refusals, _MOST_DOUBLINGS), self._pace.last_retry_s)
        event, is_first, now = lane.first.event, lane.refusals == 0, asyncio.get_running_loop().time()
        is_unrouted = isinstance(error, TopologyMissing)
        if self._partitions.may_publish(lane.first.partition):
            self._lanes.refused(lane, now + delay, now=now, is_unrouted=is_unrouted)
        else:
            self._lanes.drop(lane)  # whose it is now reads it from the outbox
        self._metrics.refused.labels(event.type).inc()
        if is_first:
            log.error(
                "relay.refused",
                error=type(error).__name__,
                subject=event.subject.name,
                event_id=event.id,
                retry_in_s=delay,
                advice=_UNROUTED if is_unrouted else _FULL,
            )
        self.bell.ring()

    def _next_look(self) -> float:
        retry = self._lanes.next_retry if self._lanes.held else None
        if retry is None or not self._goes_on():
            return _POLL_S
        return min(max(retry - asyncio.get_running_loop().time(), 0.0), _POLL_S)

    async def _mark(self, batch: Sequence[Pending]) -> None:
        self._confirmed = []
        positions = [pending.event.position for pending in batch]
        try:
            tokens = self._partitions.tokens({pending.partition for pending in batch})
            await self._outbox.confirm(positions, tokens, self._clock())
        except LeaseLost:
            log.warning("relay.lease_lost", events=len(batch))
            self._partitions.lose()
            self._leasing.ring()
            self._read_again()
        except StoreError as error:
            log.warning("relay.mark_failed", error=type(error).__name__)
            self._confirmed = [*batch, *self._confirmed]
            await self._marking.wait(_POLL_S)
            return
        else:
            self._just_marked.update(positions)
        self._lanes.marked(positions)
        self._settled(batch)
        if self._lanes.room and not self._is_at_end:
            self.bell.ring()

    def _settled(self, events: Sequence[Pending]) -> None:
        """Note that nothing more has to be done about these; a partition that is to be given back may go then."""
        self._partitions.end(pending.partition for pending in events)
        if self._partitions.may_give_back:
            self._leasing.ring()


def _subjects(number: int) -> str:
    return f"{number} subject{'' if number == 1 else 's'}"
