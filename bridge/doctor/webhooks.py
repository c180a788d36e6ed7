"""The registration of the webhook, as far as it shows: what arrived last, and what was parked lately."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bridge.doctor.report import Check
from bridge.ingress.receiver import UNPROXIED
from bridge.ingress.verification import ENCODED_BODY, TOO_LARGE
from bridge.model import FOREIGN_ORGANIZATION, OUTSIDE_NETWORKS, OrganizationId
from bridge.reconciling.hearing import ADVICE, told
from bridge.settings import Organization, Settings
from bridge.store.condition import Accepted, Condition, ParkedLately
from bridge.store.hearing import Hearing
from bridge.store.received import HOLDS
from bridge.store.strays import is_private

_HOUR: Final = timedelta(hours=1)
_TRUSTED: Final = "BRIDGE_WEBHOOK__TRUSTED_PROXIES"
_REGISTER: Final = (
    "print the URL with `bridge webhook url --base https://YOUR-HOST`, and enter it in the Manager of this"
    " organization: My account > API > organization settings"
)
_LOOK: Final = (
    "look at them with GET /v1/deliveries?state=parked; one that should count: POST /v1/deliveries/{id}/replay"
)
_ADVICE: Final = {
    FOREIGN_ORGANIZATION: ADVICE["foreign_organization"],
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
    """Judge what any process received: where receivers are processes of their own, they alone have the secrets."""
    name = f"webhook/{organization.id}"
    if condition is None:
        return [Check(name=name, state="skipped", told="the database has to be read for this")]
    key = OrganizationId(organization.id)
    parked = [one for one in condition.parked if one.organization == key]
    return [
        _received(name, settings, organization, condition),
        *_unheard(name, condition.unheard.get(key, Hearing())),
        *(_parked(name, settings, one) for one in parked),
    ]


def _received(name: str, settings: Settings, organization: Organization, condition: Condition) -> Check:
    key = OrganizationId(organization.id)
    accepted, is_receiver = condition.accepted.get(key), "receiver" in settings.roles
    if is_receiver and organization.webhook_secrets:
        return _arrived(name, accepted)
    if key in condition.received:
        return _arrived(name, accepted, "received by other processes: ")
    nobody = "no webhook secrets: this organization's are not received"
    if not is_receiver:
        nobody = f"no process has said for {HOLDS / _HOUR:g} hours that it receives this organization's"
    last = "" if accepted is None else f"; {_last(accepted)}"
    return Check(name=name, state="skipped", told=f"{nobody}{last}")


def _arrived(name: str, accepted: Accepted | None, by: str = "") -> Check:
    if accepted is None:
        return Check(name=name, state="warning", told=f"{by}none has been accepted yet", do=_REGISTER)
    return Check(name=name, state="ok", told=f"{by}{_last(accepted)}")


def _last(accepted: Accepted) -> str:
    when = accepted.day if accepted.at is None else f"{accepted.at:%Y-%m-%d %H:%M:%S} UTC"
    return f"the last one accepted came {when}"


def _unheard(name: str, hearing: Hearing) -> list[Check]:
    text = told(hearing)
    return [] if text is None else [Check(name=name, state="warning", told=text, do=ADVICE[hearing.state])]


def _parked(name: str, settings: Settings, parked: ParkedLately) -> Check:
    told = f"{parked.times} parked in 24 hours, reason {parked.reason}, the last from {parked.peers[0]}"
    if parked.reason == OUTSIDE_NETWORKS:
        advice = _outside(settings, parked.peers)
    else:
        advice = _ADVICE.get(parked.reason, _LOOK)
    return Check(name=name, state="warning", told=told, do=advice)


def _outside(settings: Settings, peers: tuple[str, ...]) -> str:
    """Tell a proxy of ours that is not trusted from a stranger."""
    private = next((peer for peer in peers if is_private(peer)), None)
    if private is None:
        return _ELSEWHERE
    if "receiver" not in settings.roles:  # whom receivers trust is not in these settings
        return f"{private} is a private address: if it is your proxy, add it to the receivers' {_TRUSTED}"
    if not settings.webhook.trusted_proxies:
        return UNPROXIED
    return f"{private} is a private address outside {_TRUSTED}: add it there if it is your proxy"
