"""The composition root: the only place that knows which database, broker and carrier the parts are given."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from typing import Final, Protocol
from uuid import uuid4

import structlog
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.broker.dead import RabbitDead
from bridge.broker.rabbit import RabbitPublisher
from bridge.broker.replayer import RabbitReplayer
from bridge.carriers.shipx import webhook as shipx_webhook
from bridge.carriers.shipx.client import ShipxClient, make_http
from bridge.commands.api import CommandsApi
from bridge.commands.execute import Executor, Operation
from bridge.commands.models import (
    PauseConnection,
    RedriveDead,
    ReplayDeliveries,
    ReplayEvents,
    ResumeConnection,
)
from bridge.connections import health as connection_health
from bridge.connections.api import ConnectionsApi
from bridge.connections.gate import Gate
from bridge.connections.pausing import Pausing
from bridge.connections.watch import Watch
from bridge.egress.feed import FeedApi
from bridge.egress.redrive import RedrivenDead
from bridge.egress.relay import Relay
from bridge.egress.replay import ReplayedEvents
from bridge.errors import SettingsError, StoreError, StoreUnavailable
from bridge.events.cloudevents import Envelope
from bridge.events.projection import project
from bridge.ingress.api import DeliveriesApi
from bridge.ingress.inbox import Inbox
from bridge.ingress.receiver import PREFIX, UNPROXIED, Limits, Receiver
from bridge.ingress.replay import Replay
from bridge.ingress.replaying import ReplayedDeliveries
from bridge.ingress.verification import Networks, Secrets
from bridge.ingress.worker import Worker
from bridge.lifecycle import Clock, Loops, Stop, utc_now
from bridge.limits.connection import Limits as CarrierLimits
from bridge.model import OrganizationId
from bridge.observability import Metrics
from bridge.purchasing.buyer import Account, Buyer, Mode
from bridge.purchasing.policy import load as load_policy
from bridge.reconciling.retention import Retention
from bridge.settings import Settings, is_loopback, without_effect
from bridge.store.commands import SqlCommands
from bridge.store.connections import Seen, SqlConnections, shipx
from bridge.store.database import TOPICS, ManagedDatabase, Topic
from bridge.store.dead import SqlDeadEvents
from bridge.store.deliveries import SqlDeliveries
from bridge.store.facts import Recorder
from bridge.store.feed import SqlFeed
from bridge.store.gauges import SqlGauges
from bridge.store.inbox import SqlInbox
from bridge.store.leases import SqlLeases
from bridge.store.migrate import migrate, require_current
from bridge.store.opening import database as named_database
from bridge.store.outbox import SqlOutbox, begun
from bridge.store.projecting import SqlProjector
from bridge.store.pruning import SqlPruning
from bridge.store.purchases import SqlPurchases
from bridge.store.replaying import SqlReplays
from bridge.store.sealed import Vault
from bridge.web import documents
from bridge.web.access import EVERY_SCOPE, Access, Client
from bridge.web.application import Application
from bridge.web.operations import Health, Operations
from bridge.web.problems import HANDLERS, Problem
from bridge.web.requestlog import RequestLog
from bridge.web.server import Server, listen

log = structlog.get_logger()

VERSION: Final = version("shipx-bridge")
"""What every program of this package says it is."""
_SWITCH_S: Final = 0.001
"""How long a thread may keep the interpreter: by default 5 ms, which the writing thread would wait after every step."""
_PROBE_S: Final = 1.0
"""How long a readiness probe may wait to see whether the database takes writes again."""
_DATABASE_S: Final = 60.0
"""How long a start waits for a PostgreSQL that is away; then the process ends, and says why."""
_DATABASE_AGAIN_S: Final = 1.0
APPROVES: Final = (
    "purchases are decided and announced as held, not made: this version buys by itself only at a carrier on loopback"
)


@dataclass(frozen=True, slots=True)
class Edges:
    """What the process serves: the webhook routes and all others, each with its socket (or the same one)."""

    servers: tuple[Server, ...]
    urls: tuple[str, ...]


class Api(Protocol):
    """Something that answers requests."""

    def routes(self) -> list[Route]: ...


class Bridge:
    """One process of the bridge, put together from its settings."""

    def __init__(self, settings: Settings, *, clock: Clock = utc_now) -> None:
        self._settings = settings
        self._clock = clock
        self._stop = Stop()
        self._draining = Stop()
        self._asked = asyncio.Event()
        self.loops = Loops(self._asked.set)
        self._metrics = Metrics()
        self._holder = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        self._relay: Relay | None = None
        self._publisher: RabbitPublisher | None = None
        self._receiver: Receiver | None = None
        self._warnings: list[str] = []
        self._bells: dict[Topic, list[Callable[[], None]]] = {topic: [] for topic in TOPICS}

    async def run(self) -> int:
        """Serve until told to end; gives the exit code."""
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, self._asked.set)
        async with AsyncExitStack() as stack:
            try:
                edges = await self._open(stack)
            except BaseException:
                self._stop.announce()
                await self.loops.finish(1)
                raise
            serving = [asyncio.create_task(server.run_until_told()) for server in edges.servers]
            await asyncio.gather(*(server.listening.wait() for server in edges.servers))
            _settle_memory()
            log.info("bridge.ready", version=VERSION, urls=edges.urls, roles=sorted(self._settings.roles))
            await self._asked.wait()
            await self._end(edges, serving)
        return 1 if self.loops.crashed else 0

    async def _end(self, edges: Edges, serving: list[asyncio.Task[None]]) -> None:
        """Not ready → keep accepting for the drain delay → stop accepting → finish within the bound."""
        deadline = time.monotonic() + self._settings.http.drain_delay_s + self._settings.shutdown_s
        log.info("bridge.stopping", crashed=self.loops.crashed)
        self._draining.announce()
        if not self.loops.crashed:
            await asyncio.sleep(self._settings.http.drain_delay_s)
        for server in edges.servers:
            server.stop()
        await asyncio.wait(serving)
        self._stop.announce()
        late = await self.loops.finish(deadline - time.monotonic())
        log.info("bridge.stopped", unfinished=late)

    # -- opening -------------------------------------------------------------------------------------------------------

    async def _open(self, stack: AsyncExitStack) -> Edges:
        settings = self._settings
        for key, text in without_effect(settings):
            log.warning("setting.without_effect", key=key, advice=text)
            self._warnings.append(f"{key}: {text}")
        sockets = self._listen()  # before anything runs: a taken port must not start half a bridge
        for opened in sockets:
            stack.callback(opened.close)
        database = await self._wait_for_database()
        stack.push_async_callback(database.close)
        vault = Vault.with_keys(settings.personal_data.key_bytes)
        recorder = Recorder(Envelope(settings.environment))
        feed = FeedApi(SqlFeed(database), self._access(), self._draining)
        inbox_store = SqlInbox(database, vault)
        connections = SqlConnections(database, recorder)
        await connections.prepare(shipx(OrganizationId(one.id)) for one in settings.shipx.organizations if one.token)
        self._bells["events"].append(feed.wake)
        if "relay" in settings.roles and settings.amqp_url is not None:
            await self._open_relay(stack, database)
        if "worker" in settings.roles:
            await self._open_worker(stack, database, vault, recorder, connections)
        if "reconciler" in settings.roles:
            self._open_retention(database)
        self.loops.start("database.hear", partial(database.hear, self._ring, self._stop))
        on_accepted = partial(self._ring, "deliveries")
        webhooks = self._webhook_routes(inbox_store, on_accepted) if "receiver" in settings.roles else []
        replay = Replay(SqlDeliveries(database, vault, inbox_store), shipx_webhook.read, on_accepted)
        commands = SqlCommands(database, vault, self._holder)
        pausing = Pausing(connections, partial(self._ring, "purchases"))
        if "commands" in settings.roles:
            self._open_commands(commands, database, replay, pausing)
        apis = (
            self._operations(database, connections),
            feed,
            CommandsApi(commands, self._access(), partial(self._ring, "commands")),
            DeliveriesApi(replay, self._access()),
            ConnectionsApi(connections, self._access(), pausing),
        )
        return self._edges(sockets, webhooks, internal_routes(apis))

    async def _wait_for_database(self) -> ManagedDatabase:
        """Open the database; a server that is away may be back in a moment, so it is asked again for a while."""
        until, told = time.monotonic() + (0 if self._settings.database.path else _DATABASE_S), ""
        while True:
            try:
                return await open_database(self._settings)
            except StoreUnavailable as error:
                if self._asked.is_set() or time.monotonic() >= until:
                    raise
                if told != str(error):
                    told = str(error)
                    log.warning("database.away", reason=told)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), _DATABASE_AGAIN_S)

    def _webhook_routes(self, store: SqlInbox, on_accepted: Callable[[], None]) -> list[Route]:
        settings = self._settings.webhook
        inbox = Inbox(
            store,
            max_pending=settings.max_pending,
            commit_timeout_s=settings.commit_timeout_s,
            on_accepted=on_accepted,
            on_dropped=self._metrics.parked_dropped.inc,
        )
        organizations = self._settings.shipx.organizations
        secrets = {OrganizationId(one.id): [s.get_secret_value() for s in one.webhook_secrets] for one in organizations}
        self._receiver = Receiver(
            secrets=Secrets(secrets),
            networks=Networks(settings.networks, settings.trusted_proxies),
            limits=Limits(settings.max_body_bytes, settings.body_timeout_s, settings.network_mode),
            inbox=inbox,
            read=shipx_webhook.read,
            known_events=shipx_webhook.KNOWN_EVENTS,
            metrics=self._metrics,
            clock=self._clock,
        )
        self.loops.start("inbox.commit", partial(inbox.commit, self._stop))
        self.loops.start("inbox.expire", partial(inbox.expire, self._stop))
        return webhook_routes(self._receiver)

    def _ring(self, topic: Topic) -> None:
        """Wake whoever in this process waits for what was just committed, here or in another one."""
        for ring in self._bells[topic]:
            ring()

    async def _open_relay(self, stack: AsyncExitStack, database: ManagedDatabase) -> None:
        settings = self._settings
        assert settings.amqp_url is not None
        outbox = SqlOutbox(database, self._holder)
        publisher = self._publisher = RabbitPublisher(
            settings.amqp_url, declares=settings.amqp.declare, environment=settings.environment
        )
        relay = self._relay = Relay(
            outbox=outbox,
            leases=SqlLeases(database, self._holder),
            publisher=publisher,
            start=await outbox.begin(settings.amqp.start),
            metrics=self._metrics,
            clock=self._clock,
            stop=self._stop,
        )
        stack.push_async_callback(relay.close)
        for name, loop in (("renew", relay.renew), ("publish", relay.publish), ("mark", relay.mark)):
            self.loops.start(f"relay.{name}", loop)
        self._bells["events"].append(relay.bell.ring)

    def _open_commands(
        self, commands: SqlCommands, database: ManagedDatabase, replay: Replay, pausing: Pausing
    ) -> None:
        settings = self._settings
        resender = letters = None
        if settings.amqp_url is not None:
            resender = partial(RabbitReplayer, settings.amqp_url, environment=settings.environment)
            letters = partial(RabbitDead, settings.amqp_url, self._clock)
        operations = {  # each is long: what a second one would do at the same time is better done after the first
            ReplayDeliveries.operation: Operation(ReplayedDeliveries(replay), at_once=1),
            ReplayEvents.operation: Operation(ReplayedEvents(SqlReplays(database), resender, self._stop), at_once=1),
            RedriveDead.operation: Operation(RedrivenDead(SqlDeadEvents(database), letters), at_once=1),
            PauseConnection.operation: Operation(pausing.carry_out_pause, at_once=1),
            ResumeConnection.operation: Operation(pausing.carry_out_resume, at_once=1),
        }
        executor = Executor(commands, operations, self._stop)
        self._bells["commands"].append(executor.bell.ring)
        self.loops.start("commands", executor.run)

    async def _open_worker(
        self,
        stack: AsyncExitStack,
        database: ManagedDatabase,
        vault: Vault,
        recorder: Recorder,
        connections: SqlConnections,
    ) -> None:
        buyer = await self._open_buyer(stack, SqlPurchases(database, recorder, self._holder), connections)
        worker = Worker(
            SqlProjector(database, vault, recorder, shipx_webhook.notification, project),
            metrics=self._metrics,
            clock=self._clock,
            stop=self._stop,
            on_events=partial(self._ring, "events"),
            on_wanted=buyer.bell.ring,
        )
        self._bells["deliveries"].append(worker.bell.ring)
        self._bells["purchases"].append(buyer.bell.ring)
        self.loops.start("worker", worker.run)
        self.loops.start("buyer", buyer.run)

    def _open_retention(self, database: ManagedDatabase) -> None:
        kept = self._settings.retention
        retention = Retention(
            store=SqlPruning(database, self._holder),
            leases=SqlLeases(database, self._holder),
            keep={
                "deliveries": kept.deliveries,
                "parked": kept.parked,
                "events": kept.events,
                "journal": kept.events,
            },
            metrics=self._metrics,
            clock=self._clock,
            stop=self._stop,
        )
        self.loops.start("retention", retention.run)

    async def _open_buyer(self, stack: AsyncExitStack, purchases: SqlPurchases, connections: SqlConnections) -> Buyer:
        settings = self._settings
        mode = real_mode(settings)
        if mode != settings.purchasing.mode and any(one.token for one in settings.shipx.organizations):
            self._warnings.append(APPROVES)
        clients = {
            OrganizationId(one.id): self._open_client(stack, one.id, one.token, connections)
            for one in settings.shipx.organizations
            if one.token is not None
        }
        watch = Watch(connections, {shipx(number): client for number, client in clients.items()}, self._stop)
        self.loops.start("connections.watch", watch.run)
        return Buyer(
            purchases=purchases,
            accounts={number: Account(client, mode) for number, client in clients.items()},
            policy=load_policy(await asyncio.to_thread(policy_text, settings)),
            settle=timedelta(seconds=settings.purchasing.settle_s),
            call_within=timedelta(seconds=settings.shipx.timeout_s),
            at_once=settings.shipx.max_in_flight,
            metrics=self._metrics,
            clock=self._clock,
            stop=self._stop,
            on_events=partial(self._ring, "events"),
        )

    def _open_client(
        self, stack: AsyncExitStack, number: int, token: SecretStr, connections: SqlConnections
    ) -> ShipxClient:
        """Make the client of one organization, behind a gate that all replicas share."""
        carrier, organization = self._settings.shipx, OrganizationId(number)
        http = make_http(timeout_s=carrier.timeout_s, at_once=carrier.max_in_flight)
        stack.push_async_callback(http.aclose)
        limits = CarrierLimits(carrier.requests_per_minute, carrier.max_in_flight)
        gate = Gate(connections, shipx(organization), limits, holder=self._holder, clock=self._clock)
        stack.push_async_callback(gate.close)
        self._bells["connections"].append(gate.wake)
        return ShipxClient(
            http,
            base_url=carrier.base_url,
            organization=organization,
            token=token,
            permits=gate,
            metrics=self._metrics,
            clock=self._clock,
            version=VERSION,
        )

    # -- serving -------------------------------------------------------------------------------------------------------

    def _listen(self) -> list[socket.socket]:
        http = self._settings.http
        sockets = [listen(http.host, http.port, "BRIDGE_HTTP__PORT")]
        if http.internal_port is not None:
            sockets.append(listen(http.host, http.internal_port, "BRIDGE_HTTP__INTERNAL_PORT"))
        return sockets

    def _edges(self, sockets: list[socket.socket], webhooks: list[Route], internal: list[Route]) -> Edges:
        """Serve all on one port, or the webhooks on the public one and the rest on the internal one."""
        routes = [[*webhooks, *internal]] if len(sockets) == 1 else [webhooks, internal]
        seconds = self._settings.shutdown_s / 2  # requests get half of the bound, the loops what is left of it
        servers = tuple(Server(_application(some), one, seconds) for some, one in zip(routes, sockets, strict=True))
        return Edges(servers, tuple("http://{}:{}".format(*one.getsockname()[:2]) for one in sockets))

    def _access(self) -> Access:
        clients = [
            Client(one.name, one.sha256, frozenset(one.scopes), frozenset(one.organizations))
            for one in self._settings.api_tokens
        ]
        if self._settings.api_token is not None:
            digest = sha256(self._settings.api_token.get_secret_value().encode()).hexdigest()
            clients.append(Client("operator", digest, EVERY_SCOPE))
        return Access(clients)

    def _operations(self, database: ManagedDatabase, connections: SqlConnections) -> Operations:
        gauges = SqlGauges(database)

        async def health() -> Health:
            problems = ["the process is ending"] if self._draining else []
            seen: Sequence[Seen] = ()
            try:
                await database.read(require_current)
                seen = await connections.list()
            except StoreError as error:
                problems.append(f"database: {error}")
            trouble = await database.probe(_PROBE_S)
            if trouble is not None:
                problems.append(f"database: cannot be written since {trouble.since:%H:%M:%S}: {trouble.reason}")
            advice = (*self._advice(), *connection_health.warnings(seen))
            return Health(tuple(problems), self.loops.running(), self._degraded(seen), advice)

        async def measure() -> None:
            found = await gauges.measure(self._clock())
            found.show(self._metrics)
            connection_health.show(await connections.list(), self._metrics)
            if self._relay is not None:
                self._metrics.held_subjects.set(self._relay.held_subjects)
            counts = await self._publisher.counts() if self._publisher else None
            if counts is not None:
                self._metrics.unrouted.set(counts.unrouted)
                self._metrics.dead.set(counts.dead)

        return Operations(self._metrics, health, measure)

    def _degraded(self, connections: Sequence[Seen]) -> dict[str, datetime]:
        """Say what is away, and since when: the work that needs it waits."""
        parts: dict[str, datetime | None] = {**connection_health.degraded(connections)}
        if self._relay is not None:
            parts["broker"] = self._relay.degraded_since
        return {name: since for name, since in parts.items() if since is not None}

    def _advice(self) -> list[str]:
        """Say in words what an operator should change."""
        unproxied = self._receiver is not None and self._receiver.unproxied_since is not None
        held = self._relay.warnings() if self._relay else []
        return [*self._warnings, *([UNPROXIED] if unproxied else []), *held]


def real_mode(settings: Settings) -> Mode:
    """Say what the buyer really does: money is only spent unasked at a carrier on this machine."""
    mode = settings.purchasing.mode
    return mode if mode != "auto" or is_loopback(settings.shipx.base_url) else "approve"


def webhook_routes(receiver: Receiver) -> list[Route]:
    """List what the carrier may call: with any method, so that nothing behind a right secret is ever a 4xx."""
    return [Route(f"{PREFIX}{{secret}}{end}", receiver) for end in ("", "/")]


def internal_routes(apis: Sequence[Api]) -> list[Route]:
    """List everything else; where an internal port is set, it is served there alone."""
    return [*(route for api in apis for route in api.routes()), *documents.routes()]


async def open_database(settings: Settings) -> ManagedDatabase:
    """Open the database, with a schema that fits and rows of this environment. Raises StoreError or SettingsError."""
    database = await _opened(settings)
    try:
        if settings.migrate:
            for name in await database.rebuild(migrate):
                log.info("database.migrated", migration=name)
        await database.read(require_current)
        found = await database.write(lambda transaction: begun(transaction, settings.environment))
    except BaseException:
        await database.close()
        raise
    if found != settings.environment:
        await database.close()
        told = f"the database belongs to {found}; event ids would not match"
        raise SettingsError([("BRIDGE_ENVIRONMENT", told)])
    return database


async def _opened(settings: Settings) -> ManagedDatabase:
    database = named_database(settings.database)
    try:
        await database.open()
    except BaseException:
        await database.close()
        raise
    return database


async def migrate_database(settings: Settings) -> list[str]:
    """Bring the schema up to date and name what was applied. Raises StoreError or SettingsError."""
    database = await _opened(settings)
    try:
        return await database.rebuild(migrate)
    finally:
        await database.close()


def _application(routes: list[Route]) -> Starlette:
    receiver = next((route.endpoint for route in routes if isinstance(route.endpoint, Receiver)), None)
    app = Application(
        direct=(PREFIX, receiver) if receiver else None,
        routes=routes,
        middleware=[Middleware(RequestLog)],
        exception_handlers={**HANDLERS, Exception: _unexpected},
    )
    app.router.redirect_slashes = False
    return app


async def _unexpected(_request: Request, error: Exception) -> Response:
    """Answer a bug of ours."""
    log.error("http.bug", exc_info=error)
    return Problem(500, "internal-error", "Something went wrong here; the log says where.").response()


def policy_text(settings: Settings) -> bytes:
    """Read the policy file. Raises SettingsError."""
    try:
        return settings.policy.read_bytes()
    except OSError as error:
        raise SettingsError([("BRIDGE_POLICY", f"cannot be read: {error.strerror}")]) from error


def _settle_memory() -> None:
    """Keep the collector away from what lives as long as the process, and let the threads take turns more often."""
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(50_000, 20, 50)
