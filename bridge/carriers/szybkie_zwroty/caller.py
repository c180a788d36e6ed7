"""The one host: login and document are posted as a form, and neither is ever told to anybody else.

The login is that of a person's or a shop's panel, in clear: https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL
/pages/98795521 (read 2026-10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import httpx
from pydantic import SecretStr

from bridge.carriers.answer import Answer
from bridge.carriers.request import Request
from bridge.carriers.shell import Shell
from bridge.carriers.szybkie_zwroty import codec
from bridge.carriers.szybkie_zwroty.codec import Call, ReportForm
from bridge.carriers.szybkie_zwroty.words import SOURCE
from bridge.lifecycle import Clock
from bridge.observability import Metrics
from bridge.ports import Permit

T = TypeVar("T")

MOST_BYTES: Final = 2 * 1024 * 1024
"""A report of a thousand rows has less than half of it."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are there."""

    email: SecretStr
    password: SecretStr


class Caller:
    """Makes calls to the host."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        login: Login,
        report_form: ReportForm,
        metrics: Metrics,
        clock: Clock,
        version: str,
    ) -> None:
        self._shell = Shell(
            http,
            carrier=SOURCE,
            metrics=metrics,
            clock=clock,
            most_bytes=MOST_BYTES,
            is_login_refused=lambda request, refusal: request.is_login or refusal.is_unauthorized,
        )
        self._base_url = base_url.rstrip("/")
        self._login = login
        self._report_form = report_form
        self._clock = clock
        self._version = version
        self.timeout_s = self._shell.timeout_s

    async def make(self, call: Call, read: Callable[[Answer], T], permit: Permit) -> T:
        """Make one call. `read` judges the answer, too."""
        return await self._shell.make(self._request(call), read, permit)

    async def probe(self, permit: Permit) -> None:
        """Ask for one code of today's."""
        query = codec.smallest(self._clock())
        call = codec.report(query, self._report_form)
        await self.make(call, lambda answer: codec.page(query, answer), permit)

    def _request(self, call: Call) -> Request:
        email, password = self._login.email.get_secret_value(), self._login.password.get_secret_value()
        url = f"{self._base_url}/?do={call.function}"
        content = codec.form(call, email, password)
        return Request(call.operation, "POST", url, self._headers(), content, is_login=call.is_login)

    def _headers(self) -> Mapping[str, str]:
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/xml, text/xml",
            "User-Agent": f"shipx-bridge/{self._version}",
        }
