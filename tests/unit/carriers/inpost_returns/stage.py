"""A client of InPost Returns, what it is answered, and a return to be made."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from pytest_httpx import HTTPXMock

from bridge.carriers.inpost_returns.client import InPostReturnsClient
from bridge.carriers.inpost_returns.tokens import Credentials
from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable
from bridge.limits.connection import Outcome, Verdict
from bridge.observability import Metrics
from bridge.ports.returns import TicketDesk
from bridge.returns.draft import Address, Party, ReturnDraft
from tests.support.permits import FreePermits

SAMPLES = Path(__file__).parents[3] / "samples" / "inpost_returns"
HOST = "https://api.inpost.test"
TICKETS = f"{HOST}/v1/returns/tickets"
TOKEN_URL = "https://login.inpost.test/auth/realms/external/protocol/openid-connect/token"
SECRET = "s3cr3t&=+ ż"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
TICKET = "5f1f7a5e-3a43-4a0e-9d3c-2f1f6b0f9a11"
PDF = b"%PDF-1.4\nlabel"
ANSWERED, REFUSED, UNUSABLE = Outcome(Verdict.answered), Outcome(Verdict.token_refused), Outcome(Verdict.unusable)

SENDER = Party(first_name="Ewa", last_name="Testowa", phone="500 600 700", email="ewa@example.com")
LEAST = ReturnDraft(reference="Order123aff3", sender=SENDER)
WHOLE = replace(
    LEAST,
    parcel_size="A",
    receiver=Party(
        company_name="Sklep Przykładowy",
        first_name="Jan",
        last_name="Zwrotny",
        phone="+48500600701",
        email="zwroty@example.com",
        address=Address(
            street="Lwowska",
            building_number="10",
            city="Kraków",
            post_code="30-300",
            country_code="PL",
            state="małopolskie",
        ),
    ),
    expires_at=datetime(2026, 12, 19, 13, 14, 32, 856_000, tzinfo=UTC) - timedelta(hours=1),
    description="Prosimy dobrze zapakować towar.",
)


@dataclass
class Stage:
    """A client whose time stands still until it is moved."""

    http: httpx.AsyncClient
    mock: HTTPXMock
    permits: FreePermits = field(default_factory=FreePermits)
    now: datetime = NOW
    base_url: str = HOST
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.client: TicketDesk = InPostReturnsClient(
            self.http,
            base_url=self.base_url,
            token_url=TOKEN_URL,
            credentials=Credentials("merchant", SecretStr(SECRET)),
            permits=self.permits,
            metrics=self.metrics,
            clock=lambda: self.now,
            version="0.1.0",
        )

    def tokens(self, *names: str, expires_in: int = 300) -> None:
        """Have these given out, one after the other."""
        for name in names:
            self.mock.add_response(
                url=TOKEN_URL, json=sample("token") | {"access_token": name, "expires_in": expires_in}
            )

    def asked(self, path: str = "") -> list[httpx.Request]:
        """Give the requests to the gateway."""
        return [one for one in self.mock.get_requests() if str(one.url).startswith(f"{HOST}{path}")]

    def fetched(self) -> int:
        return sum(str(one.url) == TOKEN_URL for one in self.mock.get_requests())

    def used(self) -> list[str]:
        """Give the tokens that calls were made with."""
        return [one.headers["authorization"].removeprefix("Bearer ") for one in self.asked()]


Staged = Callable[..., Stage]


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


async def unavailable(call: Awaitable[object]) -> CarrierUnavailable:
    with pytest.raises(CarrierUnavailable) as caught:
        await call
    return caught.value


async def refused(call: Awaitable[object]) -> CarrierRefused:
    with pytest.raises(CarrierRefused) as caught:
        await call
    return caught.value


async def failed(call: Awaitable[object]) -> str:
    with pytest.raises(CarrierError) as caught:
        await call
    return str(caught.value)
