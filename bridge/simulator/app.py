"""The simulator as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bridge.simulator.batch_rest import BatchRest
from bridge.simulator.clock import Clock, SystemClock
from bridge.simulator.control import Control
from bridge.simulator.dispatch_control import DispatchControl
from bridge.simulator.dispatch_rest import DispatchRest
from bridge.simulator.edge import Edge
from bridge.simulator.errors import Declined, Refusal, not_found
from bridge.simulator.inpost_returns.provider import InPostReturns
from bridge.simulator.intelligentreturns.provider import Intelligentreturns
from bridge.simulator.label_rest import LabelRest
from bridge.simulator.public import Public
from bridge.simulator.rest import Rest
from bridge.simulator.scenario import Scenario
from bridge.simulator.simulator import Simulator
from bridge.simulator.szybkie_zwroty.provider import SzybkieZwroty


def create_app(
    scenario: Scenario,
    *,
    clock: Clock | None = None,
    seed: int = 0,
    transport: httpx.AsyncBaseTransport | None = None,
    allow_remote: bool = False,
) -> Starlette:
    """Build the application; `app.state.simulator` is the carrier behind it.

    `transport` carries the notifications (the network by default). The lifespan runs the schedule in real time;
    with a virtual clock, leave the lifespan alone and call `await app.state.simulator.advance(seconds)`.
    """
    clock = clock or SystemClock()
    simulator = Simulator(scenario, clock=clock, seed=seed, transport=transport, allow_remote=allow_remote)
    providers = (InPostReturns(simulator.world), SzybkieZwroty(simulator.world), Intelligentreturns(simulator.world))
    failures = {provider.prefix: provider.failure for provider in providers}
    routes = [
        *LabelRest(simulator).routes(),
        *BatchRest(simulator).routes(),
        *DispatchRest(simulator).routes(),
        *Rest(simulator).routes(),
        *Public(simulator.world).routes(),
        *(route for provider in providers for route in provider.routes()),
        *DispatchControl(simulator).routes(),
        *Control(simulator).routes(),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with simulator.running():
            yield

    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(Edge, world=simulator.world, failures=failures)],
        exception_handlers={Refusal: _refused, Declined: _declined, 404: _unknown, 405: _unknown},
    )
    app.state.simulator = simulator
    return app


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return JSONResponse(refusal.envelope, refusal.status, refusal.headers)


async def _declined(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Declined)
    return refusal.answer()


async def _unknown(request: Request, error: Exception) -> Response:
    return await _refused(request, not_found())
