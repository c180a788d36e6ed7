"""Szybkie Zwroty: a code is known again by the `rma` that it was made with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from bridge.carriers.szybkie_zwroty.caller import Login
from bridge.carriers.szybkie_zwroty.client import SzybkieZwrotyClient
from bridge.carriers.szybkie_zwroty.codec import ReportForm
from bridge.errors import CarrierUnavailable, FieldProblem
from bridge.returns.codes import CodeQuery
from bridge.returns.draft import ReturnDraft
from bridge.returns.ticket import Ticket
from tests.contract.returns.stage import HOST, SECRET, SENDER, ProviderStage

ACCOUNT = {"email": "shop@example.com", "password": SECRET}


def settings(**account: Any) -> dict[str, Any]:
    return {"szybkie_zwroty": {"accounts": [{**ACCOUNT, **account}]}}


class SzybkieZwrotyStage(ProviderStage):
    MAKES = "/szybkie-zwroty/?do=revloggenerateactivecode"
    FINDS = "/szybkie-zwroty/?do=revloggetreport"
    DEED = "code_generated"
    SECRETS = ("shop@example.com", SECRET)
    SETTINGS = settings()
    REFUSES = settings(codes_left=0)
    HAS_LABELS = False

    report_form: ReportForm = "siblings"

    def open(self, secret: str) -> None:
        self.client = SzybkieZwrotyClient(
            self.http,
            base_url=f"{HOST}/szybkie-zwroty",
            login=Login(SecretStr("shop@example.com"), SecretStr(secret)),
            permits=self.permits,
            metrics=self.metrics,
            clock=self.now,
            version="0",
            report_form=self.report_form,
        )

    def drafted(self) -> ReturnDraft:
        return ReturnDraft(reference="ORDER123", sender=SENDER, parcel_size="A", expires_at=self.in_days(20))

    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        return self.client.broken(draft)

    async def make(self, id_: str = "1") -> Ticket:
        return await self.client.create(self.draft, f"RMA{id_}")

    async def reference(self) -> str | None:
        codes = (await self.carrier.control("szybkie-zwroty/codes"))["items"]
        return codes[-1]["reference"]  # type: ignore[no-any-return]

    async def find(self, id_: str = "1") -> Ticket | None:
        """Look into the report; without the place that rows stand in, nothing is sure."""
        query = CodeQuery(self.in_days(-1).date(), self.in_days(1).date(), rma=f"RMA{id_}")
        page = await self.client.report(query)
        if page.unread or not page.is_certain:
            raise CarrierUnavailable("uncertain_report")
        assert len(page.codes) < 2, "nobody could say which"
        return next((self.client.ticket(one, self.draft) for one in page.codes), None)
