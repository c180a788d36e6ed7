"""The URL that the carrier calls: 200 only for what is on disk, 503 when it cannot be, 404 for a wrong secret.

Behind a right secret there is no 4xx: nobody knows what the carrier does after one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b, sha256
from typing import Final, NamedTuple, Protocol

import structlog
from prometheus_client import Counter
from starlette.types import Receive, Scope, Send

from bridge.errors import StoreError, Unreadable
from bridge.ingress.answer import FOUND, NOT_FOUND, Answer, told, unavailable
from bridge.ingress.inbox import Inbox, Room
from bridge.ingress.verification import (
    KEPT_OF_TOO_LARGE,
    Mode,
    Networks,
    Origin,
    Refused,
    Secrets,
    Unverified,
    Verified,
    verify,
)
from bridge.lifecycle import Clock
from bridge.model import FOREIGN_ORGANIZATION, Arrival, DeliveryId, OrganizationId, Parked, Receipt, ShipmentId
from bridge.observability import Metrics
from bridge.web.wire import WHOLE

log = structlog.get_logger()

SOURCE: Final = "shipx"
PREFIX: Final = "/webhooks/shipx/"
"""What stands in the path before the secret."""
UNPROXIED: Final = (
    "a private address sent a webhook and no proxy is trusted, so the carrier's network cannot be seen:"
    " name the proxy's network in BRIDGE_WEBHOOK__TRUSTED_PROXIES"
)
_DRAINED: Final = 8
"""How many times the limit is read and thrown away, so that the sender gets to see the answer."""
_UNREAD: Final = "unread"
"""The event's label where no event was read."""
_STRANGERS_EVERY_S: Final = 60.0
_MOST_DIGITS: Final = 20
"""Longer numbers are not read."""


class ReadWebhook(Protocol):
    """What is read from a verified body; raises Unreadable."""

    @property
    def organization(self) -> OrganizationId: ...
    @property
    def event(self) -> str: ...
    @property
    def shipment(self) -> ShipmentId | None: ...
    @property
    def at(self) -> datetime: ...
    @property
    def id(self) -> DeliveryId: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a request may send, and for how long."""

    body_bytes: int
    body_seconds: float
    mode: Mode


class Receiver:
    """Takes webhooks from the wire to the inbox."""

    def __init__(
        self,
        *,
        secrets: Secrets,
        networks: Networks,
        limits: Limits,
        inbox: Inbox,
        read: Callable[[bytes, datetime], ReadWebhook],
        known_events: frozenset[str],
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._secrets = secrets
        self._networks = networks
        self._limits = limits
        self._inbox = inbox
        self._read = read
        self._known_events = known_events
        self._metrics = metrics
        self._clock = clock
        self._counters: dict[tuple[str, str], Counter] = {}
        self._strangers = 0
        self._strangers_told = -_STRANGERS_EVERY_S
        self.unproxied_since: datetime | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer whatever is sent to a webhook URL, by any method: a right secret is never answered by a 405."""
        try:
            answer = await self._answer(scope, receive)
        except Exception as bug:  # it is ours: nothing is on disk then, so the sender is asked to come again
            log.error("http.bug", exc_info=bug)
            answer = unavailable(close=True)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        secret = scope["path"].removeprefix(PREFIX).removesuffix("/")
        organization = self._secrets.organization(secret)
        if organization is None:
            if scope["method"] == "POST":
                self._note_stranger(scope)
            return NOT_FOUND
        if scope["method"] in ("GET", "HEAD"):
            return FOUND
        started = time.perf_counter()
        answer = await self._receive(scope, receive, organization)
        self._metrics.ack_seconds.observe(time.perf_counter() - started)
        return answer

    def _note_stranger(self, scope: Scope) -> None:
        """Count a wrong secret, and say so now and then: it may be ours, set wrong at the carrier."""
        self._metrics.unknown_secret.inc()
        self._strangers += 1
        now = time.monotonic()
        if now - self._strangers_told >= _STRANGERS_EVERY_S:
            address = self._origin(scope, _head(scope["headers"])).address
            log.warning("webhook.unknown_secret", address=address, count=self._strangers)
            self._strangers, self._strangers_told = 0, now

    async def _receive(self, scope: Scope, receive: Receive, organization: OrganizationId) -> Answer:
        """Make room, and answer 503 for whatever cannot be read or put on disk now."""
        try:
            head = _head(scope["headers"])
            with self._inbox.room(min(head.length, self._limits.body_bytes)) as room:
                body, size = await self._body(scope, receive, room)
                return await self._keep(self._unverified(scope, organization, head, body, size))
        except (TimeoutError, _Gone):
            self._count(_UNREAD, "incomplete")
            log.warning("webhook.body_incomplete", organization=organization)
        except StoreError as error:
            self._count(_UNREAD, "refused")
            log.error("webhook.refused", organization=organization, reason=str(error))
        return unavailable(close=True)

    async def _keep(self, unverified: Unverified) -> Answer:
        entry = self._judge(unverified)
        event = self._event_label(entry)
        try:
            receipt = await self._inbox.accept(entry)
        except StoreError as error:
            self._count(event, "refused")
            log.error("webhook.refused", organization=entry.organization, delivery=entry.id, reason=str(error))
            return unavailable(close=not unverified.is_whole)
        self._count(event, receipt.value)
        self._tell(entry, receipt, event)
        return told(receipt, entry.id, close=not unverified.is_whole)

    async def _body(self, scope: Scope, receive: Receive, room: Room) -> tuple[bytearray, int]:
        """Read a body within its limits: its beginning, and how much was sent.

        Raises StoreUnavailable when there is no room for it, TimeoutError and _Gone when it does not come.
        """
        if WHOLE in scope.get("extensions", ()):  # nothing to wait for, and a timeout costs as much as the rest
            return await self._read_body(receive, room)
        async with asyncio.timeout(self._limits.body_seconds):
            return await self._read_body(receive, room)

    async def _read_body(self, receive: Receive, room: Room) -> tuple[bytearray, int]:
        most, body, size, is_last = self._limits.body_bytes, bytearray(), 0, False
        while not is_last and size <= _DRAINED * most:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            chunk, is_last = message.get("body", b""), not message.get("more_body")
            size += len(chunk)
            if room.size < size and room.size < most:
                room.grow(min(size, most))
            body += chunk[: most - len(body)]
        return body, size

    def _unverified(
        self, scope: Scope, organization: OrganizationId, head: _Head, body: bytearray, size: int
    ) -> Unverified:
        is_whole = size <= self._limits.body_bytes
        kept = bytes(body if is_whole else body[:KEPT_OF_TOO_LARGE])
        origin = self._origin(scope, head)
        return Unverified(organization, origin, head.encoding, self._clock(), size, is_whole, kept)

    def _origin(self, scope: Scope, head: _Head) -> Origin:
        client = scope.get("client")
        origin = self._networks.origin(client[0] if client else "", head.forwarded)
        if origin.unproxied and not origin.is_inside and self._limits.mode != "off":
            self._warn_unproxied()
        return origin

    def _warn_unproxied(self) -> None:
        if self.unproxied_since is None:
            self.unproxied_since = self._clock()
            log.warning("webhook.unproxied", advice=UNPROXIED, mode=self._limits.mode)

    def _judge(self, unverified: Unverified) -> Arrival | Parked:
        """Decide what goes into the inbox: a webhook that takes effect, or one that is parked with its reason."""
        verdict = verify(unverified, self._limits.mode)
        if isinstance(verdict, Refused):
            return _parked(unverified, verdict.reason)
        if not unverified.origin.is_inside and self._limits.mode == "observe":
            log.warning("webhook.outside_networks", address=unverified.origin.address)
            self._metrics.outside_networks.inc()
        try:
            webhook = self._read(verdict.body, verdict.received_at)
        except Unreadable as error:
            return _parked(unverified, error.reason)
        if webhook.organization != verdict.organization:
            return _parked(unverified, FOREIGN_ORGANIZATION)
        return _arrival(webhook, verdict)

    def _event_label(self, entry: Arrival | Parked) -> str:
        """Name the event in a metric; unknown names are the sender's choice and share one label."""
        if isinstance(entry, Parked):
            return _UNREAD
        return entry.event if entry.event in self._known_events else "other"

    def _count(self, event: str, outcome: str) -> None:
        counter = self._counters.get((event, outcome))
        if counter is None:  # there are few, and looking one up by its labels costs more than counting
            counter = self._counters[event, outcome] = self._metrics.deliveries.labels(SOURCE, event, outcome)
        counter.inc()

    def _tell(self, entry: Arrival | Parked, receipt: Receipt, event: str) -> None:
        if isinstance(entry, Parked):
            self._metrics.parked.labels(entry.reason).inc()
            log.warning(
                "webhook.parked",
                reason=entry.reason,
                delivery=entry.id,
                organization=entry.organization,
                peer=entry.peer,
            )
        else:
            log.info(
                "webhook.received",
                outcome=receipt.value,
                delivery=entry.id,
                organization=entry.organization,
                shipment=entry.shipment,
                kind=event,
            )


class _Gone(Exception):
    """The sender went away in the middle."""


class _Head(NamedTuple):
    """What the headers say; a length of 0 where they name none."""

    length: int
    encoding: str
    forwarded: str


def _head(headers: Iterable[tuple[bytes, bytes]]) -> _Head:
    """Read the headers that matter in one pass: looking each up by name would take several."""
    length, encoding, forwarded = 0, "", ""
    for name, value in headers:
        if name == b"content-length":
            length = int(value) if value.isdigit() and len(value) < _MOST_DIGITS else 0
        elif name == b"content-encoding":
            encoding = encoding or value.decode("latin-1").strip().lower()
        elif name == b"x-forwarded-for":
            forwarded += ("," if forwarded else "") + value.decode("latin-1")
    return _Head(length, encoding, forwarded)


def _arrival(webhook: ReadWebhook, verified: Verified) -> Arrival:
    return Arrival(
        id=webhook.id,
        organization=webhook.organization,
        event=webhook.event,
        shipment=webhook.shipment,
        occurred_at=webhook.at,
        received_at=verified.received_at,
        body=verified.body,
        body_sha256=sha256(verified.body).digest(),
    )


def _parked(unverified: Unverified, reason: str) -> Parked:
    """Keep it under the day, the reason and its bytes: the same thing sent again is counted, not kept again."""
    day = int(unverified.received_at.timestamp()) // 86_400 * 86_400
    digest = blake2b(f"{unverified.organization}:{reason}:{unverified.size}:".encode(), digest_size=16)
    digest.update(unverified.body)
    key = b"\x00" + day.to_bytes(4, "big") + digest.digest()
    return Parked(
        id=DeliveryId(key.hex()),
        reason=reason,
        organization=unverified.organization,
        peer=unverified.origin.address,
        received_at=unverified.received_at,
        size=unverified.size,
        body=unverified.body,
    )
