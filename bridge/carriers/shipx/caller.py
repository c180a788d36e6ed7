"""ShipX's REST API: which host, which headers, and how its answers are judged.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153477 (hosts, headers)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar
from uuid import uuid4

import httpx
from pydantic import SecretStr

from bridge.carriers import exact
from bridge.carriers.answer import Answer
from bridge.carriers.request import Request
from bridge.carriers.shell import Shell
from bridge.carriers.shipx import calls, reading
from bridge.carriers.shipx.answer import judged
from bridge.carriers.shipx.calls import Call
from bridge.lifecycle import Clock
from bridge.observability import Metrics
from bridge.ports import Permit

CARRIER: Final = "shipx"

T = TypeVar("T")


class Caller:
    """Makes calls to one host."""

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
        self._shell = Shell(http, carrier=CARRIER, metrics=metrics, clock=clock)
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._version = version
        self.timeout_s = self._shell.timeout_s

    async def make(self, call: Call, read: Callable[[Answer], T], permit: Permit) -> T:
        """Make one call, all of it within the timeout and the permit."""
        return await self._shell.make(self._request(call), lambda answer: read(judged(answer, call)), permit)

    async def probe(self, permit: Permit) -> None:
        """Ask for something that is about no shipment."""
        await self.make(calls.ORGANIZATIONS, reading.organizations, permit)

    def _request(self, call: Call) -> Request:
        content = None if call.json is None else exact.encode(call.json)
        url, headers = self._base_url + call.path, self._headers(call)
        return Request(call.operation, call.method, url, headers, content, is_login=not call.is_public)

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
