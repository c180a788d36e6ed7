"""InPost Returns for one client of its API: tickets are made, listed, and their labels fetched.

There is no call that reads one ticket, none that finds one by its reference, and none that cancels one (2026-10).
https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/1043791894/InPost+Returns+REST+API
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

import httpx

from bridge.carriers.answer import Answer
from bridge.carriers.asking import Asker
from bridge.carriers.inpost_returns import codec, rules, words
from bridge.carriers.inpost_returns.caller import Caller, Signed
from bridge.carriers.inpost_returns.codec import Call, TimeForm
from bridge.carriers.inpost_returns.tokens import Credentials, Token, Tokens
from bridge.errors import CarrierRefused, CarrierUnavailable, FieldProblem, NoPermit
from bridge.events.statuses import Status
from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.observability import Metrics
from bridge.ports import Permits
from bridge.returns.draft import ReturnDraft
from bridge.returns.listed import Listed, TicketPage, TicketQuery
from bridge.returns.ticket import ReturnLabel, Ticket

T = TypeVar("T")

_AROUND: Final = timedelta(minutes=5)
"""How far their time of a ticket's creation may be from ours."""
_MOST_PAGES: Final = 20
"""Of a thousand tickets each, made within ten minutes."""


class InPostReturnsClient:
    """Makes each call once; only a read is made again, and only where its token was refused."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        token_url: str,
        credentials: Credentials,
        permits: Permits,
        metrics: Metrics,
        clock: Clock,
        version: str,
    ) -> None:
        self._tokens = Tokens(
            http, token_url=token_url, credentials=credentials, permits=permits, metrics=metrics, clock=clock
        )
        caller = Caller(http, base_url=base_url, tokens=self._tokens, metrics=metrics, clock=clock, version=version)
        self._asker: Asker[Signed] = Asker(caller, permits)
        self._base_url = base_url
        self._clock = clock
        self._form: TimeForm = "plain"

    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        """Say what they would refuse, by field."""
        return rules.broken(draft, self._clock())

    def meaning(self, status: str) -> Status:
        """Say what a ticket's status means."""
        return words.meaning(status)

    async def create(self, draft: ReturnDraft) -> Ticket:
        """Make a ticket. Raises as every write does; after a doubt it is known again only by who sends it, and when."""
        return await self._send(codec.create(draft, self._clock()), codec.ticket, Purpose.create)

    async def tickets(self, query: TicketQuery, purpose: Purpose = Purpose.sweep) -> TicketPage:
        """Read a page. Where they refuse the times as the text has them, they are written as the sample has them."""
        read = partial(codec.page, query)
        try:
            return await self._ask(codec.tickets(query, self._form), read, purpose)
        except CarrierRefused as refusal:
            if refusal.status != httpx.codes.BAD_REQUEST or self._form == "zulu":
                raise
        found = await self._ask(codec.tickets(query, "zulu"), read, purpose)
        self._form = "zulu"
        return found

    async def find(
        self,
        ticket: str,
        created_at: datetime,
        statuses: Collection[str],
        purpose: Purpose = Purpose.read,
    ) -> Listed | None:
        """Read one ticket: a call for each status until it is there. None where it has none of them."""
        for status in statuses:
            for page in range(_MOST_PAGES):
                query = TicketQuery(created_at - _AROUND, created_at + _AROUND, status, page)
                found = await self.tickets(query, purpose)
                if hit := next((one for one in found.tickets if one.id == ticket), None):
                    return hit
                if found.is_last:
                    break
        return None

    async def label(self, ticket: str, url: str | None = None) -> ReturnLabel:
        """Fetch a label, as often as one likes. Refused with 404 where none is made for this account."""
        return await self._ask(codec.label(ticket, url, self._base_url), codec.pdf, Purpose.label)

    async def _ask(self, call: Call, read: Callable[[Answer], T], purpose: Purpose) -> T:
        """Make a call that changes nothing, and once more where its token was refused."""
        token = await self._tokens.current(purpose)
        try:
            return await self._asker.ask(Signed(call, token), read, purpose)
        except CarrierRefused as refusal:
            if refusal.status != httpx.codes.UNAUTHORIZED:
                raise
        token = await self._tokens.renewed(token, purpose)
        return await self._asker.ask(Signed(call, token, is_renewed=True), read, purpose)

    async def _send(self, call: Call, read: Callable[[Answer], T], purpose: Purpose) -> T:
        """Make a call that changes something, with a token that was there before.

        A token that they took before and refuse now is renewed, and the call is left to be made again by whoever wants
        it: nothing was taken in (NoPermit). One that they never took is a refusal of ours.
        """
        token = await _before_sending(self._tokens.current(purpose))
        try:
            return await self._asker.send(Signed(call, token), read, purpose)
        except CarrierRefused as refusal:
            if refusal.status != httpx.codes.UNAUTHORIZED or not self._tokens.was_taken(token):
                raise
        await _before_sending(self._tokens.renewed(token, purpose))
        raise NoPermit("token_renewed")


async def _before_sending(fetching: Awaitable[Token]) -> Token:
    """Where no token is to be had, nothing was sent. Raises CarrierRefused only where that says so by itself."""
    try:
        return await fetching
    except NoPermit:
        raise
    except CarrierUnavailable as error:
        raise NoPermit("no_token", retry_after=error.retry_after) from None
    except CarrierRefused as refusal:
        if refusal.status != httpx.codes.BAD_REQUEST:
            raise
        raise NoPermit("login_refused") from None
