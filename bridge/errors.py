"""What can go wrong, named by meaning; only edges turn these into status codes, acks and exit codes.

BridgeError
├── SettingsError             the process must not start like this; names the key
├── StoreError
│   ├── StoreUnavailable      the database cannot take it now (retry helps)
│   ├── StoreConflict         another transaction came between; the store runs the unit again by itself
│   ├── RowRefused            the database will never take this row (its neighbours are fine)
│   ├── SchemaOutdated        migrations are missing
│   ├── KeyMissing            sealed with a key that is not configured any more
│   └── LeaseLost             the work belongs to another replica now
├── Unreadable                bytes that are not the document we were promised
├── CommandError
│   ├── KeyUsed               the same key came with something else to do
│   └── Interrupted           the process ends in the middle of the work; another one goes on
├── CarrierError
│   ├── CarrierUnavailable    no answer, or none that says anything (a read may be retried)
│   │   └── NoPermit          not even asked: the rate, a pause or the breaker stands against it
│   └── CarrierRefused        a definite no, with the carrier's own key
└── BrokerError
    ├── BrokerUnavailable     no connection, or it broke before the confirm (retry helps)
    ├── PublishRefused        the broker said no to this one message
    ├── TopologyMissing       the message found no queue at all, not even the unrouted one
    └── QueueMissing          there is no such queue, or it is not one to send to
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.model import ShipmentId


class BridgeError(Exception):
    """Be the root, so that an edge can tell our errors from bugs."""

    retryable = False


class SettingsError(BridgeError):
    """Name the settings that keep the process from starting, one (key, what to do) pair each."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{key}: {text}" for key, text in problems))


class StoreError(BridgeError):
    """Something about the database."""


class StoreUnavailable(StoreError):
    """The database did not take it; whether it will is unknown, so nothing may be acknowledged."""

    retryable = True


class StoreConflict(StoreError):
    """The server undid the transaction because of another one: the same unit may well succeed now."""

    retryable = True


class RowRefused(StoreError):
    """The database refused what one row holds; the same row will be refused again."""


class SchemaOutdated(StoreError):
    """The schema is not the one this version works with."""


class KeyMissing(StoreError):
    """The key that this was sealed with is not configured any more, or the bytes were changed."""


class LeaseLost(StoreError):
    """Another replica owns this work now; what was written under the old token did not count."""


class Unreadable(BridgeError):
    """A body that cannot be read as what it claims to be. `reason` is one of our own words, never input."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class CursorOfAnotherPast(Unreadable):
    """A cursor after an event that this database does not have there: it was restored from before that event."""

    def __init__(self) -> None:
        super().__init__("cursor_of_another_past")

    def __str__(self) -> str:
        return (
            "comes after an event that is not here: the database was restored from before it, or is another one;"
            " begin from the beginning, and drop repeats by `id`"
        )


class CommandError(BridgeError):
    """Something about a command."""


class KeyUsed(CommandError):
    """The key of a command that was given before, with another body."""


class Interrupted(CommandError):
    """The work stopped where it can go on: this process is about to end."""

    retryable = True


class CarrierError(BridgeError):
    """Something about a carrier."""


class CarrierUnavailable(CarrierError):
    """No usable answer. For a read: try again. For a purchase: in doubt, only evidence decides.

    `retry_after` is in seconds, where the carrier named it.
    """

    retryable = True

    def __init__(self, reason: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        self.reason = reason
        self.status = status
        self.retry_after = retry_after
        super().__init__(reason if status is None else f"{reason} ({status})")


class NoPermit(CarrierUnavailable):
    """Nothing was sent: our own limits stand against it. `reason` is `no_turn`, `paused` or `breaker_open`.

    So it is where a turn came too late for what was wanted (`too_late`), and where a question that had to go first
    showed that the carrier is away (`carrier_away`), or no connection came about (`not_connected`). The same where
    there was no token to ask with (`no_token`), or it had ended and is a new one now (`token_renewed`): then the call
    was turned away at the door, and may be made again.
    """


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What a carrier has against one field of what was sent. Both words are from our tables, or `other`: never input.

    `field` is a path (`receiver.phone`). Where many were sent, `item` is which of them: a shipment's id, or a draft's
    place in a batch, from 0.
    """

    field: str
    code: str
    item: int | None = None


class CarrierRefused(CarrierError):
    """The carrier understood and said no. `key` is its error key in safe form, or `other`.

    Where many were asked for, `items` are the shipments that it names as the reason. `fields` are what it has against
    what was sent, where it says so.
    """

    def __init__(
        self, key: str, *, status: int, items: Collection[ShipmentId] = (), fields: Sequence[FieldProblem] = ()
    ) -> None:
        self.key = key
        self.status = status
        self.items = frozenset(items)
        self.fields = tuple(fields)
        super().__init__(f"{key} ({status})")

    @property
    def is_unauthorized(self) -> bool:
        """Whether HTTP's own words say that it is about our credentials: 401, or 403."""
        return self.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class BrokerError(BridgeError):
    """Something about RabbitMQ."""


class BrokerUnavailable(BrokerError):
    """No connection, or it broke before the confirm: the message may or may not be there."""

    retryable = True


class PublishRefused(BrokerError):
    """The broker answered no to this one message."""

    retryable = True


class TopologyMissing(BrokerError):
    """A mandatory message came back: not even the unrouted queue exists."""

    retryable = True


class QueueMissing(BrokerError):
    """A queue that was named is not there, or nothing may be sent to it. The text says which."""
