"""A client of Szybkie Zwroty, what it is answered, and a return that a code is for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr
from pytest_httpx import HTTPXMock

from bridge.carriers.szybkie_zwroty.caller import Login
from bridge.carriers.szybkie_zwroty.client import SzybkieZwrotyClient
from bridge.carriers.szybkie_zwroty.codec import ReportForm
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.limits.connection import Outcome, Verdict
from bridge.ports.returns import CodeDesk
from bridge.returns.codes import CodeQuery
from bridge.returns.draft import Party, ReturnDraft
from tests.support.metrics import METRICS
from tests.support.permits import FreePermits

SAMPLES = Path(__file__).parents[3] / "samples" / "szybkie_zwroty"
HOST = "https://api.paczkomaty.test"
EMAIL, PASSWORD = "panel+1@example.com", "Hasło&content=<x>!@%"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
CODE, OTHER = "1414000001", "2687000002"
RMA = "RMA7F3K21"
ANSWERED, REFUSED, UNUSABLE = Outcome(Verdict.answered), Outcome(Verdict.token_refused), Outcome(Verdict.unusable)

DRAFT = ReturnDraft(
    reference="Order & 312",
    sender=Party(first_name="Ewa", last_name="Testowa", phone="+48 500-600-700", email="ewa@example.com"),
    parcel_size="A",
    expires_at=datetime(2026, 12, 10, 10, 0, tzinfo=UTC),
)
QUERY = CodeQuery(date(2026, 11, 1), date(2026, 11, 26))


@dataclass
class Stage:
    """A client whose time stands still."""

    http: httpx.AsyncClient
    mock: HTTPXMock
    permits: FreePermits = field(default_factory=FreePermits)
    base_url: str = HOST
    report_form: ReportForm = "siblings"

    def __post_init__(self) -> None:
        self.client: CodeDesk = SzybkieZwrotyClient(
            self.http,
            base_url=self.base_url,
            login=Login(SecretStr(EMAIL), SecretStr(PASSWORD)),
            permits=self.permits,
            metrics=METRICS,
            clock=lambda: NOW,
            version="0.1.0",
            report_form=self.report_form,
        )

    def posted(self) -> list[dict[str, list[str]]]:
        """Give the forms that were posted, unescaped."""
        return [
            parse_qs(one.content.decode("ascii"), strict_parsing=True, encoding="utf-8")
            for one in self.mock.get_requests()
        ]


Staged = Callable[..., Stage]


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.xml").read_bytes()


async def unavailable(call: Awaitable[object]) -> CarrierUnavailable:
    with pytest.raises(CarrierUnavailable) as caught:
        await call
    return caught.value


async def refused(call: Awaitable[object]) -> CarrierRefused:
    with pytest.raises(CarrierRefused) as caught:
        await call
    return caught.value
