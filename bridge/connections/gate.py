"""The gate: where one process's calls to a carrier wait for their permits, purchases first.

However many wait, one exchange with the database at a time speaks for all of them: it gives back what was used, keeps
what is still in use and asks for what is wanted, in one small transaction. Nothing is counted in the process itself.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from itertools import count
from typing import Final, Protocol, assert_never

import structlog

from bridge.connections.permit import Asked, Permit, Used, Wish
from bridge.errors import NoPermit, StoreError
from bridge.lifecycle import Bell, Clock
from bridge.limits.connection import (
    LEASE_S,
    Answer,
    Exchange,
    Exchanged,
    Granted,
    Later,
    Limits,
    Outcome,
    Purpose,
    Refused,
    Verdict,
)
from bridge.limits.rate import Rate

log = structlog.get_logger()

_RENEW_S: Final = 2.0
_STORE_AWAY_S: Final = 1.0
_CLOSE_S: Final = 2.0
_SPREAD: Final = 2
"""Over how many turns those come again who were late; meanwhile turns are saved up, so none is lost."""
_UNUSED: Final = Outcome(Verdict.unused)


class Connections(Protocol):
    """The rows that all replicas share."""

    async def exchange(self, name: str, limits: Limits, brought: Exchange, dice: float) -> Exchanged: ...


class Gate:
    """One connection's gate in this process. Close it before the database."""

    def __init__(
        self,
        connections: Connections,
        name: str,
        limits: Limits,
        *,
        holder: str,
        clock: Clock,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._connections = connections
        self._name = name
        self._limits = limits
        self._turn_s = Rate(limits.per_minute).interval / 1_000_000
        self._holder = holder
        self._clock = clock
        self._dice = dice
        self._numbers = count()
        self._wishes: list[Wish] = []
        self._held: dict[int, Permit] = {}
        self._used: list[Used] = []
        self._bell = Bell()
        self._speaker: asyncio.Task[None] | None = None
        self._broken: BaseException | None = None
        self._ask_at = self._told = math.inf
        self._renew_at = self._away_until = 0.0

    @asynccontextmanager
    async def permit(self, purpose: Purpose, patience_s: float) -> AsyncIterator[Permit]:
        """Hold a permit for one call. Raises NoPermit where there is none to be had, or not in time."""
        permit = await self._granted(purpose, patience_s)
        try:
            yield permit
        finally:
            self._give_back(permit.token, permit.outcome)

    def wake(self) -> None:
        """Ask once more: somebody else may have made room."""
        if self._wishes:
            self._ask_now()

    async def close(self) -> None:
        """Give back what there is to give back; what is not ends by itself soon."""
        if self._speaker is not None:
            self._bell.ring()
            await asyncio.wait([self._speaker], timeout=_CLOSE_S)
            self._speaker.cancel()
            with suppress(asyncio.CancelledError):
                await self._speaker

    # -- for whoever calls ---------------------------------------------------------------------------------------------

    async def _granted(self, purpose: Purpose, patience_s: float) -> Permit:
        loop = asyncio.get_running_loop()
        if purpose is Purpose.buy:  # at one call a minute nothing would ever be bought
            patience_s += self._turn_s
        wish = Wish(purpose, next(self._numbers), loop.time() + patience_s, loop.create_future())
        self._wishes.append(wish)
        if wish is min(self._wishes):
            self._ask_now()
        try:
            async with asyncio.timeout(patience_s):
                return await wish.granted
        except TimeoutError:
            self._forget(wish)
            raise NoPermit("no_turn") from None
        except asyncio.CancelledError:
            self._forget(wish)
            raise

    def _forget(self, wish: Wish) -> None:
        """Let go of a wish; a permit that came at the last moment is nobody's."""
        if wish in self._wishes:
            self._wishes.remove(wish)
        elif wish.granted.done() and not wish.granted.cancelled() and wish.granted.exception() is None:
            self._give_back(wish.granted.result().token, _UNUSED)

    def _give_back(self, token: int, outcome: Outcome) -> None:
        """Leave it to the next exchange, so that nobody waits for that."""
        self._held.pop(token, None)
        self._used.append(Used(token, outcome, asyncio.get_running_loop().time()))
        self._begin()

    def _ask_now(self) -> None:
        self._ask_at = 0.0
        self._begin()

    def _begin(self) -> None:
        """Wake who speaks to the database, or appoint somebody. What broke there before is raised here."""
        if self._broken is not None:
            raise self._broken
        if self._speaker is None or self._speaker.done():
            # It speaks for everybody, so it takes no log context from whoever happened to come first.
            self._speaker = asyncio.create_task(self._speak(), name=f"gate.{self._name}", context=Context())
        self._bell.ring()

    # -- for who speaks to the database --------------------------------------------------------------------------------

    async def _speak(self) -> None:
        """Exchange for as long as there is a reason to."""
        try:
            while self._used or self._wishes or self._held:
                seconds = self._next_at() - asyncio.get_running_loop().time()
                if seconds > 0:
                    await self._bell.wait(seconds)
                else:
                    await self._exchange()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - a bug: it ends whoever waits, or comes next
            self._broken = error
            for wish in self._wishes:
                if not wish.granted.done():
                    wish.granted.set_exception(error)
            self._wishes.clear()

    def _next_at(self) -> float:
        """Say when there is something to exchange."""
        ask_at = self._ask_at if self._wishes else math.inf
        renew_at = self._renew_at if self._held else math.inf
        return max(0.0 if self._used else min(ask_at, renew_at), self._away_until)

    async def _exchange(self) -> None:
        wishes, used, held = sorted(self._wishes), list(self._used), list(self._held.values())
        asked = Asked(asyncio.get_running_loop().time(), self._clock())
        self._ask_at, self._renew_at = math.inf, asked.time + _RENEW_S
        brought = Exchange(
            self._holder,
            [(one.token, one.outcome) for one in used],
            [one.token for one in held],
            [one.purpose for one in wishes],
        )
        try:
            done = await self._connections.exchange(self._name, self._limits, brought, self._dice())
        except StoreError as error:
            self._store_away(error, asked)
            return
        del self._used[: len(used)]
        for permit in held:
            if permit.token not in done.lost:
                permit.extend(asked)
        _log_change(done)
        for wish, answer in zip(wishes, done.answers, strict=False):
            self._answer(wish, answer, done, asked)
        if self._wishes and not any(isinstance(answer, Later) for answer in done.answers):
            self._ask_at = 0.0  # they came while we were asking for others

    def _store_away(self, error: StoreError, asked: Asked) -> None:
        """Try again soon. What was not given back by the end of its time is free anyway."""
        log.warning("connection.store_unavailable", connection=self._name, error=type(error).__name__)
        self._ask_at, self._away_until = 0.0, asked.time + _STORE_AWAY_S
        self._used = [one for one in self._used if asked.time - one.at < LEASE_S]

    def _answer(self, wish: Wish, answer: Answer, done: Exchanged, asked: Asked) -> None:
        match answer:
            case Granted(token, is_probe):
                self._told = math.inf
                self._grant(wish, Permit(token, asked, is_probe=is_probe, clock=self._clock))
            case Refused(reason, until):
                seconds = None if until is None else (until - done.now) / 1_000_000
                self._disappoint(wish, NoPermit(reason, retry_after=seconds))
            case Later():
                self._put_off(wish, answer, (answer.at - done.now) / 1_000_000, asked)
            case _:
                assert_never(answer)

    def _grant(self, wish: Wish, permit: Permit) -> None:
        if wish.granted.done():  # it was given up meanwhile
            self._give_back(permit.token, _UNUSED)
            return
        self._held[permit.token] = permit
        self._wishes.remove(wish)
        wish.granted.set_result(permit)

    def _disappoint(self, wish: Wish, error: NoPermit) -> None:
        if not wish.granted.done():
            self._wishes.remove(wish)
            wish.granted.set_exception(error)

    def _put_off(self, first: Wish, answer: Later, seconds: float, asked: Asked) -> None:
        """Ask again at the time told; where somebody was faster than us then, a little later, to each his own."""
        told = asyncio.get_running_loop().time() + seconds
        spread = (
            2 * self._dice() * Rate(self._limits.per_minute).interval / 1_000_000 if asked.time >= self._told else 0.0
        )
        self._told = told if answer.is_certain else math.inf
        self._ask_at = min(self._ask_at, told + spread)
        if answer.is_certain:
            for wish in [one for one in self._wishes if one.latest < told and not _goes_before(one, first)]:
                self._disappoint(wish, NoPermit("no_turn", retry_after=seconds))
            if first not in self._wishes:
                self._ask_at = 0.0  # who stood behind it may leave on credit


def _goes_before(wish: Wish, first: Wish) -> bool:
    """Say whether a purchase, once the one before it has given up, may leave before that one could have."""
    return wish.purpose is Purpose.buy and first.purpose is not Purpose.buy


def _log_change(done: Exchanged) -> None:
    """Say what our own calls have shown of the carrier."""
    before, after = done.before, done.connection.breaker
    if after.trips > before.trips and after.open_until is not None:
        seconds = round((after.open_until - done.now) / 1_000_000, 1)
        name, failures = done.connection.name, after.failures
        log.warning("connection.breaker_opened", connection=name, failures=failures, seconds=seconds)
    elif before.trips and not after.trips:
        log.info("connection.breaker_closed", connection=done.connection.name)
