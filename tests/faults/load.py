"""Many parcels' lives as webhooks, and a sender that repeats whatever was not acknowledged."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

import httpx

from bridge.carriers.transport import Transport
from tests.support.bridge import ORGANIZATION
from tests.support.http import NO_TLS

LIFE: Final = (
    "confirmed",
    "dispatched_by_sender",
    "collected_from_sender",
    "adopted_at_source_branch",
    "sent_from_source_branch",
    "adopted_at_sorting_center",
    "out_for_delivery",
    "delivered",
)
"""What is reported of every parcel; each word once, so that each is one status event."""
_SENDERS: Final = 16
_AGAIN_S: Final = 0.05
_BEGAN: Final = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as the carrier sends it."""

    shipment: int
    word: str
    body: bytes


def lives(shipments: int, first: int = 1) -> list[Webhook]:
    """Give the webhooks of this many parcels, numbered from `first` on, in order."""
    return [
        _webhook(shipment, word, _BEGAN + timedelta(seconds=shipment, hours=hours))
        for shipment in range(first, first + shipments)
        for hours, word in enumerate(LIFE)
    ]


def shuffled(webhooks: Sequence[Webhook], repeats: int, random: Random) -> list[Webhook]:
    """Mix in this many repeats, and lose all order."""
    mixed = [*webhooks, *random.choices(webhooks, k=repeats)]
    random.shuffle(mixed)
    return mixed


def facts(webhooks: Sequence[Webhook]) -> Counter[tuple[str, str, str]]:
    """Say what a consumer must learn from them: (subject, type, word), each once."""
    found = {(f"shipment/{one.shipment}", "bridge.shipment.status_changed.v1", one.word) for one in webhooks}
    for one in webhooks:
        found |= {
            (f"shipment/{one.shipment}", "bridge.shipment.confirmed.v1", ""),
            (f"shipment/{one.shipment}", "bridge.shipment.tracking_number_assigned.v1", ""),
        }
    return Counter(found)


def _webhook(shipment: int, word: str, at: datetime) -> Webhook:
    confirms = word == "confirmed"
    payload: dict[str, object] = {"shipment_id": shipment, "tracking_number": f"62{shipment:022d}"}
    document = {
        "event_ts": f"{at:%Y-%m-%d %H:%M:%S} +0000",
        "event": "shipment_confirmed" if confirms else "shipment_status_changed",
        "organization_id": ORGANIZATION,
        "payload": payload if confirms else payload | {"status": word},
    }
    return Webhook(shipment, word, json.dumps(document).encode())


@dataclass
class Sender:
    """Posts webhooks at their times, many at once, each until a 200 says that it is kept."""

    urls: Sequence[str]
    """Where the webhook URL is served: each attempt goes to one of them, as behind a load balancer."""
    random: Random
    answers: list[tuple[Webhook, str, str]] = field(default_factory=list)
    """Each webhook with its outcome and delivery id."""
    failures: Counter[str] = field(default_factory=Counter)
    """What was answered instead, and how often."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What every request carries."""

    async def send(self, webhooks: Sequence[Webhook], seconds: float) -> None:
        """Spread the webhooks at random over so many seconds, and come back when all are acknowledged."""
        now = asyncio.get_running_loop().time()
        order = itertools.count()
        waiting = [(now + self.random.uniform(0, seconds), next(order), one) for one in webhooks]
        heapq.heapify(waiting)
        async with self._client() as http, asyncio.TaskGroup() as group:
            for _ in range(_SENDERS):
                group.create_task(self._work(http, waiting, order))

    async def stream(self, webhooks: Iterable[Webhook], pause_s: float, over: asyncio.Event) -> list[Webhook]:
        """Send them in order at a steady rate on connections that stay open, until it is over; gives what was sent."""
        rest, sent = iter(webhooks), list[Webhook]()

        async def go_on(http: httpx.AsyncClient) -> None:
            for webhook in rest:
                sent.append(webhook)
                while not await self._is_kept(http, webhook):  # noqa: ASYNC110 # a repeat, not a wait
                    await asyncio.sleep(_AGAIN_S)
                if over.is_set():
                    return
                await asyncio.sleep(pause_s)

        async with self._client() as http, asyncio.TaskGroup() as group:
            for _ in range(_SENDERS):
                group.create_task(go_on(http))
        assert over.is_set(), "there were too few webhooks"
        return sent

    def _client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=_SENDERS, max_keepalive_connections=_SENDERS)
        transport = Transport(limits=limits, verify=NO_TLS)
        return httpx.AsyncClient(timeout=10, transport=transport, headers=self.headers, trust_env=False)

    async def _work(
        self, http: httpx.AsyncClient, waiting: list[tuple[float, int, Webhook]], order: Iterator[int]
    ) -> None:
        loop = asyncio.get_running_loop()
        while waiting:
            due, _, webhook = heapq.heappop(waiting)
            await asyncio.sleep(max(due - loop.time(), 0))
            if not await self._is_kept(http, webhook):
                heapq.heappush(waiting, (loop.time() + _AGAIN_S, next(order), webhook))

    async def _is_kept(self, http: httpx.AsyncClient, webhook: Webhook) -> bool:
        try:
            answer = await http.post(self.random.choice(self.urls), content=webhook.body)
        except httpx.TransportError as error:
            self.failures[type(error).__name__] += 1
            return False
        if answer.status_code != 200:
            self.failures[str(answer.status_code)] += 1
            return False
        found = answer.json()
        self.answers.append((webhook, found["outcome"], found["delivery_id"]))
        return True
