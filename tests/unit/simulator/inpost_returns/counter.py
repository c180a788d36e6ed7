"""The counter where returns are ordered: what a test says to InPost Returns, and what it hears."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import httpx

from ..stage import Json, Stage, as_object

SAMPLES = Path(__file__).parents[3] / "samples" / "inpost_returns"
PREFIX = "/inpost-returns"
TOKEN = f"{PREFIX}/auth/realms/external/protocol/openid-connect/token"
TICKETS = f"{PREFIX}/v1/returns/tickets"
ACCOUNT: Json = {"client_id": "shop", "client_secret": "secret"}


def sample(name: str) -> Json:
    """Read one sample."""
    document = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


LEAST = sample("request_create_least")


class Counter:
    """A stage, and a token."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.headers: dict[str, str] = {}

    async def entered(self, client_id: str = "shop") -> Self:
        """Get a token for this client."""
        answer = await self.token(client_id=client_id)
        self.headers["Authorization"] = f"Bearer {as_object(answer)['access_token']}"
        return self

    async def token(self, **changes: str) -> httpx.Response:
        form = {"grant_type": "client_credentials", **ACCOUNT, **changes}
        return await self.stage.client.post(TOKEN, data=form)

    async def create(self, **changes: Any) -> httpx.Response:
        return await self.stage.client.post(TICKETS, json={**LEAST, **changes}, headers=self.headers)

    async def made(self, **changes: Any) -> Json:
        """Create a ticket, which the provider does."""
        answer = await self.create(**changes)
        assert answer.status_code == 200, answer.text
        return as_object(answer)

    async def ask(self, status: str = "NEW", headers: dict[str, str] | None = None, **params: Any) -> httpx.Response:
        """Ask for the list, all of today unless told."""
        today = self.stage.clock.now()
        window = {"dateFrom": _plain(today - timedelta(days=1)), "dateTo": _plain(today + timedelta(days=1))}
        query = {"status": status, **window, **params}
        return await self.stage.client.get(TICKETS, params=query, headers={**self.headers, **(headers or {})})

    async def listed(self, status: str = "NEW", **params: Any) -> list[str]:
        """Give the ids of the list."""
        return [row["id"] for row in as_object(await self.ask(status, **params))["returns"]]

    async def label(self, ticket_id: str) -> httpx.Response:
        return await self.stage.client.get(f"{TICKETS}/{ticket_id}/label", headers=self.headers)

    async def move(self, ticket_id: str, status: str) -> None:
        path = f"/_control/inpost-returns/tickets/{ticket_id}/statuses"
        assert (await self.stage.client.post(path, json={"status": status})).status_code == 200

    async def deeds(self) -> Json:
        return (await self.stage.control("deeds"))["counts"]  # type: ignore[no-any-return]


def _plain(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}"
