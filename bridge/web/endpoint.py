"""A route and its description from one declaration beside the handler: what is not described is not served.

class ThingsApi:
    @guarded("GET", "/v1/things", "read", takes=(LIMIT,), answers={200: Answer("A page of things.", ThingPage)})
    async def list(self, request: Request, client: Client) -> Response:
        '''Answer a page of things.'''

    def routes(self) -> list[Route]:
        return routes(self, self._access)
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Final

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, request_response
from starlette.types import Receive, Scope, Send

from bridge.web import kinds
from bridge.web.access import Access, Client, Wanted
from bridge.web.kinds import Kind
from bridge.web.parameters import Parameter

JSON: Final = "application/json"
Body = type[BaseModel] | UnionType
"""What a body is read as: a model, or one of several."""
_IN_PATH: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
_OF_TOKENS: Final = (kinds.UNAUTHORIZED, kinds.FORBIDDEN, kinds.BAD_REQUEST, kinds.UNAVAILABLE)
_OF_BODIES: Final = (kinds.NOT_JSON, kinds.TOO_SLOW, kinds.TOO_LARGE, kinds.NOT_JSON_TYPE, kinds.UNPROCESSABLE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered where all is well: a sentence, and a type that pydantic can describe, or a JSON schema."""

    told: str
    body: object = None
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that are always there, with what each means."""
    further: tuple[str, ...] = ()
    """Further media types that it may come as."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What can be asked with one method at one path. `problems` are those beside what its token, or body, brings."""

    method: str
    path: str
    name: str
    told: str
    """A sentence; further paragraphs say more."""
    answers: Mapping[int, Answer]
    right: Wanted | None = None
    takes: tuple[Parameter, ...] = ()
    body: Body | None = None
    problems: tuple[Kind, ...] = ()

    def __post_init__(self) -> None:
        """Insist on every part of the path being described."""
        named = {one.name for one in self.takes if one.place == "path"}
        if named != set(_IN_PATH.findall(self.path)):
            raise TypeError(f"{self.method} {self.path}: {sorted(named)} are not the parameters of its path")

    @property
    def address(self) -> str:
        """Give the path without converters: `{id:path}` is `{id}`."""
        return _IN_PATH.sub(r"{\1}", self.path)

    @property
    def summary(self) -> str:
        """Say in a sentence what it does."""
        return self.told.partition("\n\n")[0]

    @property
    def every_problem(self) -> tuple[Kind, ...]:
        """Give each kind of problem that may be the answer, in the order of all there are."""
        brought = set(self.problems)
        brought.update(_OF_TOKENS if self.right else ())
        brought.update(_OF_BODIES if self.body else ())
        return tuple(kind for kind in kinds.KINDS if kind in brought)


Handler = Callable[..., Awaitable[Response]]
OfAnyone = Callable[[Any, Request], Awaitable[Response]]
OfClient = Callable[[Any, Request, Client], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation with what answers it."""

    operation: Operation
    handler: Handler

    async def answer(self, api: object, access: Access | None, request: Request) -> Response:
        """Answer on an object of the class that it stands in; `access` knows who may ask."""
        if self.operation.right is None:
            return await self.handler(api, request)
        assert access is not None, "an operation for tokens needs to know them"
        return await self.handler(api, request, access.require(request, self.operation.right))


class Resource:
    """All that a path answers, with whatever method: no other path is asked then, and what it does not is a 405."""

    def __init__(self, api: object, access: Access | None, endpoints: Iterable[Endpoint]) -> None:
        self._api = api
        self._access = access
        self._by_method = {one.operation.method: one for one in endpoints}
        self._app = request_response(self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        found = self._by_method.get("GET" if request.method == "HEAD" else request.method)
        if found is None:
            raise HTTPException(405, headers={"Allow": ", ".join(self.methods)})
        return await found.answer(self._api, self._access, request)

    @property
    def methods(self) -> list[str]:
        """List what it answers; HEAD goes with GET."""
        return [*self._by_method, *(["HEAD"] if "GET" in self._by_method else [])]


def guarded(
    method: str,
    path: str,
    right: Wanted,
    *,
    answers: Mapping[int, Answer],
    takes: tuple[Parameter, ...] = (),
    body: Body | None = None,
    problems: tuple[Kind, ...] = (),
) -> Callable[[OfClient], Endpoint]:
    """Describe a method that answers whoever has a token with this scope; it is handed the token's owner."""

    def made(handler: OfClient) -> Endpoint:
        name, told = _described(handler)
        met = (*problems, kinds.INTERNAL)
        return Endpoint(Operation(method, path, name, told, answers, right, takes, body, met), handler)

    return made


def opened(
    path: str, *, answers: Mapping[int, Answer], takes: tuple[Parameter, ...] = (), problems: tuple[Kind, ...] = ()
) -> Callable[[OfAnyone], Endpoint]:
    """Describe a method that answers whoever can reach the service."""

    def made(handler: OfAnyone) -> Endpoint:
        name, told = _described(handler)
        met = (*problems, kinds.INTERNAL)
        return Endpoint(Operation("GET", path, name, told, answers, takes=takes, problems=met), handler)

    return made


def operations(api: type) -> Iterator[Operation]:
    """List what a class answers, in the order in which it is written there."""
    return (one.operation for one in vars(api).values() if isinstance(one, Endpoint))


def routes(api: object, access: Access | None = None) -> list[Route]:
    """Make the routes of an object, one for each path, in the order in which they are written in its class."""
    by_path: dict[str, list[Endpoint]] = {}
    for one in vars(type(api)).values():
        if isinstance(one, Endpoint):
            by_path.setdefault(one.operation.path, []).append(one)
    return [Route(path, Resource(api, access, found), name=path) for path, found in by_path.items()]


def _described(handler: Handler) -> tuple[str, str]:
    """Give the name and the docstring of a method. Raises TypeError where there is none."""
    told = inspect.getdoc(handler)
    if not told:
        raise TypeError(f"{handler!r} does not say what it does")
    return str(getattr(handler, "__name__", "")), told
