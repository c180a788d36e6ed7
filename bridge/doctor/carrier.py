"""The carrier's credentials: does it take the token, and is the token the organization's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import timedelta
from typing import Final

from bridge.app import VERSION
from bridge.carriers.http import make_http
from bridge.carriers.shipx.client import ShipxClient
from bridge.doctor.report import Check
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock
from bridge.limits.connection import Outcome, Purpose, Verdict
from bridge.model import OrganizationId
from bridge.observability import Metrics
from bridge.ports import Permit
from bridge.purchasing.evidence import Bought, evidence
from bridge.purchasing.shipment import Shipment
from bridge.settings import Organization, Settings

_RECENT: Final = timedelta(days=1)
_SAMPLES: Final = 3
_AGAIN: Final = "see that BRIDGE_SHIPX__BASE_URL is right and reachable from here, and try again later"


class _Asking:
    """The permit for it."""

    is_probe = False

    def __init__(self) -> None:
        self.outcome = Outcome(Verdict.unused)

    def in_time(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def ran_out(self) -> bool:
        return False


class OneQuestion:
    """Leave for the few calls of an examination: it must work without a database, so nobody counts it."""

    @asynccontextmanager
    async def permit(self, _purpose: Purpose, _patience_s: float) -> AsyncIterator[Permit]:
        yield _Asking()


async def examine(settings: Settings, organization: Organization, clock: Clock, patience_s: float) -> Sequence[Check]:
    """Ask the carrier which organizations the token may act for."""
    name = f"carrier/{organization.id}"
    if organization.token is None:
        told = "no token: webhooks are received and published, and nothing is bought"
        return [Check(name=name, state="skipped", told=told)]
    http = make_http(timeout_s=min(settings.shipx.timeout_s, patience_s), at_once=1)
    client = ShipxClient(
        http,
        base_url=settings.shipx.base_url,
        organization=OrganizationId(organization.id),
        token=organization.token,
        permits=OneQuestion(),
        metrics=Metrics(),
        clock=clock,
        version=VERSION,
    )
    async with http:
        try:
            judged = _judged(name, organization, await client.organizations())
            return [judged, await _lists(organization, client, clock)] if judged.state == "ok" else [judged]
        except CarrierRefused as error:
            return [_refused(name, settings, error)]
        except CarrierUnavailable as error:
            return [unavailable(name, error)]


async def _lists(organization: Organization, client: ShipxClient, clock: Clock) -> Check:
    """See whether lists say what single reads say: only then many are bought by one call."""
    name = f"carrier/{organization.id}/lists"
    page = await client.created_since(clock() - _RECENT, 1)
    for sample in sorted(page.shipments, key=_place)[:_SAMPLES]:
        if await client.most_at_once(sample.id) > 1:
            return Check(name=name, state="ok", told="lists say what single reads say: many are bought by one call")
        if client.lists_differ:
            told = "a list says something else than the read of one: purchases are made one by one"
            advice = "tell us; meanwhile raise BRIDGE_SHIPX__REQUESTS_PER_MINUTE if InPost allows it"
            return Check(name=name, state="warning", told=told, do=advice)
    return Check(
        name=name, state="skipped", told="no shipment of the last day has payments, so lists were not compared"
    )


def _place(sample: Shipment) -> tuple[bool, int]:
    """Put what is bought first, and of that the newest: only payments show whether lists leave payments out."""
    return not isinstance(evidence(sample, ()), Bought), -sample.id


def _judged(name: str, organization: Organization, found: Sequence[OrganizationId]) -> Check:
    if organization.id in found:
        return Check(name=name, state="ok", told="the carrier takes the token, and it is this organization's")
    whose = ", ".join(map(str, found)) or "none"
    told = f"the token belongs to another organization ({whose}): webhooks never arrive"
    advice = (
        "take the organization's number and its token from the same page of the Manager (My account > API),"
        " and register the webhook URL there"
    )
    return Check(name=name, state="failed", told=told, do=advice)


def _refused(name: str, settings: Settings, error: CarrierRefused) -> Check:
    if error.is_unauthorized:
        told = f"the carrier refuses the token ({error})"
        advice = (
            f"take the token anew from the Manager (My account > API) of the account that {settings.shipx.base_url}"
            " serves: sandbox and production have tokens of their own, and the Geowidget's is another one"
        )
        return Check(name=name, state="failed", told=told, do=advice)
    return Check(name=name, state="failed", told=f"the carrier refuses the question ({error})", do=_AGAIN)


def unavailable(name: str, error: CarrierUnavailable, again: str = _AGAIN) -> Check:
    """Say that there was no usable answer, and what to do about it."""
    if error.status == 429:
        told = "the carrier asks us to slow down, so the token was not looked at"
        return Check(name=name, state="warning", told=told, do="try again in a minute")
    return Check(name=name, state="failed", told=f"the carrier gives no usable answer ({error})", do=again)
