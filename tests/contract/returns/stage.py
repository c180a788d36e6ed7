"""A provider of returns on a stage: its client in front of its stand-in, with the same methods whichever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, ClassVar, Self

import httpx

from bridge.errors import FieldProblem
from bridge.observability import Metrics
from bridge.returns.draft import Address, Party, ReturnDraft
from bridge.returns.ticket import ReturnLabel, Ticket
from tests.contract.returns.wire import Wire
from tests.support.metrics import METRICS
from tests.support.permits import FreePermits
from tests.unit.simulator import stage as simulator

HOST = "http://carrier"
SECRET = "s3cr3t&=+% ż"
HOME = Address(street="Prosta", building_number="10", city="Warszawa", post_code="00-838", country_code="PL")
SENDER = Party(first_name="Ewa", last_name="Testowa", phone="+48500600700", email="ewa@example.com", address=HOME)
PERSONAL = ("Testowa", "500600700", "ewa@example.com", "Prosta")


class ProviderStage(ABC):
    """One provider. A subclass says what is its own; everything that is asked of all of them stands here."""

    MAKES: ClassVar[str]
    """The path, after the host, that a return is made at."""
    FINDS: ClassVar[str]
    """The path that it is looked for at."""
    DEED: ClassVar[str]
    """How the stand-in writes down that one was made."""
    SECRETS: ClassVar[tuple[str, ...]]
    """What we say to be let in."""
    SETTINGS: ClassVar[Mapping[str, Any]]
    """An account that may make returns, in the words of a scenario."""
    REFUSES: ClassVar[Mapping[str, Any]]
    """One for which the provider says no to every return, although its login is right."""
    HAS_LABELS: ClassVar[bool] = True

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        secret: str = SECRET,
        patience_s: float = 10,
        metrics: Metrics = METRICS,
    ):
        self.carrier = simulator.Stage(simulator.scenario(**(settings or self.SETTINGS)))
        self.wire = Wire(self.carrier.app)
        self.http = httpx.AsyncClient(transport=self.wire, timeout=patience_s)
        self.permits = FreePermits()
        self.metrics = metrics
        self.now = self.carrier.clock.now
        self.draft = self.drafted()
        self.open(secret)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        await self.http.aclose()
        await self.carrier.__aexit__(None, None, None)

    @abstractmethod
    def open(self, secret: str) -> None:
        """Make the client."""

    @abstractmethod
    def drafted(self) -> ReturnDraft:
        """Give a return that the provider takes."""

    @abstractmethod
    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        """Say what they would refuse."""

    @abstractmethod
    async def make(self, id_: str = "1") -> Ticket:
        """Make it, once."""

    @abstractmethod
    async def find(self, id_: str = "1") -> Ticket | None:
        """Look for what was made of it, as whoever lost the answer would."""

    @abstractmethod
    async def reference(self) -> str | None:
        """Give the reference of what was made last, as the provider has it."""

    async def label(self, ticket: Ticket, id_: str = "1") -> ReturnLabel | None:
        """Fetch its label; None where there is none."""
        return None

    # -- the same for all ----------------------------------------------------------------------------------------------

    async def made(self) -> int:
        """Count what the provider has made."""
        counts = (await self.carrier.control("deeds"))["counts"]
        assert isinstance(counts, dict)
        return int(counts.get(self.DEED, 0))

    async def meets(self, kind: str, path: str = "", **more: Any) -> None:
        """Let the next call to a path, or the next one that makes a return, meet a fault."""
        fault = {"kind": kind, "path": path or self.MAKES, **more}
        answer = await self.carrier.client.post("/_control/faults", json=fault)
        assert answer.status_code == 200, answer.text

    def asked(self) -> list[str]:
        """Give the paths that were called, but for tokens."""
        paths = [one.url.path for one in self.wire.requests]
        return [one for one in paths if not one.endswith("/token")]

    def sent(self) -> int:
        """Count the calls that were to make a return."""
        calls = [(one.method, one.url.raw_path.decode()) for one in self.wire.requests]
        return calls.count(("POST", self.MAKES))

    def in_days(self, days: float) -> Any:
        return self.now() + timedelta(days=days)
