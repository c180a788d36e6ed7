"""A delivery once more: one that was parked takes effect, any other is projected again; whoever asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

import structlog

from bridge.errors import KeyMissing, Unreadable
from bridge.ingress.receiver import ReadWebhook
from bridge.ingress.verification import TOO_LARGE
from bridge.model import FOREIGN_ORGANIZATION, Arrival, Receipt
from bridge.store.database import Database, Transaction
from bridge.store.deliveries import Kept, Listed, SqlDeliveries

log = structlog.get_logger()

_SEALED: Final = "The key that it was encrypted with is not configured."
_ERASED: Final = "Its body was erased."


@dataclass(frozen=True, slots=True)
class Taken:
    """It is on its way: `outcome` is accepted, duplicate, or refused by the database."""

    outcome: Literal["accepted", "duplicate", "refused"]

    @property
    def is_effective(self) -> bool:
        """Say whether what it tells counts from now on, or did before."""
        return self.outcome != "refused"


@dataclass(frozen=True, slots=True)
class Hopeless:
    """It cannot take effect: `why` in a word, and in a sentence for people."""

    why: str
    told: str

    @property
    def outcome(self) -> str:
        return self.why

    @property
    def is_effective(self) -> bool:
        return False


Replayed = Taken | Hopeless


class Replay:
    """Replays deliveries. `on_replay` wakes the worker of this process."""

    def __init__(
        self,
        database: Database,
        deliveries: SqlDeliveries,
        read: Callable[[bytes, datetime], ReadWebhook],
        on_replay: Callable[[], None],
    ) -> None:
        self._database = database
        self.deliveries = deliveries
        self._read = read
        self._on_replay = on_replay

    async def one(self, listed: Listed, *, by: str) -> Replayed:
        """Replay a delivery, for somebody whose name is logged."""
        replayed = await self._database.write(lambda transaction: self.write(transaction, listed))
        self.tell(listed, replayed, by=by)
        return replayed

    def write(self, transaction: Transaction, listed: Listed) -> Replayed:
        """Replay a delivery as a part of a larger unit; `tell` is for after the commit."""
        kept = self._kept(transaction, listed)
        if isinstance(kept, Hopeless):
            return kept
        return self._release(transaction, kept) if listed.state == "parked" else self._reopen(transaction, listed)

    def tell(self, listed: Listed, replayed: Replayed, *, by: str) -> None:
        """Log what became of a delivery, and wake who works on it."""
        log.info("delivery.replayed", delivery=listed.id, by=by, outcome=replayed.outcome)
        if isinstance(replayed, Taken):
            self._on_replay()

    def _kept(self, transaction: Transaction, listed: Listed) -> Kept | Hopeless:
        """Read what it said: without that nothing can be made of it, and its verdict stays as it is."""
        try:
            kept = self.deliveries.kept(transaction, listed.id)
        except KeyMissing:
            return Hopeless("key_missing", _SEALED)
        return Hopeless("erased", _ERASED) if kept is None else kept

    def _reopen(self, transaction: Transaction, listed: Listed) -> Replayed:
        if not self.deliveries.reopen(transaction, listed.id):
            return _hopeless("deleted")
        return Taken("accepted")

    def _release(self, transaction: Transaction, kept: Kept) -> Replayed:
        arrival = self._arrival(kept)
        if isinstance(arrival, Hopeless):
            return arrival
        match self.deliveries.release(transaction, kept.listed.id, arrival):
            case None:
                return Taken("refused")
            case Receipt.duplicate:
                return Taken("duplicate")
            case _:
                return Taken("accepted")

    def _arrival(self, kept: Kept) -> Arrival | Hopeless:
        """Read a parked body as if it had just come; what made it unreadable then still does."""
        if not kept.is_whole:
            return _hopeless(TOO_LARGE)
        try:
            webhook = self._read(kept.body, kept.listed.received_at)
        except Unreadable as error:
            return _hopeless(error.reason)
        if webhook.organization != kept.listed.organization:
            return _hopeless(FOREIGN_ORGANIZATION)
        return Arrival(
            id=webhook.id,
            organization=webhook.organization,
            event=webhook.event,
            shipment=webhook.shipment,
            occurred_at=webhook.at,
            received_at=kept.listed.received_at,
            body=kept.body,
            body_sha256=sha256(kept.body).digest(),
        )


def _hopeless(why: str) -> Hopeless:
    return Hopeless(why, f"It cannot take effect: {why}.")
