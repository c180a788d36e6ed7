"""Szybkie Zwroty for one login: codes made at once, or in advance and activated later, and what became of them.

No call cancels a code that is active, and only the report tells of one (2026-10). InPost itself tells the customer of
every code that can be used: one too many is seen by the customer.
https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/98795521 (overview)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import httpx

from bridge.carriers.answer import Answer
from bridge.carriers.asking import Asker
from bridge.carriers.szybkie_zwroty import codec, rules, words
from bridge.carriers.szybkie_zwroty.caller import Caller, Login
from bridge.carriers.szybkie_zwroty.codec import Call, ReportForm
from bridge.errors import CarrierRefused, CarrierUnavailable, FieldProblem
from bridge.events.statuses import Status
from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.observability import Metrics
from bridge.ports import Permits
from bridge.returns.codes import CodePage, CodeQuery, ReportedCode, SpareCode
from bridge.returns.draft import ReturnDraft
from bridge.returns.ticket import Ticket

T = TypeVar("T")

_MOST_PAGES: Final = 100
_OTHER: Final[Mapping[ReportForm, ReportForm]] = {"siblings": "nested", "nested": "siblings"}


class SzybkieZwrotyClient:
    """Makes each call once. `report_form` is how a report is asked for: no page shows it (2026-10)."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        login: Login,
        permits: Permits,
        metrics: Metrics,
        clock: Clock,
        version: str,
        report_form: ReportForm = "siblings",
    ) -> None:
        caller = Caller(
            http,
            base_url=base_url,
            login=login,
            report_form=report_form,
            metrics=metrics,
            clock=clock,
            version=version,
        )
        self._asker: Asker[Call] = Asker(caller, permits)
        self._report_form = report_form
        self._clock = clock

    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        """Say what they would refuse, by field."""
        return rules.broken(draft, self._clock())

    def word(self, code: ReportedCode, expires_at: datetime | None) -> str:
        """Say in a word what a row of the report shows, for a code that expires then."""
        return words.word(code, expires_at, self._clock())

    def meaning(self, word: str) -> Status:
        """Say what such a word means."""
        return words.meaning(word)

    def ticket(self, code: ReportedCode, draft: ReturnDraft) -> Ticket:
        """Give the code that was made of a draft, from a row of the report."""
        return codec.found(code, draft)

    async def create(self, draft: ReturnDraft, rma: str) -> Ticket:
        """Make a code that can be used at once. After a doubt, look for `rma` in the report before it is sent again."""
        call = codec.generate_active(draft, rma)
        return await self._send(call, partial(codec.active, draft, None), Purpose.create)

    async def make_spare(self, count: int) -> Sequence[SpareCode]:
        """Make up to a hundred codes in advance. Those of a lost answer may be lost for good; they open nothing."""
        return await self._send(codec.generate_inactive(count), codec.inactive, Purpose.create)

    async def activate(self, code: str, draft: ReturnDraft, rma: str | None = None) -> Ticket:
        """Make a code usable. After a doubt, the report says whether it is."""
        call = codec.activate(code, draft, rma)
        return await self._send(call, partial(codec.active, draft, code), Purpose.create)

    async def invalidate(self, code: str) -> None:
        """Make a code useless that was never activated. Refused as `still_valid` where it stays as it was."""
        await self._send(codec.invalidate(code), codec.invalidated, Purpose.cancel)

    async def report(self, query: CodeQuery, purpose: Purpose = Purpose.sweep) -> CodePage:
        """Read a page of codes."""
        return await self._asker.ask(codec.report(query, self._report_form), partial(codec.page, query), purpose)

    async def reported(self, query: CodeQuery, purpose: Purpose = Purpose.sweep) -> AsyncIterator[ReportedCode]:
        """Read all pages from this one on, each code once: one that is made meanwhile moves the others by a row."""
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            found = await self.report(query, purpose)
            for one in found.codes:
                if one.code not in seen:
                    seen.add(one.code)
                    yield one
            if found.is_last:
                return
            query = query.following
        raise CarrierUnavailable("endless_report")

    async def _send(self, call: Call, read: Callable[[Answer], T], purpose: Purpose) -> T:
        """Make a call that changes something. Raises CarrierRefused `access_denied` where they take nothing from us.

        No page says what their errors are about (2026-10), so after one a report is asked for: who is refused that,
        too, is not let in at all.
        """
        try:
            return await self._asker.send(call, read, purpose)
        except CarrierRefused as refusal:
            is_clear = refusal.key != codec.UNNAMED or refusal.is_unauthorized
            if is_clear or not await self._is_shut_out(purpose):
                raise
            raise CarrierRefused("access_denied", status=refusal.status) from None

    async def _is_shut_out(self, purpose: Purpose) -> bool:
        """Say whether they refuse even a report of one row, in the other form as well: one may be wrong by itself."""
        query = codec.smallest(self._clock())
        first, last = codec.report(query, self._report_form), codec.report(query, _OTHER[self._report_form])
        for call in (first, replace(last, is_login=True)):
            try:
                await self._asker.ask(call, partial(codec.page, query), purpose)
            except CarrierRefused:
                continue
            except CarrierUnavailable:
                return False
            return False
        return True
