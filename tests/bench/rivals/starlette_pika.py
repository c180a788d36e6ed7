"""A starlette route that publishes with a confirm and answers. It stores nothing and checks little."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.bench.rivals.serving import serve, told


def application(secret: str, amqp_url: str) -> Starlette:
    """Make the server."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        connection = await aio_pika.connect(amqp_url)
        channel = await connection.channel(publisher_confirms=True)
        app.state.exchange = await channel.get_exchange("bridge.events", ensure=False)
        yield
        await connection.close()

    async def receive(request: Request) -> Response:
        if request.path_params["secret"] != secret:
            return Response(status_code=404)
        document = await request.json()
        message = aio_pika.Message(
            await request.body(), content_type="application/json", delivery_mode=aio_pika.DeliveryMode.PERSISTENT
        )
        with told(document["event"]):
            await request.app.state.exchange.publish(message, "shipx." + document["event"])
        return JSONResponse({"outcome": "accepted"})

    return Starlette(routes=[Route("/webhooks/shipx/{secret}", receive, methods=["POST"])], lifespan=lifespan)


if __name__ == "__main__":
    serve(application(sys.argv[2], sys.argv[3]), int(sys.argv[1]))
