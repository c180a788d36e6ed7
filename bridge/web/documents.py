"""What is published and what can be asked, as documents: JSON Schemas, AsyncAPI and OpenAPI, for whoever gets here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.events import asyncapi, schemas
from bridge.web import endpoint
from bridge.web.endpoint import JSON, Answer, opened
from bridge.web.kinds import NOT_FOUND
from bridge.web.parameters import Parameter
from bridge.web.problems import not_found

_SCHEMA: Final = "application/schema+json"
_OBJECT: Final = {"type": "object"}
_TYPE: Final = Parameter("type", "An event's type, as published: `bridge.shipment.confirmed.v1`.", {"type": "string"})


class DocumentsApi:
    """`/openapi.json`, `/asyncapi.json` and `/schemas/`. `describe` makes the first of them, when it is asked for."""

    def __init__(self, describe: Callable[[], Mapping[str, object]]) -> None:
        self._describe = describe

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self)

    @opened("/openapi.json", answers={200: Answer("This document.", _OBJECT)})
    async def openapi(self, _request: Request) -> Response:
        """Answer the OpenAPI document."""
        return Response(self._openapi, media_type=JSON)

    @opened("/asyncapi.json", answers={200: Answer("AsyncAPI 3.0.", _OBJECT)})
    async def asyncapi(self, _request: Request) -> Response:
        """Answer the AsyncAPI document."""
        return Response(_asyncapi(), media_type=JSON)

    @opened(
        "/schemas/{type}.json",
        takes=(_TYPE,),
        answers={200: Answer("JSON Schema 2020-12 of the whole event.", _OBJECT, _SCHEMA)},
        problems=(NOT_FOUND,),
    )
    async def schema(self, request: Request) -> Response:
        """Answer the JSON Schema of one event type."""
        document = _schemas().get(request.path_params["type"])
        if document is None:
            raise not_found("event type")
        return Response(document, media_type=_SCHEMA)

    @cached_property
    def _openapi(self) -> bytes:
        return to_json(self._describe())


@cache
def _asyncapi() -> bytes:
    return to_json(asyncapi.document(asyncapi.CONTRACT_VERSION))


@cache
def _schemas() -> dict[str, bytes]:
    return {kind: to_json(schema) for kind, schema in schemas.all_schemas().items()}
