"""What is needed to have returns made on a stage: three providers, and the processes that carry it out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from pydantic import SecretStr

from bridge.app.providers.inpost_returns import TicketAccount
from bridge.app.providers.intelligentreturns import PlatformAccount
from bridge.app.providers.opening import Accounts
from bridge.app.providers.szybkie_zwroty import CodeAccount
from bridge.app.returning import Returns, return_operations
from bridge.carriers.inpost_returns.client import InPostReturnsClient
from bridge.carriers.inpost_returns.tokens import Credentials
from bridge.carriers.intelligentreturns.client import IntelligentReturns
from bridge.carriers.intelligentreturns.formats import Name
from bridge.carriers.intelligentreturns.platform import IntelligentPlatform
from bridge.carriers.szybkie_zwroty.caller import Login
from bridge.carriers.szybkie_zwroty.client import SzybkieZwrotyClient
from bridge.commands.execute import Operation
from bridge.commands.models import Body
from bridge.lifecycle import Clock
from bridge.ports import Permits
from bridge.returns.routing import Route
from bridge.shipping.returns.asked import CreateReturn
from bridge.shipping.returns.codes.stock import Stock
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.doubting.doubts import Doubts
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.makers import Maker
from tests.support.metrics import METRICS
from tests.unit.shipping.stage import VAULT, Operations, Parts, Stage

CREATE: Final = CreateReturn.operation
TICKETS, CODES, PLATFORM = "inpost_returns", "szybkie_zwroty", "intelligentreturns"
PROVIDERS: Final = (TICKETS, CODES, PLATFORM)
SENDER: Final[dict[str, Any]] = {
    "first_name": "Jan",
    "last_name": "Nowak",
    "phone": "+48500100200",
    "email": "jan@example.com",
    "address": {
        "street": "Lwowska",
        "building_number": "10",
        "city": "Kraków",
        "post_code": "30-300",
        "country_code": "PL",
    },
}
WANTED: Final[Mapping[str, Mapping[str, Any]]] = {
    TICKETS: {},
    CODES: {"parcel_size": "A", "expires_at": "2026-04-20T12:00:00Z"},
    PLATFORM: {"service_id": 243},
}
"""What each needs besides."""
MADE: Final = {
    TICKETS: ["return.created"],
    CODES: ["return.created"],
    PLATFORM: ["return.created", "return.label_ready"],
}
"""What is told once each has made one."""
PATHS: Final = {
    TICKETS: "/inpost-returns/v1/returns/tickets",
    CODES: "/szybkie-zwroty*",
    PLATFORM: "/intelligentreturns/returns/create*",
}
SCENARIO: Final[dict[str, Any]] = {
    "inpost_returns": {"accounts": [{"client_id": "shop", "client_secret": "secret"}]},
    "szybkie_zwroty": {"accounts": [{"email": "shop@example.com", "password": "secret"}]},
    "intelligentreturns": {"accounts": [{"login": "shop", "api_key": "secret"}]},
}
WRONG_LOGIN: Final[Mapping[str, Mapping[str, Any]]] = {
    TICKETS: {"accounts": [{"client_id": "shop", "client_secret": "another"}]},
    CODES: {"accounts": [{"email": "shop@example.com", "password": "another"}]},
    PLATFORM: {"accounts": [{"login": "shop", "api_key": "another"}]},
}
"""The same accounts, where each has another secret than ours."""


def keeping(parts: Parts, clock: Clock | None = None) -> Keeping:
    return Keeping(parts.database, VAULT, parts.recorder, clock or parts.stage.clock, lambda: None)


def makers(parts: Parts) -> dict[str, Maker]:
    return makers_over(parts.http, parts.gate, parts.stage.clock, keeping(parts))


def makers_over(
    http: httpx.AsyncClient,
    permits: Permits,
    clock: Clock,
    keeping: Keeping,
    form: Name = "json",
    *,
    realm: str = "external",
) -> dict[str, Maker]:
    """Make the three, over one way and one gate."""
    accounts = accounts_over(http, permits, clock, form, realm=realm)
    return {name: one.maker(name, keeping) for name, one in accounts.items()}


def accounts_over(
    http: httpx.AsyncClient, permits: Permits, clock: Clock, form: Name = "json", *, realm: str = "external"
) -> Accounts:
    """Make the clients of the three, over one way and one gate.

    `form` is what Intelligentreturns is spoken to in, `realm` a part of the address where tokens come from.
    """
    shared: dict[str, Any] = {"permits": permits, "metrics": METRICS, "clock": clock}
    tickets = InPostReturnsClient(
        http,
        base_url="http://carrier/inpost-returns",
        token_url=f"http://carrier/inpost-returns/auth/realms/{realm}/protocol/openid-connect/token",
        credentials=Credentials("shop", SecretStr("secret")),
        version="0",
        **shared,
    )
    codes = SzybkieZwrotyClient(
        http,
        base_url="http://carrier/szybkie-zwroty",
        login=Login(SecretStr("shop@example.com"), SecretStr("secret")),
        version="0",
        **shared,
    )
    platform = IntelligentReturns(
        http,
        base_url="http://carrier/intelligentreturns",
        login="shop",
        api_key=SecretStr("secret"),
        form=form,
        **shared,
    )
    return {
        f"{TICKETS}/main": TicketAccount(tickets, clock),
        f"{CODES}/main": CodeAccount(codes),
        f"{PLATFORM}/main": PlatformAccount(IntelligentPlatform(platform)),
    }


def returning(*routes: Route, off: timedelta = timedelta(0)) -> Operations:
    """Say what a process carries out, whose clock may be off."""

    def made(parts: Parts) -> Mapping[str, Operation]:
        def clock() -> datetime:
            return parts.stage.clock() + off

        desk = Desk(makers_over(parts.http, parts.gate, clock, keeping(parts, clock)), routes)
        return operations_of(parts, desk, clock)

    return made


def without_providers(parts: Parts) -> Mapping[str, Operation]:
    """Say what a process carries out where no provider is set up any more: it can ask none of them."""
    return operations_of(parts, Desk({}, ()))


def operations_of(parts: Parts, desk: Desk, clock: Clock | None = None) -> Mapping[str, Operation]:
    """Make what carries out commands with what a desk has."""
    clock = clock or parts.stage.clock
    kept = keeping(parts, clock)
    doubts, stock = Doubts(parts.database, VAULT, kept, clock), Stock(parts.database, VAULT, desk.makers)
    return return_operations(Returns(desk, kept, doubts, stock), clock)


def wanted(provider: str, **changes: Any) -> dict[str, Any]:
    """Write what is asked for."""
    return {"provider": provider, "reference": "ORDER123", "sender": SENDER, **WANTED[provider], **changes}


async def ask(stage: Stage, asked: Mapping[str, Any], key: str = "one", *, command: type[Body] = CreateReturn) -> None:
    """Give the command."""
    await stage.give(command.operation, command.model_validate_json(json.dumps(asked)).canonical, key)


async def at_provider(stage: Stage, provider: str) -> Sequence[Mapping[str, Any]]:
    """List what a provider has."""
    what = {TICKETS: "inpost-returns/tickets", CODES: "szybkie-zwroty/codes", PLATFORM: "intelligentreturns/returns"}
    answer = await stage.merchant.get(f"/_control/{what[provider]}")
    items: Sequence[Mapping[str, Any]] = answer.json()["items"]
    return items


Ours = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
IS_IT: Final[Mapping[str, Ours]] = {
    TICKETS: lambda result, there: result["provider_reference"] == there["id"] and result["code"] == there["code"],
    CODES: lambda result, there: (result["return_id"], result["code"]) == (there["rma"], there["code"]),
    PLATFORM: lambda result, there: (
        (result["return_id"], result["tracking_number"]) == (there["external_id"], there["tracking"])
    ),
}
"""Whether a result is about what the provider has."""
