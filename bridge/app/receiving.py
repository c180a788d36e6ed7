"""Receiving: the carrier's webhooks, from the socket into the inbox."""

from __future__ import annotations

from functools import partial

from starlette.routing import Route

from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.shipx import webhook as shipx_webhook
from bridge.ingress.announcing import Announcing
from bridge.ingress.inbox import Inbox
from bridge.ingress.receiver import PREFIX, Limits, Receiver
from bridge.ingress.verification import Networks, Secrets
from bridge.model import OrganizationId
from bridge.settings import Settings


def open_receiver(shared: Shared, stores: Stores) -> Receiver:
    """Start the inbox, say whose webhooks it is for, and give what answers the carrier."""
    inbox = _start_inbox(shared, stores)
    organizations = [OrganizationId(one.id) for one in shared.settings.shipx.organizations if one.webhook_secrets]
    announcing = Announcing(stores.database, organizations, shared.clock, shared.stop)
    shared.loops.start("receiving", announcing.run)
    settings = shared.settings.webhook
    return Receiver(
        secrets=_secrets(shared.settings),
        networks=Networks(settings.networks, settings.trusted_proxies),
        limits=Limits(settings.max_body_bytes, settings.body_timeout_s, settings.network_mode),
        inbox=inbox,
        read=shared.readings.keeping(shipx_webhook.read) if "worker" in shared.settings.roles else shipx_webhook.read,
        known_events=shipx_webhook.KNOWN_EVENTS,
        metrics=shared.metrics,
        clock=shared.clock,
    )


def webhook_routes(receiver: Receiver) -> list[Route]:
    """List what the carrier may call: with any method, so that nothing behind a right secret is ever a 4xx."""
    return [Route(f"{PREFIX}{{secret}}{end}", receiver) for end in ("", "/")]


def _start_inbox(shared: Shared, stores: Stores) -> Inbox:
    inbox = Inbox(
        stores.inbox,
        max_pending=shared.settings.webhook.max_pending,
        commit_timeout_s=shared.settings.webhook.commit_timeout_s,
        on_accepted=partial(shared.bells.ring, "deliveries"),
        on_dropped=shared.metrics.parked_dropped.inc,
    )
    shared.loops.start("inbox.commit", partial(inbox.commit, shared.stop))
    shared.loops.start("inbox.expire", partial(inbox.expire, shared.stop))
    return inbox


def _secrets(settings: Settings) -> Secrets:
    return Secrets(
        {
            OrganizationId(one.id): [secret.get_secret_value() for secret in one.webhook_secrets]
            for one in settings.shipx.organizations
        }
    )
