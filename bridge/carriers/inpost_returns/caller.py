"""The API gateway: which headers a call has, and how its answer is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar
from uuid import uuid4

import httpx

from bridge.carriers import exact
from bridge.carriers.answer import Answer
from bridge.carriers.inpost_returns import codec
from bridge.carriers.inpost_returns.codec import Call, judged
from bridge.carriers.inpost_returns.tokens import Token, Tokens
from bridge.carriers.inpost_returns.words import SOURCE, TicketStatus
from bridge.carriers.request import Request
from bridge.carriers.shell import Shell
from bridge.errors import CarrierRefused
from bridge.lifecycle import Clock
from bridge.observability import Metrics
from bridge.ports import Permit
from bridge.returns.listed import TicketQuery

T = TypeVar("T")

_PROBED: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Signed:
    """A call, and the token that it is made with; a renewed one comes after one that was refused."""

    call: Call
    token: Token
    is_renewed: bool = False


class Caller:
    """Makes calls to the gateway."""

    def __init__(
        self, http: httpx.AsyncClient, *, base_url: str, tokens: Tokens, metrics: Metrics, clock: Clock, version: str
    ) -> None:
        self._shell = Shell(http, carrier=SOURCE, metrics=metrics, clock=clock, is_login_refused=_is_about_us)
        self._base_url = base_url.rstrip("/")
        self._tokens = tokens
        self._clock = clock
        self._version = version
        self.timeout_s = self._shell.timeout_s

    async def make(self, call: Signed, read: Callable[[Answer], T], permit: Permit) -> T:
        """Make one call. Whatever it is answered but 401, its token was taken."""
        try:
            found = await self._shell.make(self._request(call), lambda answer: read(judged(answer)), permit)
        except CarrierRefused as refusal:
            if refusal.status != httpx.codes.UNAUTHORIZED:
                self._tokens.note_taken(call.token)
            raise
        self._tokens.note_taken(call.token)
        return found

    async def probe(self, permit: Permit) -> None:
        """Ask for what was made in this second. With a token that ended it is refused, and that is an answer, too."""
        now, token = self._clock(), self._tokens.held
        assert token is not None, "whoever asks has fetched one"
        query = TicketQuery(now - _PROBED, now, TicketStatus.new, size=1)
        await self.make(Signed(codec.tickets(query), token), lambda answer: codec.page(query, answer), permit)

    def _request(self, signed: Signed) -> Request:
        call = signed.call
        content = None if call.json is None else exact.encode(call.json)
        url = self._base_url + call.path
        return Request(call.operation, call.method, url, self._headers(signed), content, is_login=signed.is_renewed)

    def _headers(self, signed: Signed) -> Mapping[str, str]:
        return {
            "Content-Type": "application/json",
            **signed.call.headers,
            "Authorization": f"Bearer {signed.token.value.get_secret_value()}",
            "Accept": signed.call.accept,
            "User-Agent": f"shipx-bridge/{self._version}",
            "X-Request-ID": str(uuid4()),
        }


def _is_about_us(request: Request, refusal: CarrierRefused) -> bool:
    """Say whether we are refused, and not just a token: that ends, and is renewed once.

    A label's no is none to us: an account may be one that has no labels.
    """
    if request.operation == codec.LABEL:
        return False
    is_unauthorized = refusal.status == httpx.codes.UNAUTHORIZED
    return refusal.status == httpx.codes.FORBIDDEN or (is_unauthorized and request.is_login)
