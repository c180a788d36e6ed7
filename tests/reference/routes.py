"""docs/reference/routes.md: everything that can be asked over HTTP, read off the routes that the process serves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.routing import Route

from bridge.app.answering import internal_routes
from bridge.app.receiving import webhook_routes
from bridge.approvals.api import PurchasesApi
from bridge.carriers.shipx import shipment as shipments
from bridge.carriers.shipx import webhook
from bridge.commands.api import CommandsApi
from bridge.commands.giving import Giving
from bridge.connections.api import ConnectionsApi
from bridge.connections.pausing import Pausing
from bridge.egress.feed import FeedApi
from bridge.events.cloudevents import Envelope
from bridge.ingress.api import DeliveriesApi
from bridge.ingress.inbox import Inbox
from bridge.ingress.receiver import Limits, Receiver
from bridge.ingress.replay import Replay
from bridge.ingress.verification import Networks, Secrets
from bridge.inspection.api import ShipmentsApi
from bridge.lifecycle import Stop
from bridge.observability import Metrics
from bridge.purchasing.api import EvaluationApi
from bridge.purchasing.policy import Policy
from bridge.shipping.api import ShippingApi
from bridge.store.commands import SqlCommands
from bridge.store.connections import SqlConnections
from bridge.store.decisions import SqlDecisions
from bridge.store.deliveries import SqlDeliveries
from bridge.store.facts import Recorder
from bridge.store.feed import SqlFeed
from bridge.store.inbox import SqlInbox
from bridge.store.listed import SqlListed
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from bridge.web.access import Access
from bridge.web.operations import Health, Operations
from tests.reference.markdown import code, table

_INTRODUCTION = """\
# Routes

<!-- Written by `python -m tests.drift --write`; change the routes in bridge/ instead. -->

Errors are `application/problem+json` (RFC 9457). `/v1` wants a bearer token (`BRIDGE_API_TOKEN`) with the right scope.
"""
_PUBLIC = "\n## For the carrier\n\nOn `BRIDGE_HTTP__PORT`; no token, the secret is in the path.\n\n"
_INTERNAL = "\n## For operators and consumers\n\nOn `BRIDGE_HTTP__INTERNAL_PORT` alone where that is set.\n\n"


def public() -> list[Route]:
    """Give the webhook routes, of a receiver that will never be asked."""
    metrics = Metrics()
    inbox = Inbox(_inbox(), max_pending=1, commit_timeout_s=1, on_accepted=_nothing, on_dropped=metrics.refused.inc)
    receiver = Receiver(
        secrets=Secrets({}),
        networks=Networks((), ()),
        limits=Limits(1, 1, "off"),
        inbox=inbox,
        read=webhook.read,
        known_events=frozenset(),
        metrics=metrics,
        clock=_epoch,
    )
    return webhook_routes(receiver)


def internal() -> list[Route]:
    """Give all other routes, of parts whose database is never opened."""
    access = Access(())
    operations = Operations(Metrics(), _health, _measure)
    feed = FeedApi(SqlFeed(_database()), access, Stop())
    replay = Replay(_database(), SqlDeliveries(_database(), Vault(), _inbox()), webhook.read, _nothing)
    waiting = SqlCommands(_database(), Vault(), "nobody")
    giving = Giving(waiting, _nothing)
    commands = CommandsApi(waiting, giving, access)
    found = SqlConnections(_database(), Recorder(Envelope("demo")))
    connections = ConnectionsApi(found, access, Pausing(_database(), found, _nothing))
    evaluation = EvaluationApi(
        SqlDecisions(_database()),
        access,
        policy=_policy,
        read=shipments.read,
        faults=shipments.faults,
        clock=_epoch,
    )
    purchases = PurchasesApi(SqlListed(_database()), giving, access, _epoch)
    deliveries = DeliveriesApi(replay, access)
    told = ShipmentsApi(_database(), access, _epoch, settle=timedelta(0))
    return internal_routes(
        [operations, feed, ShippingApi(giving, access), commands, deliveries, connections, purchases, evaluation, told]
    )


def names(routes: Sequence[Route]) -> list[str]:
    """Name every route by its methods and path: `GET /livez`; HEAD goes with GET."""
    return [f"{_methods(route)} {route.path}" for route in routes]


def page() -> str:
    """Write the page."""
    return _INTRODUCTION + _PUBLIC + _table(public()) + _INTERNAL + _table(internal())


def _table(routes: Sequence[Route]) -> str:
    rows = [(code(name), _told(route)) for name, route in zip(names(routes), routes, strict=True)]
    return table(("request", "does"), rows)


def _methods(route: Route) -> str:
    return "ANY" if route.methods is None else ", ".join(sorted(route.methods - {"HEAD"}))


def _told(route: Route) -> str:
    return (route.endpoint.__doc__ or "").partition("\n\n")[0]


def _database() -> SqliteDatabase:
    return SqliteDatabase(Path("never-opened.db"))


def _inbox() -> SqlInbox:
    return SqlInbox(_database(), Vault())


async def _health() -> Health:
    return Health()


async def _measure() -> None:
    """Measure nothing."""


async def _policy() -> Policy:
    return Policy((), "")


def _nothing() -> None:
    """Wake nobody."""


def _epoch() -> datetime:
    return datetime.fromtimestamp(0, UTC)
