"""A thin shell around a carrier's HTTP: one call, one answer, no redirects, no retries of its own.

Every call is made under a permit, which is given back with what the call showed of the carrier.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeVar

import httpx
import structlog

from bridge.carriers.answer import Answer, told
from bridge.carriers.clock import CarrierClock
from bridge.carriers.latest import Latest, StoodStill
from bridge.carriers.request import Request
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock
from bridge.limits.connection import Outcome, Verdict
from bridge.observability import Metrics
from bridge.ports import Permit

log = structlog.get_logger()

MOST_BYTES: Final = 5 * 1024 * 1024

T = TypeVar("T")


def login_refused(request: Request, refusal: CarrierRefused) -> bool:
    """Say whether a refusal is about our credentials, as carriers say it who keep to HTTP."""
    return request.is_login and refusal.is_unauthorized


class Shell:
    """Makes calls to one carrier. None takes longer than `http`'s timeout, and no request leaves after it.

    `is_login_refused` says which refusals are about our credentials, where that does not follow from the status.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        carrier: str,
        metrics: Metrics,
        clock: Clock,
        most_bytes: int = MOST_BYTES,
        is_login_refused: Callable[[Request, CarrierRefused], bool] = login_refused,
    ) -> None:
        self._http = http
        self._carrier = carrier
        self._metrics = metrics
        self._clock = clock
        self._carrier_clock = CarrierClock()
        self._most_bytes = most_bytes
        self._is_login_refused = is_login_refused
        self.timeout_s = http.timeout.read or math.inf

    async def make(self, request: Request, read: Callable[[Answer], T], permit: Permit) -> T:
        """Make one call, all of it within the timeout and the permit: connecting, asking, reading.

        `read` judges the answer, and raises CarrierRefused for a definite no, CarrierUnavailable for no usable answer.
        """
        try:
            async with asyncio.timeout(self.timeout_s), permit.in_time():
                found = read(await self._measured(request, Latest(self._clock, self.timeout_s, permit)))
        except CarrierRefused as error:
            is_login = self._is_login_refused(request, error)
            permit.outcome = Outcome(Verdict.token_refused if is_login else Verdict.answered)
            raise
        except CarrierUnavailable as error:
            is_limited = error.status == httpx.codes.TOO_MANY_REQUESTS
            permit.outcome = Outcome(Verdict.limited if is_limited else Verdict.unusable, error.retry_after)
            raise
        except StoodStill:  # our own doing, and nothing of the carrier's
            raise CarrierUnavailable("stood_still") from None
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            permit.outcome = Outcome(Verdict.unusable)
            # Without the cause: what it says may quote a header, and so the token.
            raise CarrierUnavailable(type(error).__name__) from None
        permit.outcome = Outcome(Verdict.answered)
        return found

    async def _measured(self, request: Request, latest: Latest) -> Answer:
        started = time.perf_counter()
        outcome = "lost"
        try:
            answer = await self._exchange(request, latest)
            outcome = f"{answer.status // 100}xx"
            return answer
        finally:
            seconds = time.perf_counter() - started
            self._metrics.carrier_seconds.labels(self._carrier, request.operation, outcome).observe(seconds)
            words = {"carrier": self._carrier, "operation": request.operation, "outcome": outcome}
            log.info("carrier.called", **words, s=round(seconds, 4))

    async def _exchange(self, request: Request, latest: Latest) -> Answer:
        """Make the call and read the answer, no more of it than anybody needs."""
        asking = self._http.stream(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            extensions={"trace": latest.look_before_sending},
        )
        async with asking as answer:
            if len(_codings(answer.headers)) > 1:
                raise CarrierUnavailable("coded_twice", status=answer.status_code)  # a thousandfold, each time
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > self._most_bytes:
                    raise CarrierUnavailable("too_long", status=answer.status_code)
            return Answer(answer.status_code, self._time(answer.headers), answer.headers, bytes(body))

    def _time(self, headers: Mapping[str, str]) -> datetime:
        """Give the carrier's time, as it tells it or as it was heard to tell it before."""
        ours, theirs = self._clock(), told(headers)
        if theirs is None:
            return self._carrier_clock.now(ours)
        self._carrier_clock = self._carrier_clock.heard(theirs, ours)
        return theirs


def _codings(headers: httpx.Headers) -> list[str]:
    """Say how an answer is packed, layer by layer."""
    return [one for one in headers.get_list("content-encoding", split_commas=True) if one.strip().lower() != "identity"]
