"""Commanding: what operators may have done, at once by a request or later as a command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from bridge.app.carriers import Carriers
from bridge.app.dispatching import dispatch_operations
from bridge.app.evaluating import make_evaluation
from bridge.app.labelling import label_operations
from bridge.app.reconciling import make_backfill
from bridge.app.returning import Returns, return_operations
from bridge.app.shared import Shared
from bridge.app.shipping import make_shipping
from bridge.app.stores import Stores
from bridge.approvals.approving import Approving
from bridge.approvals.evaluating import EvaluateOffers, Evaluating
from bridge.broker.dead import RabbitDead
from bridge.broker.replayer import RabbitReplayer
from bridge.carriers.shipx import webhook as shipx_webhook
from bridge.commands.execute import Executor, Operation
from bridge.commands.models import (
    ApprovePurchase,
    Backfill,
    HoldPurchase,
    PauseConnection,
    RedriveDead,
    RefreshOffers,
    ReplayDeliveries,
    ReplayEvents,
    ResumeConnection,
    RetryPurchase,
)
from bridge.connections.pausing import Pausing
from bridge.egress.redrive import RedrivenDead
from bridge.egress.replay import ReplayedEvents
from bridge.ingress.replay import Replay
from bridge.ingress.replaying import ReplayedDeliveries
from bridge.model import OrganizationId
from bridge.shipping.labels.desk import Desk
from bridge.store.approvals import SqlApprovals
from bridge.store.commands import SqlCommands
from bridge.store.database import Topic
from bridge.store.dead import SqlDeadEvents
from bridge.store.deliveries import SqlDeliveries
from bridge.store.replaying import SqlReplays


@dataclass(frozen=True, slots=True)
class Commanding:
    """Where commands wait, and what requests and commands have in common."""

    commands: SqlCommands
    replay: Replay
    pausing: Pausing
    approvals: SqlApprovals


def make_commanding(shared: Shared, stores: Stores) -> Commanding:
    """Make it; nothing is carried out yet."""
    deliveries = SqlDeliveries(stores.database, stores.vault, stores.inbox)
    return Commanding(
        SqlCommands(stores.database, stores.vault, shared.holder),
        Replay(stores.database, deliveries, shipx_webhook.read, partial(shared.bells.ring, "deliveries")),
        Pausing(stores.database, stores.connections, partial(shared.bells.ring, "purchases")),
        SqlApprovals(stores.recorder),
    )


def open_executor(
    shared: Shared,
    stores: Stores,
    commanding: Commanding,
    carriers: Carriers,
    desk: Desk,
    returns: Returns,
) -> None:
    """Start carrying out commands; labels are fetched at their desk, and returns made at theirs."""
    operations = {
        **_operations(shared, stores, commanding, carriers),
        **label_operations(desk),
        **return_operations(returns, shared.clock),
    }
    executor = Executor(commanding.commands, operations, shared.stop)
    shared.bells.hang("commands", executor.bell.ring)
    shared.loops.start("commands", executor.run)


def _operations(shared: Shared, stores: Stores, commanding: Commanding, carriers: Carriers) -> Mapping[str, Operation]:
    settings, pausing, approving = shared.settings, commanding.pausing, _approving(shared, stores, commanding)
    resender = letters = None
    if settings.amqp_url is not None:
        resender = partial(RabbitReplayer, settings.amqp_url, environment=settings.environment)
        letters = partial(RabbitDead, settings.amqp_url, shared.clock)
    replayed = ReplayedEvents(SqlReplays(stores.database), resender, shared.stop)
    return {  # what is long, one at a time: a second one is better done after the first
        ReplayDeliveries.operation: Operation(ReplayedDeliveries(commanding.replay), at_once=1),
        ReplayEvents.operation: Operation(replayed, at_once=1),
        RedriveDead.operation: Operation(RedrivenDead(SqlDeadEvents(stores.database), letters), at_once=1),
        Backfill.operation: Operation(make_backfill(shared, stores, carriers), at_once=1),
        PauseConnection.operation: Operation(pausing.carry_out_pause, at_once=1),
        ResumeConnection.operation: Operation(pausing.carry_out_resume, at_once=1),
        ApprovePurchase.operation: Operation(approving.approve),
        HoldPurchase.operation: Operation(approving.hold),
        RetryPurchase.operation: Operation(approving.retry),
        RefreshOffers.operation: Operation(approving.renew),
        EvaluateOffers.operation: Operation(Evaluating(make_evaluation(shared, stores))),
        **make_shipping(shared, stores, carriers, approving),
        **dispatch_operations(shared, stores, carriers),
    }


def _approving(shared: Shared, stores: Stores, commanding: Commanding) -> Approving:
    return Approving(
        commanding.approvals,
        known=[OrganizationId(one.id) for one in shared.settings.shipx.organizations if one.token is not None],
        clock=shared.clock,
        on_changed=partial(_ring, shared, "purchases", "events"),
    )


def _ring(shared: Shared, *topics: Topic) -> None:
    for topic in topics:
        shared.bells.ring(topic)
