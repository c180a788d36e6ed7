"""One thing is done at the carrier, once, whatever becomes of the answer.

ShipX knows no idempotency: what is sent twice may be done twice. So a call is written down before it is made, and where
its answer is lost, its effect is looked for. Only what shows nowhere for long enough is sent again, a few times.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from bridge.commands.handling import Hand, Later
from bridge.commands.refusing import nothing_sent
from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable, NoPermit
from bridge.lifecycle import Clock
from bridge.model import Outcome, Progress
from bridge.shipping.attempt import ABSENT_AFTER, AGAIN, EARLIER, LIMITED, MOST_SENT, PATIENCE, UNCLEAR_AFTER, Attempt

log = structlog.get_logger()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Errand(Generic[T]):
    """What is to be done. `send` gives None where the answer says no more than that it was taken in.

    `look` gives what came of what was sent since a moment, None where nothing shows; what does not show for
    `absent_after` was not done. What could not be sent for `patience` is given back. With `looks_after_no` the first
    refusal, too, may mean that it was done before, and what a look does not show then was not. What is not there is
    sent again only where `may_repeat` says so. `noted` is kept beside how far it has come.
    """

    name: str
    send: Callable[[], Awaitable[T | None]]
    look: Callable[[datetime], Awaitable[T | None]]
    absent_after: timedelta = ABSENT_AFTER
    patience: timedelta = PATIENCE
    looks_after_no: bool = False
    may_repeat: Callable[[], bool] = lambda: True
    noted: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """It was done, and this came of it."""

    value: T


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier said no, and did nothing."""

    refusal: CarrierRefused


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody knows whether it was done."""


Came = Done[T] | Refused | Unclear | Later | Outcome
"""What came of it; an Outcome says that nothing was sent."""


class Once(Generic[T]):
    """Runs one errand, in the hand that has its command."""

    def __init__(self, errand: Errand[T], hand: Hand, clock: Clock) -> None:
        self._errand = errand
        self._hand = hand
        self._clock = clock

    async def run(self, attempt: Attempt) -> Came[T]:
        """Go on from what was written down."""
        found: Came[T] | Attempt = attempt
        while isinstance(found, Attempt):
            found = await (self._send(found) if found.sent_at is None else self._look(found))
        return found

    async def _send(self, attempt: Attempt) -> Came[T] | Attempt:
        sent = attempt.sending(self._clock())
        await self._hand.step(lambda _: None, lambda _: self._progress(sent))
        try:
            value = await self._errand.send()
        except NoPermit as error:
            return self._unsent(sent, str(error))
        except CarrierRefused as refusal:
            return await self._refused(sent, refusal)
        except CarrierUnavailable as error:
            if error.status == LIMITED:
                return self._unsent(sent, str(error))
            log.warning("carrier.in_doubt", errand=self._errand.name, reason=str(error))
            return self._later(sent.doubted(self._clock()), sent.look_in)
        return sent if value is None else Done(value)

    def _unsent(self, sent: Attempt, why: str) -> Came[T]:
        """Try again in a moment, for a while; what may have been sent before is not given back as if it never was."""
        before, now = sent.unsent(), self._clock()
        if not before.sent and now > before.since + self._errand.patience:
            return nothing_sent(f"the carrier could not be asked ({why}), so nothing was sent")
        return Unclear() if now > before.since + UNCLEAR_AFTER else self._later(before, AGAIN)

    async def _refused(self, sent: Attempt, refusal: CarrierRefused) -> Came[T]:
        """Believe a no, unless it may be one to a repeat: then what is there counts.

        The carrier may refuse a repeat for nothing but what it did at first, so that nothing shows proves no no.
        """
        if sent.sent == 1 and not self._errand.looks_after_no:
            return Refused(refusal)
        assert sent.sent_at is not None
        try:
            value = await self._errand.look(sent.since - EARLIER)
        except CarrierError as error:
            log.info("carrier.look_failed", errand=self._errand.name, reason=str(error))
            return self._later(sent, sent.look_in) if isinstance(error, CarrierUnavailable) else self._no(refusal)
        return self._no(refusal) if value is None else Done(value)

    def _no(self, refusal: CarrierRefused) -> Refused | Unclear:
        if self._errand.looks_after_no:
            return Refused(refusal)
        log.warning("carrier.repeat_refused", errand=self._errand.name, reason=str(refusal))
        return Unclear()

    async def _look(self, attempt: Attempt) -> Came[T] | Attempt:
        began_at = self._clock()
        try:
            value = await self._errand.look(attempt.since - EARLIER)
        except CarrierError as error:
            log.info("carrier.look_failed", errand=self._errand.name, reason=str(error))
            seen = attempt.looked(began_at, was_whole=False)
            return Unclear() if attempt.is_hopeless(began_at) else self._later(seen, attempt.look_in)
        if value is not None:
            return Done(value)
        seen = attempt.looked(began_at, was_whole=True)
        if not seen.is_absent(began_at, self._errand.absent_after):
            return self._later(seen, attempt.look_in)
        log.warning("carrier.absent", errand=self._errand.name, sent=attempt.sent)
        may_repeat = attempt.sent < MOST_SENT and self._errand.may_repeat()
        return attempt.again() if may_repeat else Unclear()

    def _later(self, attempt: Attempt, after: timedelta) -> Later:
        return Later(after, self._progress(attempt))

    def _progress(self, attempt: Attempt) -> Progress:
        at = {**attempt.written(), **self._errand.noted}
        return Progress(0, None, at, is_sent=attempt.sent > 0)
