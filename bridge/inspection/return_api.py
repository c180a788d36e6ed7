"""Returns over HTTP: what happened to one and why, and what is next; as `bridge why` tells it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.inspection.document import ReturnStory, of_return
from bridge.lifecycle import Clock
from bridge.store import return_story
from bridge.store.database import Database, Transaction
from bridge.store.story import Story, story
from bridge.web import endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import NOT_FOUND
from bridge.web.parameters import Parameter
from bridge.web.problems import not_found

_ID: Final = Parameter("return_id", "The bridge's own id of the return.", {"type": "string", "minLength": 1})
_NO_PURCHASE: Final = timedelta(0)


class ReturnStoriesApi:
    """`/v1/returns/{return_id}/why`."""

    def __init__(self, database: Database, access: Access, clock: Clock) -> None:
        self._database = database
        self._access = access
        self._clock = clock

    def routes(self) -> list[Route]:
        """Give the route."""
        return endpoint.routes(self, self._access)

    @guarded(
        "GET",
        "/v1/returns/{return_id}/why",
        "read",
        takes=(_ID,),
        answers={200: Answer("What happened to it.", ReturnStory)},
        problems=(NOT_FOUND,),
    )
    async def why(self, request: Request, client: Client) -> Response:
        """Answer what happened to a return and what is next: who was asked, what was sent and found, every event."""
        id_: str = request.path_params["return_id"]
        found = await self._database.read(lambda it: _story(it, id_, client))
        if found is None:
            raise not_found("return")
        return Response(to_json(of_return(found, id_, self._clock(), _NO_PURCHASE)), media_type=JSON)


def _story(transaction: Transaction, id_: str, client: Client) -> Story | None:
    """Read what is known of a return that the client sees."""
    course = return_story.find(transaction, id_)
    if course is None:
        return None
    is_seen = not client.organizations if course.organization is None else client.sees(course.organization)
    return story(transaction, f"/{course.connection}", f"return/{id_}") if is_seen else None
