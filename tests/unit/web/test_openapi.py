"""What can be asked is described where it is answered: the document has every route, and all that a route may say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.app.answering import described
from bridge.web import endpoint, kinds, openapi
from bridge.web.access import Access, Client
from bridge.web.endpoint import Answer, Operation, Resource, guarded, opened
from bridge.web.parameters import Parameter, choice, limit
from bridge.web.problems import HANDLERS
from tests.support.document import api_document
from tests.unit.ingress.stage import OPERATOR, Stage, client_of

DOCUMENT: Any = api_document()


def documented(document: Any) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, found in document["paths"].items() for method in found}


def served(stage: Stage) -> Iterator[tuple[str, str]]:
    """Every method and path that the application answers; HEAD goes with GET, and a webhook may end with a slash."""
    for route in stage.app.routes:
        assert isinstance(route, Route)
        path = route.path.replace(":path}", "}").rstrip("/")
        methods = route.endpoint.methods if isinstance(route.endpoint, Resource) else ["GET", "POST"]
        for method in {*methods} - {"HEAD"}:
            yield method, path


async def test_every_route_of_the_application_is_described_and_nothing_else_is(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        document = (await stage.ask("GET", "/openapi.json")).json()
        assert set(served(stage)) == documented(document)


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    found = [one for path in DOCUMENT["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in found}) == len(found) == len(described())
    assert all(one["summary"] for one in found)


async def test_the_document_is_served_to_whoever_asks(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answer = await stage.ask("GET", "/openapi.json")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json()["openapi"] == "3.1.0"


def test_every_kind_of_problem_is_in_the_document_once() -> None:
    types = DOCUMENT["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert types == [kind.type for kind in kinds.KINDS]
    assert len(set(types)) == len(types)
    declared = {value for value in vars(kinds).values() if isinstance(value, kinds.Kind)}
    assert declared == set(kinds.KINDS)


# -- a declaration -----------------------------------------------------------------------------------------------------

LIMIT = limit(usual=2, most=3)
COLOUR = choice("colour", "Which.", ["red", "blue"])
ID = Parameter("id", "Its number.", {"type": "string"})


class Things:
    """An API with one route."""

    @guarded(
        "GET",
        "/v1/things/{id:path}",
        "read",
        takes=(ID, LIMIT, COLOUR),
        answers={200: Answer("A thing.", {"type": "object"})},
        problems=(kinds.NOT_FOUND,),
    )
    async def show(self, request: Request, client: Client) -> Response:
        """Show a thing.

        All of it.
        """
        told = f"{request.path_params['id']} {LIMIT.read(request)} {COLOUR.read(request)} {client.name}"
        return Response(json.dumps({"told": told}), media_type="application/json")


def test_a_declaration_is_one_operation_of_the_document() -> None:
    document: Any = openapi.document(list(endpoint.operations(Things)))
    found = document["paths"]["/v1/things/{id}"]["get"]
    assert found["operationId"] == "things_show"
    assert (found["summary"], found["security"]) == ("Show a thing.", [{"bearer": ["read"]}])
    assert found["description"] == "Show a thing.\n\nAll of it.\n\nNeeds the scope `read`."
    assert [(one["in"], one["name"], one["required"]) for one in found["parameters"]] == [
        ("path", "id", True),
        ("query", "limit", False),
        ("query", "colour", False),
    ]
    assert list(found["responses"]) == ["200", "400", "401", "403", "404", "500", "503"]


ASKED: list[tuple[str, str | None, int, str]] = [
    # path, token, status, what the answer has in it
    ("/v1/things/a/b", "reader", 200, "a/b 2 None reader"),
    ("/v1/things/a?limit=3&colour=red", "reader", 200, "a 3 red reader"),
    ("/v1/things/a?limit=4", "reader", 400, "must be a number from 1 to 3"),
    ("/v1/things/a?limit=%D9%A3", "reader", 400, "must be a number from 1 to 3"),
    ("/v1/things/a?colour=green", "reader", 400, "must be one of red, blue"),
    ("/v1/things/a", None, 401, "A bearer token is needed."),
    ("/v1/things/a", "writer", 403, "This token lacks the scope read."),
]


@pytest.mark.parametrize(("path", "token", "status", "says"), ASKED)
async def test_a_declaration_is_a_route_that_keeps_to_it(path: str, token: str | None, status: int, says: str) -> None:
    access = Access([client_of("reader", ["read"]), client_of("writer", ["admin"])])
    app = Starlette(routes=endpoint.routes(Things(), access), exception_handlers=HANDLERS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bridge") as http:
        answer = await http.get(path, headers={"authorization": f"Bearer {token}"} if token else {})
    assert (answer.status_code, says in answer.text) == (status, True)


class Pair:
    """Several methods at one path, beside a path that has a part anybody may choose."""

    @guarded("POST", "/v1/pairs", "read", answers={})
    async def make(self, request: Request, client: Client) -> Response:
        """Make one."""
        return Response(f"made by {client.name}")

    @opened("/v1/pairs", answers={})
    async def list(self, request: Request) -> Response:
        """List them."""
        return Response("listed")

    @guarded("POST", "/v1/pairs/sum", "read", answers={})
    async def sum(self, request: Request, client: Client) -> Response:
        """Sum them up."""
        return Response("summed up")

    @opened("/v1/pairs/{id}", answers={}, takes=(ID,))
    async def show(self, request: Request) -> Response:
        """Show one."""
        return Response("shown")


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/v1/pairs", 200, "listed"),
        ("HEAD", "/v1/pairs", 200, ""),
        ("POST", "/v1/pairs", 200, "made by reader"),
        ("DELETE", "/v1/pairs", 405, "POST, GET, HEAD"),
        ("POST", "/v1/pairs/sum", 200, "summed up"),
        ("GET", "/v1/pairs/sum", 405, "POST"),
        ("GET", "/v1/pairs/7", 200, "shown"),
        ("POST", "/v1/pairs/7", 405, "GET, HEAD"),
    ],
)
async def test_a_path_answers_its_methods_and_says_which_they_are(
    method: str, path: str, status: int, says: str
) -> None:
    access = Access([client_of("reader", ["read"])])
    app = Starlette(routes=endpoint.routes(Pair(), access), exception_handlers=HANDLERS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bridge") as http:
        answer = await http.request(method, path, headers={"authorization": "Bearer reader"})
    told = answer.headers["allow"] if status == 405 else answer.text
    assert (answer.status_code, told) == (status, says)


@pytest.mark.parametrize("takes", [(), (ID, Parameter("other", "", {}))], ids=["one is missing", "one is too many"])
def test_a_path_whose_parameters_are_not_described_is_a_mistake(takes: tuple[Parameter, ...]) -> None:
    with pytest.raises(TypeError, match="parameters of its path"):
        Operation("GET", "/v1/things/{id}", "show", "Show.", {}, "read", takes)


def test_a_handler_that_does_not_say_what_it_does_is_a_mistake() -> None:
    async def show(api: object, request: Request, client: Client) -> Response:
        return Response()

    with pytest.raises(TypeError, match="does not say what it does"):
        guarded("GET", "/v1/things", "read", answers={})(show)


# -- bodies ------------------------------------------------------------------------------------------------------------

BODIES: list[tuple[bytes, str | None, int, str, str]] = [
    # body, content type, status, type, remark
    (b"{", "application/json", 400, "not-json", "cut off"),
    (b'{"subject": NaN}', "application/json", 400, "not-json", "what only JavaScript knows"),
    (b"{}", "text/plain", 415, "unsupported-media-type", "another content type"),
    (b"{}", "application/json; charset=utf-8", 422, "unprocessable", "nothing is asked for"),
    (b"{}", "application/x-www-form-urlencoded", 422, "unprocessable", "what curl says of everything"),
    (b"{}", None, 422, "unprocessable", "no content type"),
    (b'{"all": 1}', "application/json", 422, "unprocessable", "a number for yes"),
    (b'{"organizations": ["4821"]}', "application/json", 422, "unprocessable", "a text for a number"),
    (b'{"organizations": [true]}', "application/json", 422, "unprocessable", "yes for a number"),
    (b'{"since": 1790000000}', "application/json", 422, "unprocessable", "seconds for a time"),
    (b'{"since": "1790000000"}', "application/json", 422, "unprocessable", "seconds in a text"),
    (b'{"since": "2026-11-20T12:00:00"}', "application/json", 422, "unprocessable", "a time without its offset"),
    (b'{"since": "0001-01-01T00:00:00+14:00"}', "application/json", 422, "unprocessable", "before all time in UTC"),
]


@pytest.mark.parametrize(("body", "media", "status", "kind", "remark"), BODIES, ids=[row[-1] for row in BODIES])
async def test_a_body_is_what_is_described_or_refused(
    tmp_path: Path, body: bytes, media: str | None, status: int, kind: str, remark: str
) -> None:
    async with Stage(tmp_path) as stage:
        headers = [] if media is None else [("content-type", media)]
        answer = await stage.ask("POST", "/v1/events/replay", token=OPERATOR, content=body, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}"), remark
