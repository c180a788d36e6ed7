"""A FastAPI route that validates the body and publishes by FastStream's broker, which waits for the confirm."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange

from tests.bench.rivals.serving import serve, told
from tests.bench.rivals.webhook import Webhook


def application(secret: str, amqp_url: str) -> FastAPI:
    """Make the server."""
    broker = RabbitBroker(amqp_url)
    exchange = RabbitExchange("bridge.events", ExchangeType.TOPIC, durable=True, declare=False)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await broker.start()
        yield
        await broker.stop()

    app = FastAPI(lifespan=lifespan)

    @app.post("/webhooks/shipx/{given}")
    async def receive(given: str, webhook: Webhook) -> dict[str, str]:
        if given != secret:
            raise HTTPException(404)
        with told(webhook.event):
            await broker.publish(webhook, exchange=exchange, routing_key=f"shipx.{webhook.event}", persist=True)
        return {"outcome": "accepted"}

    return app


if __name__ == "__main__":
    serve(application(sys.argv[2], sys.argv[3]), int(sys.argv[1]))
