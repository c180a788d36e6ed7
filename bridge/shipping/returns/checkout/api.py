"""What a checkout asks over HTTP: answered by the provider, and kept for a minute where it changes rarely."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, get_args

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.returns.query import PointQuery, Whereabouts
from bridge.returns.service import DropOffPoint, Service
from bridge.shipping.answers import Answers
from bridge.shipping.returns.asked import Provider
from bridge.shipping.returns.asking import asking
from bridge.shipping.returns.checkout import document, where
from bridge.shipping.returns.checkout.asked import QuoteReturn
from bridge.shipping.returns.checkout.document import PointPage, QuotePage, ServicePage, ShownPoint
from bridge.shipping.returns.desk import told
from bridge.shipping.returns.platforms import Platforms
from bridge.web import bodies, endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import CARRIER_REFUSED, CARRIER_UNAVAILABLE, NOT_FOUND, NOT_SUPPORTED, UNPROCESSABLE
from bridge.web.parameters import Parameter, choice
from bridge.web.problems import Problem, not_found

KEPT_S: Final = 60.0
_MOST: Final = 100
"""So many places, and so many points, are kept: no more than what fits into some megabytes."""
_POINTS: Final = "/v1/returns/drop-off-points"
PROVIDER: Final = choice("provider", "Whom to ask: only one of them knows it.", get_args(Provider))
_ID: Final = Parameter("id", "The provider's id of the point.", {"type": "string", "minLength": 1})
_LONGEST_ID: Final = 255
_ASKS: Final = (NOT_SUPPORTED, CARRIER_REFUSED, CARRIER_UNAVAILABLE)

_Place = tuple[str, Whereabouts]
_Points = tuple[str, PointQuery]
_Point = tuple[str, str, int]


class CheckoutApi:
    """`/v1/returns/services`, `/v1/returns/drop-off-points` and `/v1/returns/quotes`. `time` is a monotonic clock."""

    def __init__(self, platforms: Platforms, access: Access, time: Callable[[], float]) -> None:
        self._platforms = platforms
        self._access = access
        kept = partial(Answers, time=time, kept_s=KEPT_S, most=_MOST)
        self._services: Answers[_Place, tuple[Service, ...]] = kept(self._ask_services)
        self._points: Answers[_Points, tuple[DropOffPoint, ...]] = kept(self._ask_points)
        self._point: Answers[_Point, DropOffPoint | None] = kept(self._ask_point)

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @guarded(
        "GET",
        "/v1/returns/services",
        "read",
        takes=(PROVIDER, *where.WHERE),
        answers={200: Answer("The services.", ServicePage)},
        problems=_ASKS,
    )
    async def services(self, request: Request, _client: Client) -> Response:
        """Answer by which services something can be sent back from a place; kept for a minute.

        The place is a `country_code`, better a whole address, or `latitude` and `longitude`.
        """
        account, place = self._platforms.account(PROVIDER.read(request)), where.whereabouts(request)
        with asking():
            found = await self._services.give((account.connection, place))
        return _json(ServicePage(items=[document.service(one) for one in found], next=None))

    @guarded(
        "GET",
        _POINTS,
        "read",
        takes=(PROVIDER, *where.NEAR),
        answers={200: Answer("The points.", PointPage)},
        problems=_ASKS,
    )
    async def points(self, request: Request, _client: Client) -> Response:
        """Answer where parcels can be handed over near a place; kept for a minute.

        The place is a `country_code`, better a whole address, or `latitude` and `longitude`.
        """
        account, wanted = self._platforms.account(PROVIDER.read(request)), where.points(request)
        with asking():
            found = await self._points.give((account.connection, wanted))
        return _json(PointPage(items=[document.point(one) for one in found], next=None))

    @guarded(
        "GET",
        f"{_POINTS}/{{id:path}}",
        "read",
        takes=(_ID, where.OF_SERVICE, PROVIDER),
        answers={200: Answer("The point.", ShownPoint)},
        problems=(NOT_FOUND, *_ASKS),
    )
    async def point(self, request: Request, _client: Client) -> Response:
        """Answer where one drop-off point is, and when it is open; kept for a minute."""
        account, service_id = self._platforms.account(PROVIDER.read(request)), where.service(request)
        id_: str = request.path_params["id"]
        if not (id_.isprintable() and id_.strip()) or len(id_) > _LONGEST_ID:
            raise not_found("drop-off point")
        with asking():
            found = await self._point.give((account.connection, id_, service_id))
        if found is None:
            raise not_found("drop-off point")
        return _json(document.point(found, service_id))

    @guarded(
        "POST",
        "/v1/returns/quotes",
        "read",
        body=QuoteReturn,
        answers={200: Answer("What each service costs.", QuotePage)},
        problems=_ASKS,
    )
    async def quotes(self, request: Request, _client: Client) -> Response:
        """Ask what a return would cost by each service that takes it, and when a courier may come; never kept.

        Nothing is made, so no `Idempotency-Key` is needed and `read` is enough: the address is the caller's own, and
        is given to the provider, which needs it for the price, and to nobody else.
        """
        asked = await bodies.read(request, QuoteReturn)
        platform, draft = self._platforms.account(asked.provider, asked.connection).platform, asked.draft
        if errors := [told(one) for one in platform.broken_for_quotes(draft)]:
            raise Problem(UNPROCESSABLE, bodies.told(errors), errors)
        with asking():
            found = await platform.quotes(draft)
        return _json(QuotePage(items=[document.quote(one) for one in found], next=None))

    async def _ask_services(self, asked: _Place) -> tuple[Service, ...]:
        connection, place = asked
        return await self._platforms[connection].services(place)

    async def _ask_points(self, asked: _Points) -> tuple[DropOffPoint, ...]:
        connection, query = asked
        return await self._platforms[connection].points(query)

    async def _ask_point(self, asked: _Point) -> DropOffPoint | None:
        connection, id_, service_id = asked
        return await self._platforms[connection].point(id_, service_id)


def _json(body: object) -> Response:
    return Response(to_json(body), media_type=JSON)
