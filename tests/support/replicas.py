"""Several bridges on one PostgreSQL and one broker, and what a load balancer in front of them does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from tests.support.bridge import BridgeProcess
from tests.support.http import NO_TLS

_PROBE_S: Final = 0.1


class Replicas:
    """Bridges that share everything but their port. They start together, and each brings the schema up to date."""

    def __init__(
        self, folder: Path, postgres_url: str, amqp_url: str | None, number: int = 3, **extra_env: str | None
    ) -> None:
        shared = {"BRIDGE_DATABASE_URL": postgres_url, "BRIDGE_MIGRATE": "true", **extra_env}
        self.all = [BridgeProcess(folder, amqp_url=amqp_url, **shared) for _ in range(number)]

    async def __aenter__(self) -> Self:
        try:
            await asyncio.gather(*(one.start() for one in self.all))
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def webhook_urls(self) -> tuple[str, ...]:
        """Where each takes webhooks."""
        return tuple(one.webhook_url for one in self.all)

    def close(self) -> None:
        """Kill what is left."""
        for one in self.all:
            one.close()


class Balancer:
    """Sends to whoever says that it is ready, as a platform's service does: it looks now and again."""

    def __init__(self, replicas: Sequence[BridgeProcess]) -> None:
        self._replicas = replicas
        self._looking: asyncio.Task[None] | None = None
        self.urls: list[str] = []
        """The webhook URLs of those that are ready; the same list for as long as this runs."""

    async def __aenter__(self) -> Self:
        async with _client() as http:
            await self._look(http)
        self._looking = asyncio.create_task(self._look_again())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._looking is not None
        self._looking.cancel()
        with suppress(asyncio.CancelledError):
            await self._looking

    async def _look_again(self) -> None:
        async with _client() as http:
            while True:
                await asyncio.sleep(_PROBE_S)
                await self._look(http)

    async def _look(self, http: httpx.AsyncClient) -> None:
        ready = await asyncio.gather(*(self._is_ready(http, one) for one in self._replicas))
        self.urls[:] = [one.webhook_url for one, says in zip(self._replicas, ready, strict=True) if says]

    async def _is_ready(self, http: httpx.AsyncClient, one: BridgeProcess) -> bool:
        try:
            return (await http.get(f"{one.url}/readyz")).status_code == 200
        except httpx.TransportError:
            return False


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=2, trust_env=False, verify=NO_TLS)
