"""Our account at Szybkie Zwroty: codes, with a report of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from bridge.app import VERSION
from bridge.app.providers.account import Look, Means, Watch
from bridge.carriers.szybkie_zwroty.caller import Login
from bridge.carriers.szybkie_zwroty.client import SzybkieZwrotyClient
from bridge.carriers.szybkie_zwroty.codec import smallest
from bridge.reconciling.returns.codes import Codes
from bridge.settings import Settings
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.makers import CodeMaker


@dataclass(frozen=True, slots=True)
class CodeAccount:
    """An account with its client."""

    client: SzybkieZwrotyClient

    def maker(self, _connection: str, _keeping: Keeping) -> CodeMaker:
        return CodeMaker(self.client)

    def looks(self, watch: Watch) -> Mapping[str, Look]:
        learning, agenda = watch.learning(self.client.meaning, watch.pace), watch.agenda(watch.pace)
        clock, stop = watch.shared.clock, watch.shared.stop
        codes = Codes(watch.connection, self.client, learning, agenda, clock=clock, stop=stop, ahead=watch.ahead)
        return {"returns": codes.look}

    async def ask(self, now: datetime) -> None:
        await self.client.report(smallest(now))


def account(settings: Settings, means: Means) -> CodeAccount:
    """Open the account, which has credentials."""
    told = settings.szybkie_zwroty
    assert told.email is not None
    assert told.password is not None
    client = SzybkieZwrotyClient(
        means.http,
        base_url=told.base_url,
        login=Login(SecretStr(told.email), told.password),
        permits=means.permits,
        metrics=means.metrics,
        clock=means.clock,
        version=VERSION,
        report_form=told.report_form,
    )
    return CodeAccount(client)
