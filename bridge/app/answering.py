"""Answering: what operators and consumers may ask, and whose token opens what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Protocol

from starlette.routing import Route

from bridge.app.commanding import Commanding
from bridge.app.policy import read_policy
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.app.watching import Watching
from bridge.approvals.api import PurchasesApi
from bridge.carriers.shipx import shipment as shipments
from bridge.commands.api import CommandsApi
from bridge.commands.giving import Giving
from bridge.connections.api import ConnectionsApi
from bridge.egress.feed import FeedApi
from bridge.ingress.api import DeliveriesApi
from bridge.inspection.api import ShipmentsApi
from bridge.purchasing.api import EvaluationApi
from bridge.settings import Settings
from bridge.shipping.api import ShippingApi
from bridge.store.decisions import SqlDecisions
from bridge.store.feed import SqlFeed
from bridge.store.listed import SqlListed
from bridge.web import documents
from bridge.web.access import EVERY_SCOPE, Access, Client
from bridge.web.operations import Operations


class Api(Protocol):
    """Something that answers requests."""

    def routes(self) -> list[Route]: ...


def make_apis(shared: Shared, stores: Stores, commanding: Commanding, watching: Watching) -> Sequence[Api]:
    """Make all of them, over one set of tokens."""
    access = _access(shared.settings)
    feed = FeedApi(SqlFeed(stores.database), access, shared.draining)
    shared.bells.hang("events", feed.wake)
    giving = Giving(commanding.commands, partial(shared.bells.ring, "commands"))
    return (
        Operations(shared.metrics, watching.health, watching.measure),
        feed,
        ShippingApi(giving, access),
        CommandsApi(commanding.commands, giving, access),
        DeliveriesApi(commanding.replay, access),
        ConnectionsApi(stores.connections, access, commanding.pausing),
        EvaluationApi(
            SqlDecisions(stores.database),
            access,
            policy=partial(read_policy, shared.settings),
            read=shipments.read,
            faults=shipments.faults,
            clock=shared.clock,
        ),
        PurchasesApi(SqlListed(stores.database), giving, access, shared.clock),
        ShipmentsApi(
            stores.database, access, shared.clock, settle=timedelta(seconds=shared.settings.purchasing.settle_s)
        ),
    )


def internal_routes(apis: Sequence[Api]) -> list[Route]:
    """List everything but the webhooks; where an internal port is set, it is served there alone."""
    return [*(route for api in apis for route in api.routes()), *documents.routes()]


def _access(settings: Settings) -> Access:
    clients = [
        Client(one.name, one.sha256, frozenset(one.scopes), frozenset(one.organizations)) for one in settings.api_tokens
    ]
    if settings.api_token is not None:
        digest = sha256(settings.api_token.get_secret_value().encode()).hexdigest()
        clients.append(Client("operator", digest, EVERY_SCOPE))
    return Access(clients)
