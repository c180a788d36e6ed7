"""A thin shell around ShipX's REST API: one call, one answer, no redirects, no retries of its own.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153477 (hosts, headers), …/28639229 (errors).
Its edge answers HTML at times, so only a readable body counts as an answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
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

    def slot(self) -> AbstractAsyncContextManager[None]: ...


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
            return shipments.read(answer.content, self._date(answer))
        except Unreadable as error:
            raise CarrierUnavailable(error.reason, status=answer.status_code) from None

    async def buy(self, shipment: ShipmentId, offer: OfferId) -> None:
        await self._call("buy", "POST", f"/v1/shipments/{shipment}/buy", json={"offer_id": offer})

    async def organizations(self) -> list[OrganizationId]:
        """List the organizations that the token may act for. Raises CarrierUnavailable or CarrierRefused."""
        answer = await self._call("list_organizations", "GET", "/v1/organizations")
        try:
            found = wire.Organizations.model_validate_json(answer.content)
        except ValidationError:
            raise CarrierUnavailable("unreadable_answer", status=answer.status_code) from None
        return [OrganizationId(one.id) for one in found.items]

    async def _call(self, operation: str, method: str, path: str, json: Any = None) -> httpx.Response:
        async with self._limiter.slot():
            started = time.perf_counter()
            outcome = "lost"
            try:
                answer = await self._http.request(method, self._base_url + path, headers=self._headers(), json=json)
                outcome = f"{answer.status_code // 100}xx"
                return _judged(answer)
            except (httpx.TransportError, httpx.InvalidURL) as error:
                raise CarrierUnavailable(type(error).__name__) from error
            finally:
                seconds = time.perf_counter() - started
                self._metrics.carrier_seconds.labels(_CARRIER, operation, outcome).observe(seconds)
                log.info("carrier.called", carrier=_CARRIER, operation=operation, outcome=outcome, s=round(seconds, 4))

    def _headers(self) -> Mapping[str, str]:
        return {
            "Authorization": f"Bearer {self._token.get_secret_value()}",
            "Accept": "application/json",
            "Accept-Language": "keys",
            "X-Request-ID": str(uuid4()),
            "X-User-Agent": "shipx-bridge",
            "X-User-Agent-Version": self._version,
        }

    def _date(self, answer: httpx.Response) -> datetime:
        """Give the carrier's clock, which decides what has expired; ours where it names none."""
        try:
            return parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return self._clock()


def _judged(answer: httpx.Response) -> httpx.Response:
    """Pass a success on; decide about everything else by status first, error key second, never by text."""
    if answer.is_success and len(answer.content) <= _MOST_BYTES:
        return answer
    status = answer.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS or not 400 <= status < 500:
        raise CarrierUnavailable("not_now", status=status, retry_after=_retry_after(answer))
    try:
        key = wire.Refusal.model_validate_json(answer.content).error or "other"
    except ValidationError:
        raise CarrierUnavailable("unreadable_answer", status=status) from None
    raise CarrierRefused(key, status=status)


def _retry_after(answer: httpx.Response) -> float | None:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() and len(text) < 6 else None


class SteadyRate:
    """Lets so many calls a minute through, a tenth of them in a burst, and so many at once."""

    def __init__(self, *, per_minute: int, at_once: int) -> None:
        self._interval = 60 / per_minute
        self._burst = max(per_minute / 10, 1) * self._interval
        self._at_once = asyncio.Semaphore(at_once)
        self._next = 0.0

    def slot(self) -> AbstractAsyncContextManager[None]:
        return self

    async def __aenter__(self) -> None:
        await self._at_once.acquire()
        try:
            now = asyncio.get_running_loop().time()
            self._next = max(self._next, now - self._burst) + self._interval
            await asyncio.sleep(max(self._next - now, 0))
        except BaseException:
            self._at_once.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._at_once.release()


def make_http(*, timeout_s: float, at_once: int) -> httpx.AsyncClient:
    """Make the HTTP client for one organization: its pool is small, because a large one is slow."""
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    return httpx.AsyncClient(timeout=timeout_s, limits=limits, follow_redirects=False, trust_env=False)
