"""`bridge dead`: what nobody could handle, on the broker and in the outbox, and its way back."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Wait

if TYPE_CHECKING:
    from bridge.broker.letters import DeadLetter
    from bridge.settings import Settings
    from bridge.store.database import ManagedDatabase
    from bridge.store.dead import DeadEvents

verbs = running.group("What nobody could handle: the queue bridge.dead, and events that the broker will not have.")

_HEADS = ("since", "age", "exchange", "routing key", "reason", "redriven", "bytes", "message id")
_EVENT_HEADS = ("recorded", "subject", "sequence", "routing key", "event id")


@verbs.command("list")
def list_dead(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many at most, the oldest.")] = 50,
    as_json: Json = False,
) -> None:
    """List what is dead, the oldest first: where it came from, why it is here, since when. Never what it says.

    Looking uses nothing up: a message stays in its queue, also on a broker that counts how often it was returned.
    Where the broker cannot be asked, the events are listed alone, with the reason, and it exits 1.

    Example: bridge dead list --json | jq '.queue.messages'
    """
    from bridge.errors import BrokerError
    from bridge.observability import configure_logging
    from bridge.store.dead import SqlDeadEvents

    configure_logging(sys.stderr.buffer)

    async def work(settings: Settings, database: ManagedDatabase) -> int:
        events = await SqlDeadEvents(database).look(limit)
        try:
            queue = await _queue(settings, limit)
        except BrokerError as error:
            _print(None, events, as_json)
            print(f"bridge: the queue bridge.dead cannot be shown: {error}", file=sys.stderr)
            return 1
        _print(queue, events, as_json)
        return 0

    running.with_database(work)


@verbs.command("redrive")
def redrive(
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="How many at most, the oldest.")] = None,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Send dead messages back to the exchange they came from, and dead events to what is to be published.

    A running bridge does it. A message is taken away only after the broker has confirmed it at its exchange, so that
    after a crash it may be there twice. What does not say where it came from stays. Exits 1 where something stayed.

    Example: bridge dead redrive --limit 1
    """
    from bridge.cli.handing import hand_over
    from bridge.commands.models import RedriveDead

    asked = RedriveDead(limit=limit)
    settings = running.settings()
    running.run(
        hand_over(settings, asked, wait_s=wait, as_json=as_json, told=_told, succeeded=lambda found: not found["kept"])
    )


Queue = tuple[int, list["DeadLetter"]]


async def _queue(settings: Settings, limit: int) -> Queue | None:
    """Look into the queue; None where there is no broker."""
    from bridge.broker.dead import RabbitDead
    from bridge.lifecycle import utc_now

    if settings.amqp_url is None:
        return None
    dead = RabbitDead(settings.amqp_url, utc_now)
    try:
        return await dead.open(), await dead.look(limit)
    finally:
        await dead.close()


def _print(queue: Queue | None, events: DeadEvents, as_json: bool) -> None:
    from pydantic_core import to_json

    from bridge.lifecycle import utc_now

    if as_json:
        print(to_json({"queue": _queue_item(queue), "events": _events_item(events)}, indent=2).decode())
    else:
        print(_written(queue, events, utc_now()))


def _queue_item(queue: Queue | None) -> Mapping[str, object] | None:
    return None if queue is None else {"messages": queue[0], "items": [asdict(one) for one in queue[1]]}


def _events_item(events: DeadEvents) -> Mapping[str, object]:
    items = [
        {
            "event_id": one.id,
            "source": one.subject.source,
            "subject": one.subject.name,
            "sequence": one.sequence,
            "routing_key": one.routing_key,
            "recorded_at": one.recorded_at,
        }
        for one in events.oldest
    ]
    return {"count": events.count, "items": items}


def _written(queue: Queue | None, events: DeadEvents, now: datetime) -> str:
    from bridge.cli.table import table

    lines = []
    if queue is not None:
        lines.append(f"bridge.dead: {queue[0]} messages")
        if queue[1]:
            lines.append(table(_HEADS, (_letter(one, now) for one in queue[1])))
    lines.append(f"outbox: {events.count} dead events")
    if events.oldest:
        rows = ((one.recorded_at, one.subject.name, one.sequence, one.routing_key, one.id) for one in events.oldest)
        lines.append(table(_EVENT_HEADS, rows))
    return "\n".join(lines)


def _letter(one: DeadLetter, now: datetime) -> tuple[object, ...]:
    age = None if one.since is None else _age((now - one.since).total_seconds())
    return one.since, age, one.exchange, one.routing_key, one.reason, one.redriven, one.size, one.message_id


def _age(seconds: float) -> str:
    """Write a duration as an operator says it."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"


def _told(result: Any) -> str:
    """Say in words what came of it."""
    lines = [f"{result['messages']} messages and {result['events']} events were sent back"]
    lines += [f"kept: {number} ({why})" for why, number in sorted(result["kept"].items())]
    return "\n".join(lines)
