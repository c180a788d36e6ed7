"""What this process has just read from webhooks: its worker need not read the same bytes a second time.

Nothing depends on it. Whatever is not here, because another process received it or too much came since, is read from
the inbox.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol, TypeVar

from bridge.events.notification import Notification
from bridge.model import DeliveryId, Micros, micros

MOST: Final = 2_000
MOST_BYTES: Final = 4 * 1024
"""Of one webhook's body: most are a tenth of it, and what is larger would hold memory."""


class Readable(Protocol):
    """A webhook that was read."""

    @property
    def notification(self) -> Notification: ...


Read = TypeVar("Read", bound=Readable)


class Readings:
    """The newest readings, each until it is taken."""

    def __init__(self) -> None:
        self._kept: OrderedDict[DeliveryId, tuple[datetime, Notification]] = OrderedDict()

    def keeping(self, read: Callable[[bytes, datetime], Read]) -> Callable[[bytes, datetime], Read]:
        """Have a reader's readings remembered, each in place of the oldest where there are too many."""

        def reading(body: bytes, received_at: datetime) -> Read:
            found = read(body, received_at)
            if len(body) <= MOST_BYTES:
                self._keep(received_at, found.notification)
            return found

        return reading

    def take(self, delivery: DeliveryId, received_at: Micros) -> Notification | None:
        """Give what was read from this very delivery, once; a repeat has another moment, and may have another body."""
        kept = self._kept.pop(delivery, None)
        return kept[1] if kept is not None and micros(kept[0]) == received_at else None

    def _keep(self, received_at: datetime, notification: Notification) -> None:
        self._kept[notification.delivery] = received_at, notification
        self._kept.move_to_end(notification.delivery)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
