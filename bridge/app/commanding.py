"""Commanding: what operators may have done, at once by a request or later as a command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from bridge.app.carriers import Carriers
from bridge.app.reconciling import make_backfill
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.broker.dead import RabbitDead
from bridge.broker.replayer import RabbitReplayer
from bridge.carriers.shipx import webhook as shipx_webhook
from bridge.commands.execute import Executor, Operation
from bridge.commands.models import (
    Backfill,
    PauseConnection,
    RedriveDead,
    ReplayDeliveries,
    ReplayEvents,
    ResumeConnection,
)
from bridge.connections.pausing import Pausing
from bridge.egress.redrive import RedrivenDead
from bridge.egress.replay import ReplayedEvents
from bridge.ingress.replay import Replay
from bridge.ingress.replaying import ReplayedDeliveries
from bridge.store.commands import SqlCommands
from bridge.store.dead import SqlDeadEvents
from bridge.store.deliveries import SqlDeliveries
from bridge.store.replaying import SqlReplays


@dataclass(frozen=True, slots=True)
class Commanding:
    """Where commands wait, and what requests and commands have in common."""

    commands: SqlCommands
    replay: Replay
    pausing: Pausing


def make_commanding(shared: Shared, stores: Stores) -> Commanding:
    """Make it; nothing is carried out yet."""
    deliveries = SqlDeliveries(stores.database, stores.vault, stores.inbox)
    return Commanding(
        SqlCommands(stores.database, stores.vault, shared.holder),
        Replay(stores.database, deliveries, shipx_webhook.read, partial(shared.bells.ring, "deliveries")),
        Pausing(stores.database, stores.connections, partial(shared.bells.ring, "purchases")),
    )


def open_executor(shared: Shared, stores: Stores, commanding: Commanding, carriers: Carriers) -> None:
    """Start carrying out commands."""
    executor = Executor(commanding.commands, _operations(shared, stores, commanding, carriers), shared.stop)
    shared.bells.hang("commands", executor.bell.ring)
    shared.loops.start("commands", executor.run)


def _operations(shared: Shared, stores: Stores, commanding: Commanding, carriers: Carriers) -> Mapping[str, Operation]:
    settings, pausing = shared.settings, commanding.pausing
    resender = letters = None
    if settings.amqp_url is not None:
        resender = partial(RabbitReplayer, settings.amqp_url, environment=settings.environment)
        letters = partial(RabbitDead, settings.amqp_url, shared.clock)
    replayed = ReplayedEvents(SqlReplays(stores.database), resender, shared.stop)
    return {  # each is long: what a second one would do at the same time is better done after the first
        ReplayDeliveries.operation: Operation(ReplayedDeliveries(commanding.replay), at_once=1),
        ReplayEvents.operation: Operation(replayed, at_once=1),
        RedriveDead.operation: Operation(RedrivenDead(SqlDeadEvents(stores.database), letters), at_once=1),
        Backfill.operation: Operation(make_backfill(shared, stores, carriers), at_once=1),
        PauseConnection.operation: Operation(pausing.carry_out_pause, at_once=1),
        ResumeConnection.operation: Operation(pausing.carry_out_resume, at_once=1),
    }
