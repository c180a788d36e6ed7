"""Intelligentreturns, in either format: a return is known again by the `external_id` that it was made with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import SecretStr

from bridge.carriers.intelligentreturns.client import IntelligentReturns
from bridge.carriers.intelligentreturns.formats import Name
from bridge.carriers.intelligentreturns.platform import IntelligentPlatform
from bridge.errors import FieldProblem
from bridge.returns.draft import ReturnDraft
from bridge.returns.ticket import ReturnLabel, Ticket
from tests.contract.returns.stage import HOST, SECRET, SENDER, ProviderStage

ACCOUNT = {"login": "shop-login", "api_key": SECRET}


def settings(**account: Any) -> dict[str, Any]:
    return {"intelligentreturns": {"accounts": [{**ACCOUNT, **account}]}}


class IntelligentReturnsStage(ProviderStage):
    FORMAT: ClassVar[Name] = "json"
    MAKES = "/intelligentreturns/returns/create/json"
    FINDS = "/intelligentreturns/returns/get/json"
    DEED = "return_booked"
    SECRETS = ("shop-login", SECRET)
    SETTINGS = settings()
    REFUSES = settings(services=[])

    def open(self, secret: str) -> None:
        self.account = IntelligentReturns(
            self.http,
            base_url=f"{HOST}/intelligentreturns",
            login="shop-login",
            api_key=SecretStr(secret),
            form=self.FORMAT,
            permits=self.permits,
            metrics=self.metrics,
            clock=self.now,
        )
        self.client = IntelligentPlatform(self.account)

    def drafted(self) -> ReturnDraft:
        return ReturnDraft(reference="ORDER123", sender=SENDER, service_id=243)

    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        return self.client.broken(draft)

    async def make(self, id_: str = "1") -> Ticket:
        return await self.client.create(self.draft, f"EXT{id_}")

    async def find(self, id_: str = "1") -> Ticket | None:
        found = await self.client.find(f"EXT{id_}")
        if found is None:
            return None
        return Ticket(found.id, tracking_number=found.tracking_number, label=found.label)

    async def reference(self) -> str | None:
        returns = (await self.carrier.control("intelligentreturns/returns"))["items"]
        return returns[-1]["order_reference"]  # type: ignore[no-any-return]

    async def label(self, ticket: Ticket, id_: str = "1") -> ReturnLabel | None:
        found = await self.client.find(f"EXT{id_}")
        return None if found is None else found.label


class IntelligentReturnsXmlStage(IntelligentReturnsStage):
    FORMAT = "xml"
    MAKES = "/intelligentreturns/returns/create/xml"
    FINDS = "/intelligentreturns/returns/get/xml"
