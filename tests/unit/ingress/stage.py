"""The receiving half of a bridge: the real application on a real SQLite file, a clock by hand, and a carrier's hand."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from bridge.app.answering import internal_routes
from bridge.app.receiving import webhook_routes
from bridge.app.serving import application
from bridge.approvals.api import PurchasesApi
from bridge.carriers.shipx import webhook
from bridge.commands.api import CommandsApi
from bridge.commands.giving import Giving
from bridge.connections.api import ConnectionsApi
from bridge.connections.pausing import Pausing
from bridge.egress.feed import FeedApi
from bridge.events.cloudevents import Envelope
from bridge.events.notification import Notification
from bridge.events.projection import Projection, project
from bridge.events.shipment import ShipmentState
from bridge.ingress.api import DeliveriesApi
from bridge.ingress.inbox import Inbox
from bridge.ingress.readings import Readings
from bridge.ingress.receiver import Limits, Receiver
from bridge.ingress.replay import Replay
from bridge.ingress.verification import Mode, Networks, Secrets
from bridge.inspection.api import ShipmentsApi
from bridge.lifecycle import Loops, Stop
from bridge.model import OrganizationId
from bridge.observability import Metrics
from bridge.ports import InboxStore
from bridge.shipping.api import ShippingApi
from bridge.store.approvals import SqlApprovals
from bridge.store.commands import SqlCommands
from bridge.store.connections import SqlConnections
from bridge.store.deliveries import SqlDeliveries
from bridge.store.facts import Recorder
from bridge.store.feed import SqlFeed
from bridge.store.gauges import SqlGauges
from bridge.store.inbox import Accepted, Bounds, Entry, SqlInbox
from bridge.store.listed import SqlListed
from bridge.store.migrate import require_current
from bridge.store.projecting import Projected, SqlProjector
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from bridge.web.access import EVERY_SCOPE, Access, Client
from bridge.web.operations import Health, Operations
from bridge.web.server import Server, listen
from tests.support.migrated import migrated

ORGANIZATION, OTHER = 4821, 4822
SECRET, NEXT_SECRET, OTHER_SECRET = "a1" * 20, "b2" * 20, "c3" * 20
CARRIER, STRANGER = "91.216.25.7", "8.8.4.4"
PATH = f"/webhooks/shipx/{SECRET}"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SHIPMENT = 3900000017
NUMBER = "620000000000000000000017"
OPERATOR = "operator-token-of-the-tests"


def told(
    status: str = "taken_by_courier", *, second: int = 0, shipment: object = SHIPMENT, **changes: object
) -> dict[str, Any]:
    """Write a status webhook; `changes` replace keys of the envelope."""
    payload = {"shipment_id": shipment, "status": status, "tracking_number": NUMBER}
    document = {
        "event_ts": f"2026-11-20 12:{second // 60:02}:{second % 60:02} +0100",
        "event": "shipment_status_changed",
        "organization_id": ORGANIZATION,
        "payload": payload,
    }
    return document | changes


def wire(document: object) -> bytes:
    """Write a document as the bytes of a body."""
    return json.dumps(document).encode()


def digest(token: str) -> str:
    """Give what the service keeps of a token."""
    return sha256(token.encode()).hexdigest()


def client_of(name: str, scopes: Collection[str], organizations: Collection[int] = ()) -> Client:
    """Make a client whose token is its name."""
    return Client(name, digest(name), frozenset(scopes), frozenset(organizations))


class Stage:
    """Enter it to open the database, start the inbox and be able to ask. `store` may stand before the real inbox.

    The worker reads everything again, as that of another process would, unless it shares the receiver's `readings`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        mode: Mode = "enforce",
        trusted: Sequence[str] = (),
        body_bytes: int = 262_144,
        body_seconds: float = 10,
        max_pending: int = 2000,
        commit_timeout_s: float = 5,
        command_seconds: float = 0,
        bounds: Bounds | None = None,
        vault: Vault | None = None,
        clients: Sequence[Client] = (),
        store: Callable[[SqlInbox], InboxStore] = lambda inbox: inbox,
        project: Callable[[Notification, ShipmentState | None], Projection] = project,
        readings: Readings | None = None,
    ) -> None:
        self.path = folder / "bridge.db"
        self.now = NOW
        self.stop = Stop()
        self.draining = Stop()
        self.metrics = Metrics()
        self.accepted = 0
        self.crashed = asyncio.Event()
        self._loops = Loops(self.crashed.set)
        self._stack = AsyncExitStack()
        self.database = SqliteDatabase(self.path)
        self.vault = vault or Vault()
        self.inbox_store = SqlInbox(self.database, self.vault, bounds)
        self.recorder = Recorder(Envelope("demo"))
        known = (readings or Readings()).take
        self.projector = SqlProjector(
            self.database, self.vault, self.recorder, webhook.notification, project, known=known
        )
        self.feed_store = SqlFeed(self.database)
        self.deliveries = SqlDeliveries(self.database, self.vault, self.inbox_store)
        self.inbox = Inbox(
            store(self.inbox_store),
            max_pending=max_pending,
            commit_timeout_s=commit_timeout_s,
            on_accepted=self._note,
            on_dropped=self.metrics.parked_dropped.inc,
        )
        self.receiver = Receiver(
            secrets=Secrets(
                {OrganizationId(ORGANIZATION): [NEXT_SECRET, SECRET], OrganizationId(OTHER): [OTHER_SECRET]}
            ),
            networks=Networks([ip_network("91.216.25.0/24")], [ip_network(one) for one in trusted]),
            limits=Limits(body_bytes, body_seconds, mode),
            inbox=self.inbox,
            read=webhook.read if readings is None else readings.keeping(webhook.read),
            known_events=webhook.KNOWN_EVENTS,
            metrics=self.metrics,
            clock=lambda: self.now,
        )
        access = Access([Client("operator", digest(OPERATOR), EVERY_SCOPE), *clients])
        self.feed = FeedApi(self.feed_store, access, self.draining)
        operations = Operations(self.metrics, self._health, self._measure)
        api = DeliveriesApi(Replay(self.database, self.deliveries, webhook.read, self._note), access)
        self.commands = SqlCommands(self.database, self.vault, "stage")
        giving = Giving(self.commands, self._note, wait_s=command_seconds)
        commands = CommandsApi(self.commands, giving, access)
        self.approvals = SqlApprovals(self.recorder)
        purchases = PurchasesApi(SqlListed(self.database), giving, access, lambda: self.now)
        self.connections = SqlConnections(self.database, self.recorder)
        connections = ConnectionsApi(self.connections, access, Pausing(self.database, self.connections, self._note))
        shipments = ShipmentsApi(self.database, access, lambda: self.now, settle=timedelta(seconds=20))
        internal = internal_routes(
            [ShippingApi(giving, access), operations, self.feed, commands, api, connections, purchases, shipments]
        )
        self.app = application([*webhook_routes(self.receiver), *internal])

    async def __aenter__(self) -> Self:
        migrated(self.path)
        await self.database.open()
        self._stack.push_async_callback(self.database.close)
        self._loops.start("inbox.commit", partial(self.inbox.commit, self.stop))
        self._loops.start("inbox.expire", partial(self.inbox.expire, self.stop))
        self._stack.push_async_callback(self._end)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    # -- asking --------------------------------------------------------------------------------------------------------

    async def ask(
        self,
        method: str,
        path: str,
        *,
        peer: str = CARRIER,
        token: str | None = None,
        content: bytes | None = None,
        headers: Sequence[tuple[str, str]] = (),
        params: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request to the application, as if from this peer."""
        sent = [*headers, *([("authorization", f"Bearer {token}")] if token else [])]
        transport = httpx.ASGITransport(self.app, client=(peer, 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as client:
            return await client.request(method, path, content=content, headers=sent, params=params)

    async def post(
        self, body: object, *, path: str = PATH, peer: str = CARRIER, headers: Sequence[tuple[str, str]] = ()
    ) -> httpx.Response:
        """Send a webhook; anything but bytes is written as JSON."""
        return await self.ask(
            "POST", path, peer=peer, content=body if isinstance(body, bytes) else wire(body), headers=headers
        )

    async def project(self) -> Projected:
        """Let the worker do one round."""
        return await self.projector.project(100, self.now)

    async def serve(self) -> str:
        """Listen on a real socket; gives its address."""
        listening = listen("127.0.0.1", 0, "port")
        address: tuple[str, int] = listening.getsockname()
        server = Server(self.app, listening, 5)
        task = asyncio.create_task(server.run_until_told())
        await server.listening.wait()

        async def end() -> None:
            self.draining.announce()
            server.stop()
            await task

        self._stack.push_async_callback(end)
        return f"http://{address[0]}:{address[1]}"

    # -- looking -------------------------------------------------------------------------------------------------------

    def rows(self, sql: str, *values: object) -> list[Any]:
        """Look into the file past the bridge; one column comes as plain values."""
        with closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute(sql, values).fetchall()
        return [row[0] for row in found] if found and len(found[0]) == 1 else found

    def change(self, sql: str) -> None:
        """Change the file past the bridge."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.executescript(sql)

    def counted(self, name: str) -> dict[tuple[str, ...], int]:
        """Give the values of a counter by its labels (in the order of their names)."""
        return {
            tuple(sample.labels[key] for key in sorted(sample.labels)): int(sample.value)
            for metric in self.metrics.registry.collect()
            for sample in metric.samples
            if sample.name == name and sample.value
        }

    # -- inside --------------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        self.stop.announce()
        assert await self._loops.finish(5) == []
        assert self._loops.crashed is None

    def _note(self) -> None:
        self.accepted += 1

    async def _health(self) -> Health:
        await self.database.read(require_current)
        return Health(loops=self._loops.running())

    async def _measure(self) -> None:
        (await SqlGauges(self.database).measure(self.now)).show(self.metrics)


class Gate:
    """A store that lets nothing through until it is opened, and notes the size of every commit."""

    def __init__(self, inner: InboxStore) -> None:
        self._inner = inner
        self._open = asyncio.Event()
        self.sizes: list[int] = []

    async def accept(self, batch: Sequence[Entry]) -> Accepted:
        self.sizes.append(len(batch))
        await self._open.wait()
        return await self._inner.accept(batch)

    def open(self) -> None:
        """Let everything through from now on."""
        self._open.set()


class Gated:
    """Makes a stage's gate, and gives it."""

    def __init__(self) -> None:
        self.gate: Gate

    def __call__(self, inner: InboxStore) -> Gate:
        self.gate = Gate(inner)
        return self.gate
