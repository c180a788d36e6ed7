"""A thin shell around ShipX's REST API: one call, one answer, no redirects, no retries of its own.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153477 (hosts, headers)
Every call is made under a permit, which is given back with what the call showed of the carrier.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar
from uuid import uuid4

import httpx
import structlog
from pydantic import SecretStr, ValidationError

from bridge.carriers.shipx import shipment as shipments
from bridge.carriers.shipx import wire
from bridge.carriers.shipx.answer import Answer, judged
from bridge.carriers.transport import Transport
from bridge.errors import CarrierRefused, CarrierUnavailable, Unreadable
from bridge.lifecycle import Clock
from bridge.limits.connection import LEASE_S, Outcome, Purpose, Verdict
from bridge.model import OfferId, OrganizationId, ShipmentId
from bridge.observability import Metrics
from bridge.ports import Permit, Permits
from bridge.purchasing.shipment import Shipment

log = structlog.get_logger()

_CARRIER: Final = "shipx"
_MOST_BYTES: Final = 5 * 1024 * 1024
CONNECT_S: Final = LEASE_S * 3 / 8
"""The most that connecting takes, and the most that TLS takes after it. Both end clearly before a permit does: a
carrier who cannot be reached shows as that, and not as a process that stood still."""
_PATIENCE_TO_BUY_S: Final = 5.0
"""What was read grows old meanwhile: after that it is read anew."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: under which name it is measured, and what goes over the wire."""

    operation: str
    method: str
    path: str
    json: Any = None


class ShipxClient:
    """ShipX for one organization. No call takes longer than `http`'s timeout, and no request leaves after it."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        organization: OrganizationId,
        token: SecretStr,
        permits: Permits,
        metrics: Metrics,
        clock: Clock,
        version: str,
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._organization = organization
        self._token = token
        self._permits = permits
        self._metrics = metrics
        self._clock = clock
        self._version = version
        self._timeout_s = http.timeout.read or math.inf

    async def read(self, shipment: ShipmentId) -> Shipment:
        call = Call("read_shipment", "GET", f"/v1/shipments/{shipment}")
        return await self._ask(call, partial(self._shipment, shipment))

    @asynccontextmanager
    async def turn_to_buy(self) -> AsyncIterator[ShipxTurn]:
        """Take a turn before the intent is written down: from there on nothing may wait."""
        async with self._permits.permit(Purpose.buy, min(self._timeout_s, _PATIENCE_TO_BUY_S)) as permit:
            yield ShipxTurn(self, permit)

    async def organizations(self) -> list[OrganizationId]:
        """List the organizations that the token may act for. Raises CarrierUnavailable or CarrierRefused."""
        return await self._ask(_LIST, _organizations)

    async def _ask(self, call: Call, read: Callable[[Answer], T]) -> T:
        """Wait for a permit and make a call. Where the carrier was away, one that is about no shipment goes first."""
        while True:
            async with self._permits.permit(Purpose.read, self._timeout_s) as permit:
                if not permit.is_probe:
                    return await self.make(call, read, permit)
                await self._probe(permit)

    async def _probe(self, permit: Permit) -> None:
        """See whether the carrier is back; that it refuses is an answer, too."""
        with suppress(CarrierRefused):
            await self.make(_LIST, _organizations, permit)

    async def make(self, call: Call, read: Callable[[Answer], T], permit: Permit) -> T:
        """Make one call, all of it within the timeout and the permit: connecting, asking, reading."""
        try:
            async with asyncio.timeout(self._timeout_s), permit.in_time():
                found = read(await self._measured(call, _Latest(self._clock, self._timeout_s, permit)))
        except CarrierRefused as error:
            is_token = error.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
            permit.outcome = Outcome(Verdict.token_refused if is_token else Verdict.answered)
            raise
        except CarrierUnavailable as error:
            is_limited = error.status == httpx.codes.TOO_MANY_REQUESTS
            permit.outcome = Outcome(Verdict.limited if is_limited else Verdict.unusable, error.retry_after)
            raise
        except _StoodStill:  # our own doing, and nothing of the carrier's
            raise CarrierUnavailable("stood_still") from None
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            permit.outcome = Outcome(Verdict.unusable)
            # Without the cause: what it says may quote a header, and so the token.
            raise CarrierUnavailable(type(error).__name__) from None
        permit.outcome = Outcome(Verdict.answered)
        return found

    async def _measured(self, call: Call, latest: _Latest) -> Answer:
        started = time.perf_counter()
        outcome = "lost"
        try:
            answer = await self._exchange(call, latest)
            outcome = f"{answer.status // 100}xx"
            return judged(answer)
        finally:
            seconds = time.perf_counter() - started
            self._metrics.carrier_seconds.labels(_CARRIER, call.operation, outcome).observe(seconds)
            log.info("carrier.called", carrier=_CARRIER, operation=call.operation, outcome=outcome, s=round(seconds, 4))

    async def _exchange(self, call: Call, latest: _Latest) -> Answer:
        """Make the call and read the answer, no more of it than anybody needs."""
        asking = self._http.stream(
            call.method,
            self._base_url + call.path,
            headers=self._headers(),
            json=call.json,
            extensions={"trace": latest.look_before_sending},
        )
        async with asking as answer:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise CarrierUnavailable("too_long", status=answer.status_code)
            return Answer(answer.status_code, answer.headers, bytes(body))

    def _shipment(self, wanted: ShipmentId, answer: Answer) -> Shipment:
        try:
            found = shipments.read(answer.body, answer.date(self._clock()))
        except Unreadable as error:
            raise CarrierUnavailable(error.reason, status=answer.status) from None
        if found.id != wanted:
            raise CarrierUnavailable("another_shipment", status=answer.status)
        return found

    def _headers(self) -> Mapping[str, str]:
        return {
            "Authorization": f"Bearer {self._token.get_secret_value()}",
            "Accept": "application/json",
            "Accept-Language": "keys",
            "X-Request-ID": str(uuid4()),
            "X-User-Agent": "shipx-bridge",
            "X-User-Agent-Version": self._version,
        }


class ShipxTurn:
    """A turn to buy, good for one call."""

    def __init__(self, client: ShipxClient, permit: Permit) -> None:
        self._client = client
        self._permit: Permit | None = permit

    async def buy(self, shipment: ShipmentId, offer: OfferId) -> None:
        permit, self._permit = self._permit, None
        assert permit is not None, "one turn, one call"
        call = Call("buy", "POST", f"/v1/shipments/{shipment}/buy", json={"offer_id": offer})
        await self._client.make(call, _accepted, permit)


_LIST: Final = Call("list_organizations", "GET", "/v1/organizations")


def _organizations(answer: Answer) -> list[OrganizationId]:
    try:
        found = wire.Organizations.model_validate_json(answer.body)
    except ValidationError:
        raise CarrierUnavailable("unreadable_answer", status=answer.status) from None
    return [OrganizationId(one.id) for one in found.items]


def _accepted(_answer: Answer) -> None:
    """Believe nothing: only a read shows what became of a purchase."""


_LEAVING: Final = ("send_request_headers.started", "send_request_body.started")


class _StoodStill(Exception):
    """The process stood still, and what it wanted to send is too late."""


class _Latest:
    """The moment after which a call's request must not leave, whatever stood still meanwhile."""

    def __init__(self, clock: Clock, timeout_s: float, permit: Permit) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._permit = permit
        self._began = asyncio.get_running_loop().time()
        self._began_at = clock()

    async def look_before_sending(self, event: str, _: object) -> None:
        """Look at both clocks with the connection ready, before each part is sent: a process may have stood still."""
        if event.endswith(_LEAVING):
            elapsed = asyncio.get_running_loop().time() - self._began
            passed = (self._clock() - self._began_at).total_seconds()
            if max(elapsed, passed) >= self._timeout_s or self._permit.ran_out():
                raise _StoodStill


def bounds(timeout_s: float) -> httpx.Timeout:
    """Bound the parts of a call that may take so long: connecting and TLS each by less, every read and write by all."""
    return httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_S))


def make_http(*, timeout_s: float, at_once: int) -> httpx.AsyncClient:
    """Make the HTTP client for one organization: its pool is small, because a large one is slow.

    `timeout_s` bounds the parts of a call, as `bounds` has it; ShipxClient bounds the whole call by it, too.
    """
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    transport = Transport(limits=limits, trust_env=False)
    return httpx.AsyncClient(timeout=bounds(timeout_s), transport=transport, follow_redirects=False, trust_env=False)
