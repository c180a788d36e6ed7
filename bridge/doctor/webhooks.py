"""The registration of the webhook, as far as it shows: what arrived last, and what was parked lately."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from bridge.doctor.report import Check
from bridge.ingress.receiver import UNPROXIED
from bridge.ingress.verification import ENCODED_BODY, FOREIGN_ORGANIZATION, OUTSIDE_NETWORKS, TOO_LARGE
from bridge.model import OrganizationId
from bridge.reconciling.hearing import ADVICE, told
from bridge.settings import Organization, Settings
from bridge.store.condition import Accepted, Condition, ParkedLately
from bridge.store.hearing import Hearing

_REGISTER: Final = (
    "print the URL with `bridge webhook url --base https://YOUR-HOST`, and enter it in the Manager of this"
    " organization: My account > API > organization settings"
)
_LOOK: Final = (
    "look at them with GET /v1/deliveries?state=parked; one that should count: POST /v1/deliveries/{id}/replay"
)
_ADVICE: Final = {
    FOREIGN_ORGANIZATION: "the URL is registered in another organization's Manager account: register each"
    " organization's own URL (`bridge webhook url`)",
    TOO_LARGE: "raise BRIDGE_WEBHOOK__MAX_BODY_BYTES; what was cut off cannot be replayed",
    ENCODED_BODY: "something on the way compresses the bodies: switch that off in the proxy",
}
_ELSEWHERE: Final = (
    "if the carrier has a new network, add it to BRIDGE_WEBHOOK__NETWORKS and replay them"
    " (POST /v1/deliveries/{id}/replay); if not, make a new secret: somebody knows this one"
)


def examine(settings: Settings, condition: Condition | None) -> list[Check]:
    """Judge every organization's webhooks by the rows."""
    return [check for one in settings.shipx.organizations for check in _organization(settings, one, condition)]


def _organization(settings: Settings, organization: Organization, condition: Condition | None) -> list[Check]:
    name = f"webhook/{organization.id}"
    if not organization.webhook_secrets:
        return [Check(name=name, state="skipped", told="no webhook secrets: this organization's are not received")]
    if condition is None:
        return [Check(name=name, state="skipped", told="the database has to be read for this")]
    parked = [one for one in condition.parked if one.organization == organization.id]
    accepted = next((found for key, found in condition.accepted.items() if key == organization.id), None)
    hearing = condition.unheard.get(OrganizationId(organization.id), Hearing())
    return [_arrived(name, accepted), *_unheard(name, hearing), *(_parked(name, settings, one) for one in parked)]


def _arrived(name: str, accepted: Accepted | None) -> Check:
    if accepted is None:
        return Check(name=name, state="warning", told="none has been accepted yet", do=_REGISTER)
    when = accepted.day if accepted.at is None else f"{accepted.at:%Y-%m-%d %H:%M:%S} UTC"
    return Check(name=name, state="ok", told=f"the last one accepted came {when}")


def _unheard(name: str, hearing: Hearing) -> list[Check]:
    text = told(hearing)
    return [] if text is None else [Check(name=name, state="warning", told=text, do=ADVICE)]


def _parked(name: str, settings: Settings, parked: ParkedLately) -> Check:
    told = f"{parked.times} parked in 24 hours, reason {parked.reason}, the last from {parked.peers[0]}"
    if parked.reason == OUTSIDE_NETWORKS:
        advice = _outside(settings, parked.peers)
    else:
        advice = _ADVICE.get(parked.reason, _LOOK)
    return Check(name=name, state="warning", told=told, do=advice)


def _outside(settings: Settings, peers: tuple[str, ...]) -> str:
    """Tell a proxy of ours that is not trusted from a stranger."""
    private = next((peer for peer in peers if _is_private(peer)), None)
    if private is None:
        return _ELSEWHERE
    if not settings.webhook.trusted_proxies:
        return UNPROXIED
    return f"{private} is a private address outside BRIDGE_WEBHOOK__TRUSTED_PROXIES: add it there if it is your proxy"


def _is_private(peer: str) -> bool:
    try:
        return not ip_address(peer).is_global
    except ValueError:
        return False
