"""Access tokens: fetched once for everybody who waits, kept until shortly before they end, and never logged.

OAuth 2.0 client credentials at Keycloak; an access token is good for 300 seconds in the page's sample (2026-10).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import httpx
from pydantic import SecretStr, ValidationError

from bridge.carriers import shapes
from bridge.carriers.answer import Answer, is_yes
from bridge.carriers.inpost_returns.wire import TokenRefusal, TokenShape
from bridge.carriers.inpost_returns.words import SOURCE, TOKEN_ERRORS
from bridge.carriers.request import Request
from bridge.carriers.shell import Shell
from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.observability import Metrics
from bridge.ports import Permits

_EARLY: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are there."""

    client_id: str
    client_secret: SecretStr


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. From `renew_at` on it is not used for a new call: it would end on the way."""

    value: SecretStr
    renew_at: datetime
    number: int
    """Which one it is, of those that were fetched."""


class Tokens:
    """Holds the token of one client. Another host gives it out, but a call to that is one more call from us."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        token_url: str,
        credentials: Credentials,
        permits: Permits,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        # Whatever it refuses, it refuses us: nothing else is asked of it.
        self._shell = Shell(
            http, carrier=SOURCE, metrics=metrics, clock=clock, is_login_refused=lambda _request, _refusal: True
        )
        self._token_url = token_url
        self._credentials = credentials
        self._permits = permits
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._held: Token | None = None
        self._failure: CarrierError | None = None
        self._ended = 0
        self._taken: int | None = None

    @property
    def held(self) -> Token | None:
        """The last one, whether it is still good or not."""
        return self._held

    async def current(self, purpose: Purpose) -> Token:
        """Give a token that will last for a call. Raises CarrierUnavailable or CarrierRefused."""
        return await self._give(self._is_good, purpose)

    async def renewed(self, refused: Token, purpose: Purpose) -> Token:
        """Give another token than this one, which may have come meanwhile. Raises as `current` does."""
        return await self._give(lambda held: held.number != refused.number and self._is_good(held), purpose)

    def note_taken(self, token: Token) -> None:
        """Remember that the API took a token."""
        self._taken = token.number

    def was_taken(self, token: Token) -> bool:
        """Say whether the API ever took a token: where it did, only the token is at fault, and not who we are."""
        return self._taken == token.number

    def _is_good(self, held: Token) -> bool:
        return self._clock() < held.renew_at

    async def _give(self, will_do: Callable[[Token], bool], purpose: Purpose) -> Token:
        """Give the one we hold or fetch one: of those who come at once, one fetches for all.

        Whoever waited for somebody else's fetch shares its failure, and does not try again at once.
        """
        ended = self._ended
        async with self._fetching:
            if self._held is not None and will_do(self._held):
                return self._held
            if self._failure is not None and self._ended != ended:
                raise self._failure.with_traceback(None)
            self._failure = None
            try:
                self._held = await self._fetch(purpose)
            except CarrierError as error:
                self._failure = error
                raise
            finally:
                self._ended += 1
            return self._held

    async def _fetch(self, purpose: Purpose) -> Token:
        """Fetch one, reckoned from before it was asked for. Where the carrier was away, this is the probe as well."""
        async with self._permits.permit(purpose, self._shell.timeout_s) as permit:
            asked_at = self._clock()
            found = await self._shell.make(self._request(), _read, permit)
        lasts = timedelta(seconds=found.expires_in)
        return Token(SecretStr(found.access_token), asked_at + max(lasts - _EARLY, lasts / 2), self._ended)

    def _request(self) -> Request:
        form = {
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret.get_secret_value(),
            "grant_type": "client_credentials",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return Request("fetch_token", "POST", self._token_url, headers, urlencode(form).encode("ascii"))


def _read(answer: Answer) -> TokenShape:
    if is_yes(answer):
        return shapes.read(TokenShape, answer)
    try:
        error = TokenRefusal.model_validate_json(answer.body).error
    except ValidationError:
        error = ""
    refusal = CarrierRefused(error if error in TOKEN_ERRORS else "other", status=answer.status)
    if error in TOKEN_ERRORS or refusal.is_unauthorized:
        raise refusal
    raise CarrierUnavailable("no_login", status=answer.status)  # as from a wrong address: it says nothing of who we are
