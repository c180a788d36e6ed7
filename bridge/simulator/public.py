"""The carrier's public resources: no token, and their own error envelope."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.simulator.documents import HREF, service_document
from bridge.simulator.errors import PublicRefusal
from bridge.simulator.services import SENDING_METHODS, SERVICES
from bridge.simulator.tracking import tracking_document
from bridge.simulator.world import World

LANGUAGES = ("en_GB", "pl_PL")


class Public:
    """The dictionaries and the tracking history."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            Route("/v1/statuses", self.statuses),
            Route("/v1/services", self.services),
            Route("/v1/sending_methods", self.sending_methods),
            Route("/v1/tracking/{number}", self.tracking),
        ]

    async def statuses(self, request: Request) -> Response:
        """Answer an object with `items`, in a language that is spelled like `pl_PL` (plain `pl` is refused)."""
        language = request.query_params.get("lang", "pl_PL")
        if language not in LANGUAGES:
            raise PublicRefusal(400, "invalid_parameter")
        items = [
            {"name": row["name"], "title": row[language], "description": row[language]} for row in status_dictionary()
        ]
        return JSONResponse({"href": f"{HREF}/v1/statuses?lang={language}", "items": items})

    async def services(self, request: Request) -> Response:
        """Answer a bare list, whatever the caller has a contract for."""
        return JSONResponse([service_document(service) for service in SERVICES.values()])

    async def sending_methods(self, request: Request) -> Response:
        """Answer all; the filter by service is dropped like any unknown one: the published table leaves out half."""
        items = [{"id": name, "name": text, "description": text} for name, text in SENDING_METHODS.items()]
        return JSONResponse({"href": f"{HREF}/v1/sending_methods", "items": items})

    async def tracking(self, request: Request) -> Response:
        number = request.path_params["number"]
        shipment = self._world.shipments.of_number(number)
        seen = self._world.views.of(shipment) if shipment else None
        if seen is None or seen.tracking_number != number:
            raise PublicRefusal(404, "resource_not_found")
        return JSONResponse(tracking_document(seen, self._world.scenario.tracking.point_key))


@cache
def status_dictionary() -> tuple[dict[str, str], ...]:
    """Read the 53 documented statuses: name, English text, Polish text.

    Names: https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153478
    """
    with (files("bridge.simulator") / "statuses.csv").open(encoding="utf-8") as lines:
        return tuple(csv.DictReader(lines))
