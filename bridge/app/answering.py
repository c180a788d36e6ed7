"""Answering: what operators and consumers may ask, and whose token opens what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Final, Protocol

from starlette.routing import Route

from bridge.app.carriers import Carriers
from bridge.app.commanding import Commanding
from bridge.app.dispatching import make_dispatchers
from bridge.app.evaluating import make_evaluation
from bridge.app.returning import Returns, returns_apis
from bridge.app.shared import Shared
from bridge.app.shipping import make_trails
from bridge.app.stores import Stores
from bridge.app.watching import Watching
from bridge.approvals.api import PurchasesApi
from bridge.commands.api import CommandsApi
from bridge.commands.giving import Giving
from bridge.connections.api import ConnectionsApi
from bridge.egress.feed import FeedApi
from bridge.ingress.api import DeliveriesApi
from bridge.ingress.operations import WEBHOOKS
from bridge.inspection.api import ShipmentsApi
from bridge.inspection.return_api import ReturnStoriesApi
from bridge.purchasing.api import EvaluationApi
from bridge.settings import Settings
from bridge.shipping.api import ShippingApi
from bridge.shipping.dispatch_api import DispatchApi
from bridge.shipping.labels.api import LabelsApi
from bridge.shipping.labels.desk import Desk
from bridge.shipping.returns.api import ReturnsApi
from bridge.shipping.returns.billing.api import BillingApi
from bridge.shipping.returns.cancel_api import CancelApi
from bridge.shipping.returns.checkout.api import CheckoutApi
from bridge.shipping.returns.codes.api import CodesApi
from bridge.shipping.returns.orders.api import ReturnOrdersApi
from bridge.shipping.steering_api import SteeringApi
from bridge.shipping.tracking_api import TrackingApi
from bridge.store.feed import SqlFeed
from bridge.store.listed import SqlListed
from bridge.web import openapi
from bridge.web.access import EVERY_SCOPE, Access, Client
from bridge.web.documents import DocumentsApi
from bridge.web.endpoint import Operation, operations
from bridge.web.operations import Operations


class Api(Protocol):
    """Something that answers requests."""

    def routes(self) -> list[Route]: ...


APIS: Final = (
    Operations,
    FeedApi,
    CommandsApi,
    DeliveriesApi,
    ConnectionsApi,
    PurchasesApi,
    EvaluationApi,
    ShippingApi,
    DispatchApi,
    LabelsApi,
    SteeringApi,
    TrackingApi,
    CheckoutApi,
    BillingApi,
    ReturnOrdersApi,
    CodesApi,
    CancelApi,
    ReturnsApi,
    ReturnStoriesApi,
    ShipmentsApi,
    DocumentsApi,
)
"""All of them, in the order in which `make_apis` does and they are described."""


def make_apis(
    shared: Shared,
    stores: Stores,
    carriers: Carriers,
    commanding: Commanding,
    watching: Watching,
    desk: Desk,
    returns: Returns,
) -> Sequence[Api]:
    """Make all of them, over one set of tokens."""
    access = _access(shared.settings)
    feed = FeedApi(SqlFeed(stores.database), access, shared.draining)
    shared.bells.hang("events", feed.wake)
    giving = Giving(commanding.commands, partial(shared.bells.ring, "commands"))
    return (
        Operations(shared.metrics, watching.health, watching.measure),
        feed,
        CommandsApi(commanding.commands, giving, access),
        DeliveriesApi(commanding.replay, access),
        ConnectionsApi(stores.connections, access, commanding.pausing),
        PurchasesApi(SqlListed(stores.database), giving, access, shared.clock),
        EvaluationApi(make_evaluation(shared, stores), access),
        ShippingApi(giving, access),
        DispatchApi(make_dispatchers(carriers), stores.database, giving, access),
        LabelsApi(desk, giving, access),
        SteeringApi(giving, access),
        TrackingApi(make_trails(carriers), access),
        *returns_apis(returns, giving, access),  # before what takes any word for the id of a return
        ReturnStoriesApi(stores.database, access, shared.clock),
        ShipmentsApi(
            stores.database, access, shared.clock, settle=timedelta(seconds=shared.settings.purchasing.settle_s)
        ),
    )


def internal_routes(apis: Sequence[Api]) -> list[Route]:
    """List everything but the webhooks; where an internal port is set, it is served there alone."""
    documents = DocumentsApi(lambda: openapi_document([*map(type, apis), DocumentsApi]))
    return [route for api in (*apis, documents) for route in api.routes()]


def described(apis: Iterable[type] = APIS) -> Sequence[Operation]:
    """List all that can be asked: the webhooks, and whatever these classes answer."""
    return [*WEBHOOKS, *(one for api in apis for one in operations(api))]


def openapi_document(apis: Iterable[type] = APIS) -> dict[str, object]:
    """Describe it all as OpenAPI."""
    return openapi.document(described(apis))


def _access(settings: Settings) -> Access:
    clients = [
        Client(one.name, one.sha256, frozenset(one.scopes), frozenset(one.organizations)) for one in settings.api_tokens
    ]
    if settings.api_token is not None:
        digest = sha256(settings.api_token.get_secret_value().encode()).hexdigest()
        clients.append(Client("operator", digest, EVERY_SCOPE))
    return Access(clients)
