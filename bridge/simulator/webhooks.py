"""The sender of notifications, and a record of every attempt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import httpx

from bridge.simulator.clock import Clock
from bridge.simulator.documents import Document
from bridge.simulator.notices import shipment_of
from bridge.simulator.scenario import Webhooks as WebhookTerms
from bridge.simulator.schedule import Schedule

Then = Callable[[], None]


@dataclass
class Attempt:
    """One POST to a notification URL: what was sent, and what came back."""

    id: int
    url: str
    event: str
    organization_id: int
    shipment_id: int
    body: Document
    repeat: bool
    retry: int
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    status: int | None = None
    answer: object = None
    error: str | None = None

    @property
    def acknowledged(self) -> bool:
        """Say whether the receiver took it: with exactly 200."""
        return self.status == 200


class WebhookSender:
    """Post notifications, a few at a time, and retry what the scenario says.

    Whether the real carrier retries at all is not documented, so the default does not.
    """

    def __init__(
        self, terms: WebhookTerms, clock: Clock, schedule: Schedule, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._terms = terms
        self._clock = clock
        self._schedule = schedule
        limits = httpx.Limits(max_connections=terms.max_in_flight)
        # trust_env is off so that a proxy of the machine never sees the notifications
        self._client = httpx.AsyncClient(transport=transport, timeout=terms.timeout, limits=limits, trust_env=False)
        self._gate = asyncio.Semaphore(terms.max_in_flight)
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempts: list[Attempt] = []

    @property
    def in_flight(self) -> int:
        """Count what is being sent or waits for a free connection."""
        return len(self._tasks)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return tuple(self._attempts)

    def after(self, attempt_id: int) -> Iterator[Attempt]:
        """List the attempts that followed this one; 0 lists all. Ids are positions, from 1."""
        return islice(self._attempts, max(0, attempt_id), None)

    def get(self, attempt_id: int) -> Attempt | None:
        return self._attempts[attempt_id - 1] if 1 <= attempt_id <= len(self._attempts) else None

    def send(self, url: str, notice: Document, *, repeat: bool = False, then: Then | None = None) -> None:
        """Send one notification; `then` comes after the answer, or after there was none."""
        self._send(url, notice, repeat=repeat, then=then)

    def resend(self, attempt: Attempt) -> None:
        """Send the same body to the same URL again."""
        self._send(attempt.url, attempt.body, repeat=True)

    async def settle(self) -> None:
        """Wait until nothing is in flight."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def aclose(self) -> None:
        """Drop what is in flight and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def _send(
        self, url: str, body: Document, *, repeat: bool = False, retry: int = 0, then: Then | None = None
    ) -> None:
        attempt = _attempt(len(self._attempts) + 1, url, body, repeat=repeat, retry=retry)
        self._attempts.append(attempt)
        task = asyncio.create_task(self._post(attempt, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, attempt: Attempt, then: Then | None) -> None:
        async with self._gate:
            attempt.sent_at = self._clock.now()
            try:
                answer = await self._client.post(attempt.url, json=attempt.body)
            except httpx.HTTPError as error:
                attempt.error = type(error).__name__
            else:
                attempt.status, attempt.answer = answer.status_code, _json_of(answer)
                attempt.answered_at = self._clock.now()
        if not attempt.acknowledged:
            self._plan_retry(attempt)
        if then:
            then()

    def _plan_retry(self, attempt: Attempt) -> None:
        if attempt.retry < len(self._terms.retries):
            seconds = self._terms.retries[attempt.retry]
            self._schedule.after(seconds, lambda: self._retry(attempt))

    def _retry(self, attempt: Attempt) -> None:
        self._send(attempt.url, attempt.body, repeat=attempt.repeat, retry=attempt.retry + 1)


def _attempt(attempt_id: int, url: str, body: Document, *, repeat: bool, retry: int) -> Attempt:
    organization_id = body["organization_id"]
    assert isinstance(organization_id, int)
    return Attempt(attempt_id, url, str(body["event"]), organization_id, shipment_of(body), body, repeat, retry)


def _json_of(answer: httpx.Response) -> object:
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
