"""Who receives the events: a reader of the bridge's own feed, or a consumer with a queue on RabbitMQ."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import aio_pika
import httpx
from aio_pika.exceptions import AMQPError
from pydantic import SecretStr

from bridge.broker.rabbit import apply_topology, connect
from bridge.broker.topology import EVENTS
from bridge.demo.options import DemoFailed
from bridge.demo.records import Seen
from bridge.lifecycle import utc_now

Events = AsyncIterator[Seen]
Witness = Callable[[], AbstractAsyncContextManager[Events]]
"""Opens the events; they flow from the moment it is entered, and none that follows is missed."""

_PREFETCH: Final = 200
_PAGE: Final = 1000


@asynccontextmanager
async def feed(url: str, token: str) -> AsyncIterator[Events]:
    """Read the feed's stream of server-sent events. Raises DemoFailed."""
    headers = {"authorization": f"Bearer {token}"}
    try:
        async with (
            httpx.AsyncClient(timeout=httpx.Timeout(30), trust_env=False) as http,
            http.stream("GET", f"{url}/v1/events/stream", headers=headers) as answer,
        ):
            answer.raise_for_status()
            lines = answer.aiter_lines()
            await anext(lines)  # the greeting: from here on nothing is missed
            yield _streamed(lines)
    except (httpx.HTTPError, StopAsyncIteration) as error:
        raise DemoFailed(f"the feed of the bridge cannot be read: {error}") from error


async def _streamed(lines: AsyncIterator[str]) -> Events:
    try:
        async for line in lines:
            field, _, value = line.partition(": ")
            if field == "data":
                yield Seen.of(json.loads(value), utc_now())
    except httpx.HTTPError as error:
        raise DemoFailed(f"the feed of the bridge broke off: {type(error).__name__}") from error


@asynccontextmanager
async def queue(amqp_url: str) -> AsyncIterator[Events]:
    """Read a queue of our own that is bound to everything, and acknowledge each message. Raises DemoFailed."""
    try:
        await apply_topology(SecretStr(amqp_url))
        async with await connect(SecretStr(amqp_url)) as connection, connection.channel() as channel:
            await channel.set_qos(_PREFETCH)
            mine = await channel.declare_queue(f"bridge-demo-{secrets.token_hex(4)}", exclusive=True)
            await mine.bind(EVENTS, "#")
            async with mine.iterator() as messages:
                yield _consumed(messages)
    except (AMQPError, OSError, TimeoutError) as error:
        raise DemoFailed(f"RabbitMQ cannot be used: {type(error).__name__}") from error


async def _consumed(messages: AsyncIterator[aio_pika.abc.AbstractIncomingMessage]) -> Events:
    try:
        async for message in messages:
            at = utc_now()
            yield Seen.of(json.loads(message.body), at, message.routing_key)
            await message.ack()
    except (AMQPError, OSError) as error:
        raise DemoFailed(f"the queue on RabbitMQ broke off: {type(error).__name__}") from error


async def pending(url: str, token: str) -> bool:
    """Say whether the bridge still has webhooks to work off. Raises DemoFailed."""
    async with _client(url, token) as http:
        return bool((await _get(http, "/v1/deliveries", state="pending", limit=1))["items"])


async def recorded(url: str, token: str) -> list[str]:
    """List the id of every event that the bridge has recorded, oldest first. Raises DemoFailed."""
    found: list[str] = []
    after: str | None = ""
    async with _client(url, token) as http:
        while after is not None:
            page = await _get(http, "/v1/events", after=after, limit=_PAGE)
            found += [event["id"] for event in page["items"]]
            after = page["next"]
    return found


def _client(url: str, token: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=url, timeout=30, trust_env=False, headers=headers)


async def _get(http: httpx.AsyncClient, path: str, **parameters: str | int) -> dict[str, Any]:
    try:
        answer = await http.get(path, params=parameters)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise DemoFailed(f"the bridge does not answer {path}: {error}") from error
    page: dict[str, Any] = answer.json()
    return page
