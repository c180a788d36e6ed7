"""A thin shell around ShipX's REST API: one call, one answer, no redirects, no retries of its own.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153477 (hosts, headers)
Every call is made under a permit, which is given back with what the call showed of the carrier.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeVar
from uuid import uuid4

import httpx
import structlog
from pydantic import SecretStr

from bridge.carriers.shipx import exact
from bridge.carriers.shipx.answer import Answer, judged, told
from bridge.carriers.shipx.calls import Call
from bridge.carriers.shipx.clock import CarrierClock
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock
from bridge.limits.connection import Outcome, Verdict
from bridge.observability import Metrics
from bridge.ports import Permit

log = structlog.get_logger()

_CARRIER: Final = "shipx"
_MOST_BYTES: Final = 5 * 1024 * 1024

T = TypeVar("T")


class Caller:
    """Makes calls to one host. None takes longer than `http`'s timeout, and no request leaves after it."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        token: SecretStr,
        metrics: Metrics,
        clock: Clock,
        version: str,
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._metrics = metrics
        self._clock = clock
        self._carrier_clock = CarrierClock()
        self._version = version
        self.timeout_s = http.timeout.read or math.inf

    async def make(self, call: Call, read: Callable[[Answer], T], permit: Permit) -> T:
        """Make one call, all of it within the timeout and the permit: connecting, asking, reading."""
        try:
            async with asyncio.timeout(self.timeout_s), permit.in_time():
                found = read(await self._measured(call, _Latest(self._clock, self.timeout_s, permit)))
        except CarrierRefused as error:
            is_token = not call.is_public and error.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
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
            return judged(answer, call)
        finally:
            seconds = time.perf_counter() - started
            self._metrics.carrier_seconds.labels(_CARRIER, call.operation, outcome).observe(seconds)
            log.info("carrier.called", carrier=_CARRIER, operation=call.operation, outcome=outcome, s=round(seconds, 4))

    async def _exchange(self, call: Call, latest: _Latest) -> Answer:
        """Make the call and read the answer, no more of it than anybody needs."""
        asking = self._http.stream(
            call.method,
            self._base_url + call.path,
            headers=self._headers(call),
            content=None if call.json is None else exact.encode(call.json),
            extensions={"trace": latest.look_before_sending},
        )
        async with asking as answer:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise CarrierUnavailable("too_long", status=answer.status_code)
            return Answer(answer.status_code, self._time(answer.headers), answer.headers, bytes(body))

    def _time(self, headers: Mapping[str, str]) -> datetime:
        """Give the carrier's time, as it tells it or as it was heard to tell it before."""
        ours, theirs = self._clock(), told(headers)
        if theirs is None:
            return self._carrier_clock.now(ours)
        self._carrier_clock = self._carrier_clock.heard(theirs, ours)
        return theirs

    def _headers(self, call: Call) -> Mapping[str, str]:
        """Say who asks. What everybody may ask is asked without the token."""
        token = {} if call.is_public else {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        body = {} if call.json is None else {"Content-Type": "application/json"}
        return {
            **token,
            **body,
            "Accept": call.accept,
            "Accept-Language": "keys",
            "X-Request-ID": str(uuid4()),
            "X-User-Agent": "shipx-bridge",
            "X-User-Agent-Version": self._version,
        }


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
