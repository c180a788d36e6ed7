"""How anything is asked: always a POST, with login, key and request as three fields of a form.

https://returns.returnsplatform.com/api (request method, input data; read 2026-10)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar
from urllib.parse import urlencode

import httpx
import structlog
from pydantic import SecretStr

from bridge.carriers.answer import Answer
from bridge.carriers.intelligentreturns import calls, reading, tree
from bridge.carriers.intelligentreturns.calls import Call
from bridge.carriers.intelligentreturns.formats import Format
from bridge.carriers.intelligentreturns.words import SOURCE
from bridge.carriers.request import Request
from bridge.carriers.shell import Shell
from bridge.lifecycle import Clock
from bridge.observability import Metrics
from bridge.ports import Permit
from bridge.returns.refusals import LOGIN_REFUSED

log = structlog.get_logger()

_MOST_BYTES: Final = 32 * 1024 * 1024
"""A page of a search has a thousand whole returns, and an answer to a booking a label of any size."""

T = TypeVar("T")


class Caller:
    """Makes calls for one account, in one format."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        login: str,
        api_key: SecretStr,
        form: Format,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._shell = Shell(
            http,
            carrier=SOURCE,
            metrics=metrics,
            clock=clock,
            most_bytes=_MOST_BYTES,
            is_login_refused=lambda _, refusal: refusal.key in LOGIN_REFUSED,
        )
        self._base_url = base_url.rstrip("/")
        self._login = login
        self._api_key = api_key
        self._form = form
        self.timeout_s = self._shell.timeout_s

    async def make(self, call: Call, read: Callable[[Answer], T], permit: Permit) -> T:
        """Make one call, all of it within the timeout and the permit."""
        return await self._shell.make(self._request(call), read, permit)

    async def probe(self, permit: Permit) -> None:
        """Ask for the time, as anybody may."""
        await self.make(calls.AVAILABLE, partial(reading.read, self._form, calls.AVAILABLE, reading.clock), permit)

    def _request(self, call: Call) -> Request:
        return Request(
            call.operation,
            "POST",
            f"{self._base_url}/{call.method}/{self._form.name}",
            {"Content-Type": "application/x-www-form-urlencoded", "Accept": f"application/{self._form.name}"},
            urlencode(self._fields(call)).encode("ascii"),
            is_login=not call.is_public,
        )

    def _fields(self, call: Call) -> dict[str, str]:
        """Give the form: what is public is asked for with an empty one."""
        if call.asked is None:
            return {}
        request = self._form.write(call.root, tree.of(call.asked))
        return {"login": self._login, "api_key": self._api_key.get_secret_value(), "request": request}
