"""Providers of returns: whether their credentials are taken, and whether every rule leads to one that is set up.

Each is asked something that changes nothing, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.app.providers.account import Means
from bridge.app.providers.opening import account
from bridge.carriers.http import make_http
from bridge.doctor.carrier import OneQuestion, unavailable
from bridge.doctor.report import Check
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock
from bridge.observability import Metrics
from bridge.settings import Settings
from bridge.settings.model import ReturnProvider


async def examine(settings: Settings, provider: ReturnProvider, clock: Clock, patience_s: float) -> Sequence[Check]:
    """Ask a provider something, as this account."""
    name, table = f"carrier/{provider}", f"BRIDGE_{provider.upper()}__"
    timeout_s = min(settings.return_provider(provider).timeout_s, patience_s)
    async with make_http(timeout_s=timeout_s, at_once=1) as http:
        try:
            await account(provider, settings, Means(http, OneQuestion(), Metrics(), clock)).ask(clock())
        except CarrierRefused as error:
            advice = f"see that the credentials ({table}*) are those of the account that {table}BASE_URL serves"
            return [Check(name=name, state="failed", told=f"the provider refuses to answer ({error})", do=advice)]
        except CarrierUnavailable as error:
            advice = f"see that {table}BASE_URL is right and reachable from here, and try again later"
            return [unavailable(name, error, advice)]
    return [Check(name=name, state="ok", told="the provider takes the credentials")]


async def examine_routes(settings: Settings) -> Sequence[Check]:
    """Say which rules lead nowhere."""
    there, routes = frozenset(settings.return_providers), settings.returns.routes
    if not routes:
        return []
    nowhere = [
        f"{number} ({', '.join(one.providers)})" for number, one in enumerate(routes, 1) if not there & {*one.providers}
    ]
    if not nowhere:
        return [Check(name="returns", state="ok", told="every rule leads to a provider that is set up")]
    told = f"rules that lead to no provider that is set up: {', '.join(nowhere)}"
    advice = "set the credentials of one that it names, or take the rule out of [[returns.routes]]"
    return [Check(name="returns", state="warning", told=told, do=advice)]
