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

    def slot(self, *, on_credit: bool = False) -> AbstractAsyncContextManager[None]:
        """Wait for a turn; `on_credit` takes it before it has come, and the calls after it wait the longer."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Neither its headers nor its body is for logs."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class ShipxClient:
    """ShipX for one organization. No call takes longer than `http`'s timeout, and no request leaves after it."""

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
        self._timeout_s = http.timeout.read
        self.degraded_since: datetime | None = None
        """Since when the carrier gives no usable answer, or refuses the token; None after any other answer."""

    async def read(self, shipment: ShipmentId) -> Shipment:
        answer = await self._call("read_shipment", "GET", f"/v1/shipments/{shipment}")
        try:
            found = shipments.read(answer.body, self._date(answer))
        except Unreadable as error:
            raise self._no_answer(CarrierUnavailable(error.reason, status=answer.status)) from None
        if found.id != shipment:
            raise self._no_answer(CarrierUnavailable("another_shipment", status=answer.status))
        self.degraded_since = None
        return found

    async def buy(self, shipment: ShipmentId, offer: OfferId) -> None:
        # Whoever buys has just made sure that it is not too late: from there on nothing may wait.
        await self._call("buy", "POST", f"/v1/shipments/{shipment}/buy", json={"offer_id": offer}, on_credit=True)
        self.degraded_since = None

    async def organizations(self) -> list[OrganizationId]:
        """List the organizations that the token may act for. Raises CarrierUnavailable or CarrierRefused."""
        answer = await self._call("list_organizations", "GET", "/v1/organizations")
        try:
            found = wire.Organizations.model_validate_json(answer.body)
        except ValidationError:
            raise self._no_answer(CarrierUnavailable("unreadable_answer", status=answer.status)) from None
        self.degraded_since = None
        return [OrganizationId(one.id) for one in found.items]

    async def _call(
        self, operation: str, method: str, path: str, json: Any = None, *, on_credit: bool = False
    ) -> Answer:
        """Make one call, all of it within the timeout: waiting for a turn, connecting, asking, reading."""
        latest = _Latest(self._clock, self._timeout_s)
        has_turn = False
        try:
            async with asyncio.timeout(self._timeout_s), self._limiter.slot(on_credit=on_credit):
                has_turn = True
                return await self._measured(operation, method, self._base_url + path, json, latest)
        except CarrierRefused as error:
            self._refused(error)
            raise
        except CarrierUnavailable as error:
            raise self._no_answer(error) from None
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            if not has_turn:  # our own rate, and nothing of the carrier's
                raise CarrierUnavailable("no_turn") from None
            # Without the cause: what it says may quote a header, and so the token.
            raise self._no_answer(CarrierUnavailable(type(error).__name__)) from None

    async def _measured(self, operation: str, method: str, url: str, json: Any, latest: _Latest) -> Answer:
        started = time.perf_counter()
        outcome = "lost"
        try:
            answer = await self._ask(method, url, json, latest)
            outcome = f"{answer.status // 100}xx"
            return _judged(answer)
        finally:
            seconds = time.perf_counter() - started
            self._metrics.carrier_seconds.labels(_CARRIER, operation, outcome).observe(seconds)
            log.info("carrier.called", carrier=_CARRIER, operation=operation, outcome=outcome, s=round(seconds, 4))

    async def _ask(self, method: str, url: str, json: Any, latest: _Latest) -> Answer:
        """Make the call and read the answer, no more of it than anybody needs."""
        asking = self._http.stream(
            method, url, headers=self._headers(), json=json, extensions={"trace": latest.look_before_sending}
        )
        async with asking as answer:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise CarrierUnavailable("too_long", status=answer.status_code)
            return Answer(answer.status_code, answer.headers, bytes(body))

    def _no_answer(self, error: CarrierUnavailable) -> CarrierUnavailable:
        self.degraded_since = self.degraded_since or self._clock()
        return error

    def _refused(self, error: CarrierRefused) -> None:
        is_token = error.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
        self.degraded_since = (self.degraded_since or self._clock()) if is_token else None

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
        key = wire.Refusal.model_validate_json(answer.body).error
    except ValidationError:
        raise CarrierUnavailable("unreadable_answer", status=status) from None
    raise CarrierRefused(key if key in wire.ERROR_KEYS else "other", status=status)


_LEAVING: Final = ("send_request_headers.started", "send_request_body.started")


class _Latest:
    """The moment after which a call's request must not leave, whatever stood still meanwhile."""

    def __init__(self, clock: Clock, timeout_s: float | None) -> None:
        self._clock = clock
        self._timeout_s = math.inf if timeout_s is None else timeout_s
        self._began = asyncio.get_running_loop().time()
        self._began_at = clock()

    async def look_before_sending(self, event: str, _: object) -> None:
        """Look at both clocks with the connection ready, before each part is sent: a process may have stood still."""
        if event.endswith(_LEAVING):
            elapsed = asyncio.get_running_loop().time() - self._began
            passed = (self._clock() - self._began_at).total_seconds()
            if max(elapsed, passed) >= self._timeout_s:
                raise TimeoutError


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
    async def slot(self, *, on_credit: bool = False) -> AsyncIterator[None]:
        """Hold one of the places for as long as the context is open."""
        async with self._at_once:
            now = asyncio.get_running_loop().time()
            self._next = max(self._next, now - self._burst) + self._interval
            if not on_credit:
                try:
                    await asyncio.sleep(max(self._next - now, 0))
                except asyncio.CancelledError:
                    self._next -= self._interval  # given up: the turn is somebody else's
                    raise
            yield


def make_http(*, timeout_s: float, at_once: int) -> httpx.AsyncClient:
    """Make the HTTP client for one organization: its pool is small, because a large one is slow.

    `timeout_s` bounds its parts (connecting, TLS, every read); ShipxClient bounds the whole call by it, too.
    """
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    return httpx.AsyncClient(timeout=timeout_s, limits=limits, follow_redirects=False, trust_env=False)
