"""A dead message: where it came from, why it died, and the two ways in which it is copied. It asks no broker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aio_pika import Message
from aio_pika.abc import AbstractIncomingMessage

from bridge.broker.headers import DEAD_SINCE, ORIGIN, REASON, REDRIVEN
from bridge.broker.topology import DEAD_FOR

_RETURNS: Final = "x-delivery-count"
"""What the broker compares with its limit, in every version since quorum queues have one."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead message without its body: where it came from, why it is here, and since when, as far as it says."""

    message_id: str | None
    type: str | None
    exchange: str | None
    routing_key: str
    reason: str | None
    since: datetime | None
    size: int
    redriven: int


def described(message: AbstractIncomingMessage) -> DeadLetter:
    """Say where a message came from and why it is here, by what the broker or the bridge wrote on it."""
    death = _first_death(message)
    return DeadLetter(
        message_id=message.message_id,
        type=message.type,
        exchange=origin(message),
        routing_key=_routing_key(message, death),
        reason=_text(death.get("reason")) or _text(message.headers.get(REASON)),
        since=_since(message, death),
        size=len(message.body),
        redriven=_number(message.headers.get(REDRIVEN)),
    )


def origin(message: AbstractIncomingMessage) -> str | None:
    """Name the exchange that a message came by before it died; None where nothing says."""
    exchange = _text(_first_death(message).get("exchange"))
    return exchange if exchange is not None else _text(message.headers.get(ORIGIN))


def revived(message: AbstractIncomingMessage) -> Message:
    """Copy a message as it was before it died, with a count of how often that was done."""
    headers = {key: value for key, value in message.headers.items() if not _is_the_brokers(key) and key not in _OURS}
    headers[REDRIVEN] = _number(message.headers.get(REDRIVEN)) + 1
    return _copy(message, headers)


def buried(message: AbstractIncomingMessage, reason: str, exchange: str, now: datetime) -> Message:
    """Copy a message that came by an exchange and that nobody can handle, with the reason."""
    headers = {key: value for key, value in message.headers.items() if not _is_the_brokers(key) and key not in _OURS}
    headers |= {REASON: reason, ORIGIN: exchange, DEAD_SINCE: int(now.timestamp())}
    return _copy(message, headers)


def anew(message: AbstractIncomingMessage, now: datetime) -> Message:
    """Copy a dead message as it is. Its days are not counted anew, or one that is looked at would stay for ever."""
    since = _since(message, _first_death(message)) or now
    headers = {key: value for key, value in message.headers.items() if key != _RETURNS}
    headers[DEAD_SINCE] = int(since.timestamp())
    left = since + DEAD_FOR - now
    return _copy(message, headers, expiration=max(left, timedelta(seconds=1)))


_OURS: Final = frozenset({REASON, ORIGIN, DEAD_SINCE})


def _is_the_brokers(header: str) -> bool:
    """Say whether the broker writes a header when a message dies or returns."""
    return header in (_RETURNS, "x-acquired-count", "x-death") or header.startswith(("x-first-death-", "x-last-death-"))


def _copy(message: AbstractIncomingMessage, headers: dict[str, Any], *, expiration: timedelta | None = None) -> Message:
    """Copy all but `user_id`: the broker takes that from nobody but the user it names."""
    return Message(
        message.body,
        headers=headers,
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        delivery_mode=message.delivery_mode,
        priority=message.priority,
        correlation_id=message.correlation_id,
        reply_to=message.reply_to,
        expiration=expiration,
        message_id=message.message_id,
        timestamp=message.timestamp,
        type=message.type,
        app_id=message.app_id,
    )


def _first_death(message: AbstractIncomingMessage) -> dict[str, Any]:
    """Give what the broker wrote down when the message died first: the last entry, for each death goes to the front."""
    deaths = message.headers.get("x-death")
    first = deaths[-1] if isinstance(deaths, list) and deaths else {}
    return first if isinstance(first, dict) else {}


def _routing_key(message: AbstractIncomingMessage, death: dict[str, Any]) -> str:
    keys = death.get("routing-keys")
    return (_text(keys[0]) if isinstance(keys, list) and keys else None) or message.routing_key or ""


def _since(message: AbstractIncomingMessage, death: dict[str, Any]) -> datetime | None:
    noted = _number(message.headers.get(DEAD_SINCE))
    if noted:
        return datetime.fromtimestamp(noted, UTC)
    time = death.get("time") or message.timestamp
    if not isinstance(time, datetime):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def returns(message: AbstractIncomingMessage) -> int:
    """Say how often a message was returned, as its queue counts it."""
    return _number(message.headers.get(_RETURNS))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None
