"""A FastAPI route that validates the body and publishes with a confirm, over a connection that restores itself."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from fastapi import FastAPI, HTTPException

from tests.bench.rivals.serving import serve, told
from tests.bench.rivals.webhook import Webhook


def application(secret: str, amqp_url: str) -> FastAPI:
    """Make the server."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        connection = await aio_pika.connect_robust(amqp_url)
        channel = await connection.channel(publisher_confirms=True)
        app.state.exchange = await channel.get_exchange("bridge.events", ensure=False)
        yield
        await connection.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/webhooks/shipx/{given}")
    async def receive(given: str, webhook: Webhook) -> dict[str, str]:
        if given != secret:
            raise HTTPException(404)
        message = aio_pika.Message(
            webhook.model_dump_json().encode(),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        with told(webhook.event):
            await app.state.exchange.publish(message, f"shipx.{webhook.event}")
        return {"outcome": "accepted"}

    return app


if __name__ == "__main__":
    serve(application(sys.argv[2], sys.argv[3]), int(sys.argv[1]))
