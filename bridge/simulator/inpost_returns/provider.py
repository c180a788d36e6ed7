"""InPost Returns as a whole."""

from __future__ import annotations

from starlette.routing import Route

from bridge.simulator.answers import Failure
from bridge.simulator.inpost_returns.control import Control
from bridge.simulator.inpost_returns.desk import Desk
from bridge.simulator.inpost_returns.problems import failed
from bridge.simulator.inpost_returns.rest import PREFIX, Rest
from bridge.simulator.world import World


class InPostReturns:
    """What is served under its prefix, and how it says that it failed."""

    prefix = PREFIX
    failure: Failure = staticmethod(failed)

    def __init__(self, world: World) -> None:
        self._desk = Desk(world)

    def routes(self) -> list[Route]:
        return [*Rest(self._desk).routes(), *Control(self._desk).routes()]
