"""A thin shell around ShipX's REST API: one call, one answer, no redirects, no retries of its own.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153477 (hosts, headers), …/28639229 (errors).
Its edge answers HTML at times, so only a readable body counts as an answer.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol
from uuid import uuid4

import httpx
import structlog
from pydantic import SecretStr, ValidationError

from bridge.carriers.shipx import shipment as shipments
from bridge.carriers.shipx import wire
from bridge.errors import CarrierRefused, CarrierUnavailable, Unreadable
from bridge.lifecycle import Clock
from bridge.model import OfferId, OrganizationId, ShipmentId
from bridge.observability import Metrics
from bridge.purchasing.shipment import Shipment

log = structlog.get_logger()

_CARRIER: Final = "shipx"
_MOST_BYTES: Final = 5 * 1024 * 1024


class Limiter(Protocol):
    """Lets a call through when the agreed rate allows it."""

    def slot(self, *, at_once: bool = False) -> AbstractAsyncContextManager[None]:
        """Wait for a turn; `at_once` takes it on credit, and the calls after it wait the longer."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Neither its headers nor its body is for logs."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class ShipxClient:
    """ShipX for one organization."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        organization: OrganizationId,
        token: SecretStr,
        limiter: Limiter,
        metrics: Metrics,
        clock: Clock,
        version: str,
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._organization = organization
        self._token = token
        self._limiter = limiter
        self._metrics = metrics
        self._clock = clock
        self._version = version

    async def read(self, shipment: ShipmentId) -> Shipment:
        answer = await self._call("read_shipment", "GET", f"/v1/shipments/{shipment}")
        try:
            found = shipments.read(answer.body, self._date(answer))
        except Unreadable as error:
            raise CarrierUnavailable(error.reason, status=answer.status) from None
        if found.id != shipment:
            raise CarrierUnavailable("another_shipment", status=answer.status)
        return found

    async def buy(self, shipment: ShipmentId, offer: OfferId) -> None:
        # Whoever buys has just made sure that it is not too late: from there on nothing may wait.
        await self._call("buy", "POST", f"/v1/shipments/{shipment}/buy", json={"offer_id": offer}, at_once=True)

    async def organizations(self) -> list[OrganizationId]:
        """List the organizations that the token may act for. Raises CarrierUnavailable or CarrierRefused."""
        answer = await self._call("list_organizations", "GET", "/v1/organizations")
        try:
            found = wire.Organizations.model_validate_json(answer.body)
        except ValidationError:
            raise CarrierUnavailable("unreadable_answer", status=answer.status) from None
        return [OrganizationId(one.id) for one in found.items]

    async def _call(self, operation: str, method: str, path: str, json: Any = None, *, at_once: bool = False) -> Answer:
        async with self._limiter.slot(at_once=at_once):
            started = time.perf_counter()
            outcome = "lost"
            try:
                answer = await self._ask(method, self._base_url + path, json)
                outcome = f"{answer.status // 100}xx"
                return _judged(answer)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                # Without the cause: what it says may quote a header, and so the token.
                raise CarrierUnavailable(type(error).__name__) from None
            finally:
                seconds = time.perf_counter() - started
                self._metrics.carrier_seconds.labels(_CARRIER, operation, outcome).observe(seconds)
                log.info("carrier.called", carrier=_CARRIER, operation=operation, outcome=outcome, s=round(seconds, 4))

    async def _ask(self, method: str, url: str, json: Any) -> Answer:
        """Make the call and read the answer, no more of it and no longer than anybody needs."""
        async with (
            asyncio.timeout(_whole(self._http.timeout)),
            self._http.stream(method, url, headers=self._headers(), json=json) as answer,
        ):
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise CarrierUnavailable("too_long", status=answer.status_code)
            return Answer(answer.status_code, answer.headers, bytes(body))

    def _headers(self) -> Mapping[str, str]:
        return {
            "Authorization": f"Bearer {self._token.get_secret_value()}",
            "Accept": "application/json",
            "Accept-Language": "keys",
            "X-Request-ID": str(uuid4()),
            "X-User-Agent": "shipx-bridge",
            "X-User-Agent-Version": self._version,
        }

    def _date(self, answer: Answer) -> datetime:
        """Give the carrier's clock, which decides what has expired; ours where it names none."""
        try:
            date = parsedate_to_datetime(answer.headers["date"])
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
        except (KeyError, ValueError, OverflowError):
            return self._clock()


def _judged(answer: Answer) -> Answer:
    """Pass a success on; decide about everything else by status first, error key second, never by text."""
    status = answer.status
    if 200 <= status < 300:
        return answer
    if status == httpx.codes.TOO_MANY_REQUESTS or not 400 <= status < 500:
        raise CarrierUnavailable("not_now", status=status, retry_after=_retry_after(answer))
    try:
        key = wire.Refusal.model_validate_json(answer.body).error or "other"
    except ValidationError:
        raise CarrierUnavailable("unreadable_answer", status=status) from None
    raise CarrierRefused(key, status=status)


def _whole(timeout: httpx.Timeout) -> float | None:
    """Bound a whole call: its parts have their own limits, which a server that drips never exceeds."""
    parts = (timeout.pool, timeout.connect, timeout.write, timeout.read)
    return None if None in parts else sum(part for part in parts if part is not None)


def _retry_after(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() and len(text) < 6 else None


class SteadyRate:
    """Lets so many calls a minute through, a tenth of them in a burst, and so many at once."""

    def __init__(self, *, per_minute: int, at_once: int) -> None:
        self._interval = 60 / per_minute
        self._burst = max(per_minute / 10, 1) * self._interval
        self._at_once = asyncio.Semaphore(at_once)
        self._next = -math.inf

    @asynccontextmanager
    async def slot(self, *, at_once: bool = False) -> AsyncIterator[None]:
        """Hold one of the places for as long as the context is open."""
        async with self._at_once:
            now = asyncio.get_running_loop().time()
            self._next = max(self._next, now - self._burst) + self._interval
            if not at_once:
                await asyncio.sleep(max(self._next - now, 0))
            yield


def make_http(*, timeout_s: float, at_once: int) -> httpx.AsyncClient:
    """Make the HTTP client for one organization: its pool is small, because a large one is slow."""
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    return httpx.AsyncClient(timeout=timeout_s, limits=limits, follow_redirects=False, trust_env=False)
