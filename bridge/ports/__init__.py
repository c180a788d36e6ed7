"""What the parts need from each other, in our words; whatever has these methods will do. Shipping is beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from bridge.errors import BrokerError
from bridge.limits.connection import Outcome, Purpose
from bridge.model import CommandMessage, Event, Redriven, ShipmentId

if TYPE_CHECKING:  # for the types alone: who needs one port must not drag in what the others speak of
    from bridge.purchasing.shipment import Choice, Shipment
    from bridge.store.inbox import Accepted, Entry
    from bridge.store.leases import Share
    from bridge.store.outbox import Pending
    from bridge.store.projecting import Projected


class InboxStore(Protocol):
    """Where webhooks are kept."""

    async def accept(self, batch: Sequence[Entry]) -> Accepted:
        """Store a batch in one commit. Raises StoreUnavailable when it is not known to be on disk."""
        ...


class Projector(Protocol):
    """What makes facts of webhooks."""

    async def project(self, limit: int, now: datetime) -> Projected:
        """Work off up to so many of them, oldest first."""
        ...


class Outbox(Protocol):
    """Which events the broker has yet to confirm."""

    async def pending(self, after: int, limit: int, partitions: Collection[int]) -> Sequence[Pending]: ...

    async def decided(self) -> int:
        """Give the position up to which no more events will appear in what is read from now on."""
        ...

    async def confirm(self, positions: Sequence[int], tokens: Mapping[str, int], now: datetime) -> None: ...


class Leases(Protocol):
    """What only one replica may do at a time."""

    async def hold(self, names: Sequence[str]) -> Mapping[str, int]: ...

    async def release(self, names: Sequence[str]) -> None: ...


class Shares(Protocol):
    """What replicas do beside each other, each its fair part."""

    async def share(self, group: str, names: Sequence[str]) -> Share: ...

    async def release(self, names: Sequence[str]) -> None: ...

    async def leave(self, group: str, names: Sequence[str]) -> None: ...


Answer = tuple[Event, BrokerError | None]
"""What became of an event that was sent: None when the broker has it, and confirmed that."""
Answered = Callable[[Sequence[Answer]], None]
"""Takes answers, those that came together together; it is called on the event loop and does not wait."""


class Publisher(Protocol):
    """The broker, as the relay needs it."""

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands, as far as is known."""
        ...

    async def connect(self, answered: Answered) -> None:
        """Connect and prepare; what becomes of events is told to `answered`. Raises BrokerUnavailable."""
        ...

    def publish(self, events: Sequence[Event]) -> None:
        """Send events. Raises BrokerUnavailable where there is no connection; nothing was sent then.

        Each is answered once, in any order: None, BrokerUnavailable, PublishRefused or TopologyMissing.
        """
        ...

    async def close(self) -> None: ...


class Resender(Protocol):
    """The broker, as whoever sends stored events once more needs it: a connection of its own, one destination."""

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands, as far as is known."""
        ...

    async def open(self, queue: str | None) -> None:
        """Connect, to send to one queue or to everybody. Raises BrokerUnavailable or QueueMissing."""
        ...

    async def resend(self, event: Event, replay: str) -> None:
        """Return when the broker has confirmed; the message says which replay it belongs to. Raises BrokerError."""
        ...

    async def close(self) -> None: ...


class DeadLetters(Protocol):
    """Messages that nobody could handle, and their way back."""

    async def open(self) -> int:
        """Connect, and say how many there are. Raises BrokerUnavailable."""
        ...

    async def redrive(self) -> Redriven | None:
        """Send the oldest back where it came from; None where there is none left. What cannot go back is kept.

        It is taken away only after the broker has confirmed it over there. Raises BrokerUnavailable.
        """
        ...

    async def close(self) -> None:
        """Put back what was kept, and leave."""
        ...


class CommandQueue(Protocol):
    """Commands that come over the broker: a bounded number at a time, each of them settled or given again."""

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands and nobody took the queue away, as far as is known."""
        ...

    async def open(self) -> None:
        """Connect; nothing comes yet. What was in hand before will be given again. Raises BrokerUnavailable."""
        ...

    async def begin(self, take: Callable[[CommandMessage], None]) -> None:
        """Have messages come; `take` does not wait. Raises BrokerUnavailable."""
        ...

    async def pause(self) -> None:
        """Let no more come; what is in hand stays there."""
        ...

    async def acknowledge(self, message: CommandMessage) -> None:
        """Settle a message. Raises BrokerUnavailable, and then it will be given again."""
        ...

    async def put_back(self, message: CommandMessage) -> None:
        """Have a message given again, to anybody; the queue counts how often. Raises BrokerUnavailable."""
        ...

    async def bury(self, message: CommandMessage, reason: str) -> None:
        """Copy a message to the dead with the reason, and settle it once that is confirmed. Raises BrokerError."""
        ...

    async def reply(self, message: CommandMessage, body: bytes) -> None:
        """Send an answer to where the message wants it. Raises BrokerError."""
        ...

    async def close(self) -> None: ...


class Permit(Protocol):
    """Leave for one call to a carrier. `outcome` is what it is given back with."""

    outcome: Outcome

    @property
    def is_probe(self) -> bool:
        """Whether the call must show if the carrier is back, and be about no shipment."""
        ...

    def in_time(self) -> AbstractAsyncContextManager[object]:
        """Bound the call, which begins now: from here on its turn is used."""
        ...

    def ran_out(self) -> bool:
        """Whether no request may leave any more."""
        ...


class Permits(Protocol):
    """What a connection may be asked, shared by all replicas."""

    def permit(self, purpose: Purpose, patience_s: float) -> AbstractAsyncContextManager[Permit]:
        """Hold a permit. Raises NoPermit where there is none to be had, or not in time."""
        ...


class Turn(Protocol):
    """Leave for one call that buys."""

    async def buy(self, choices: Sequence[Choice]) -> None:
        """Ask once, for one purchase or for up to a hundred. Returning means accepted, not bought.

        CarrierRefused means that this call bought nothing, of any of them; CarrierUnavailable means in doubt, all of
        them, unless its status is 429. However it ends, it does so within the time one call may take, and from then
        on nothing leaves any more.
        """
        ...


class Carrier(Protocol):
    """ShipX on behalf of one organization."""

    async def read(self, shipment: ShipmentId, purpose: Purpose = Purpose.read) -> Shipment:
        """Read a shipment. Raises CarrierUnavailable or CarrierRefused."""
        ...

    async def read_many(self, shipments: Sequence[ShipmentId], purpose: Purpose) -> Mapping[ShipmentId, Shipment]:
        """Read up to a hundred by one call; what did not come is to be read alone. Raises as `read` does."""
        ...

    @property
    def wants_sample(self) -> bool:
        """Whether a list has yet to be compared with the read of one today."""
        ...

    async def most_at_once(self, sample: ShipmentId | None = None) -> int:
        """Say how many one call may be about: 1 until a list was seen to say the same as the read of one, `sample`.

        Only one with offers and payments shows that. Asks nobody without it; with it, raises as `read` does.
        """
        ...

    async def regenerate(
        self, shipment: ShipmentId, purpose: Purpose = Purpose.read, is_late: Callable[[], bool] = lambda: False
    ) -> None:
        """Ask once for new offers, by an edit that changes nothing, unless its turn comes too late.

        Raises CarrierUnavailable or CarrierRefused; NoPermit where nothing was sent.
        """
        ...

    def turn_to_buy(self) -> AbstractAsyncContextManager[Turn]:
        """Take a turn, before the intent is written down. Raises NoPermit."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was created since a moment, oldest first.

    `count` is how many there are on all pages, `unread` how many of this one could not be read; `is_last` says whether
    nothing follows. What was created within the last seconds may be on no page yet.
    """

    shipments: tuple[Shipment, ...]
    count: int
    unread: int
    is_last: bool


class Discovery(Protocol):
    """ShipX, as whoever looks for shipments that nobody told of needs it."""

    async def created_since(self, since: datetime, page: int, purpose: Purpose = Purpose.sweep) -> Page:
        """Read a page of an organization's shipments, from 1. Raises CarrierUnavailable or CarrierRefused."""
        ...
