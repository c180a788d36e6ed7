"""The event contract as documents: JSON Schemas and AsyncAPI, for whoever can reach the service."""

from __future__ import annotations

from functools import cache

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.events import asyncapi, schemas
from bridge.web.problems import not_found


def routes() -> list[Route]:
    """Give the routes."""
    return [Route("/asyncapi.json", _asyncapi), Route("/schemas/{type}.json", _schema)]


async def _asyncapi(_request: Request) -> Response:
    """Answer the AsyncAPI document."""
    return Response(_document(), media_type="application/json")


async def _schema(request: Request) -> Response:
    """Answer the JSON Schema of one event type."""
    document = _schemas().get(request.path_params["type"])
    if document is None:
        raise not_found("event type")
    return Response(document, media_type="application/schema+json")


@cache
def _document() -> bytes:
    return to_json(asyncapi.document(asyncapi.CONTRACT_VERSION))


@cache
def _schemas() -> dict[str, bytes]:
    return {kind: to_json(schema) for kind, schema in schemas.all_schemas().items()}
