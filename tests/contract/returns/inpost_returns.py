"""InPost Returns: a ticket has nothing of ours, so it is known again by who sends it, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from bridge.carriers.inpost_returns.client import InPostReturnsClient
from bridge.carriers.inpost_returns.tokens import Credentials
from bridge.errors import FieldProblem
from bridge.returns.draft import ReturnDraft
from bridge.returns.listed import TicketQuery
from bridge.returns.ticket import ReturnLabel, Ticket
from tests.contract.returns.stage import HOST, SECRET, SENDER, ProviderStage

ACCOUNT = {"client_id": "shop", "client_secret": SECRET, "labels": True}


def settings(**account: Any) -> dict[str, Any]:
    return {"inpost_returns": {"accounts": [{**ACCOUNT, **account}]}}


class InPostReturnsStage(ProviderStage):
    MAKES = "/inpost-returns/v1/returns/tickets"
    FINDS = MAKES
    DEED = "ticket_created"
    SECRETS = (SECRET,)
    SETTINGS = settings()
    REFUSES = settings(codes_left=0)

    def open(self, secret: str) -> None:
        self.client = InPostReturnsClient(
            self.http,
            base_url=f"{HOST}/inpost-returns",
            token_url=f"{HOST}/inpost-returns/auth/realms/external/protocol/openid-connect/token",
            credentials=Credentials("shop", SecretStr(secret)),
            permits=self.permits,
            metrics=self.metrics,
            clock=self.now,
            version="0",
        )

    def drafted(self) -> ReturnDraft:
        return ReturnDraft(reference="ORDER123", sender=SENDER, parcel_size="A", expires_at=self.in_days(20))

    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        return self.client.broken(draft)

    async def make(self, id_: str = "1") -> Ticket:
        return await self.client.create(self.draft)

    async def find(self, id_: str = "1") -> Ticket | None:
        page = await self.client.tickets(TicketQuery(self.in_days(-1), self.in_days(1), "NEW"))
        sent = [one for one in page.tickets if one.sender_email == self.draft.sender.email]
        assert len(sent) < 2, "nobody could say which"
        return next((Ticket(one.id, one.code, one.tracking_number, one.expires_at) for one in sent), None)

    async def reference(self) -> str | None:
        tickets = (await self.carrier.control("inpost-returns/tickets"))["items"]
        return tickets[-1]["reference"]  # type: ignore[no-any-return]

    async def label(self, ticket: Ticket, id_: str = "1") -> ReturnLabel | None:
        assert ticket.provider_reference is not None
        return await self.client.label(ticket.provider_reference, ticket.label_url)
