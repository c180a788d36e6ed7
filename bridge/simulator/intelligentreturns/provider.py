"""Intelligentreturns as a whole."""

from __future__ import annotations

from starlette.routing import Route

from bridge.simulator.answers import Failure
from bridge.simulator.intelligentreturns.control import Control
from bridge.simulator.intelligentreturns.desk import Desk
from bridge.simulator.intelligentreturns.rest import PREFIX, Rest, failed
from bridge.simulator.world import World


class Intelligentreturns:
    """What is served under its prefix, and how it says that it failed."""

    prefix = PREFIX
    failure: Failure = staticmethod(failed)

    def __init__(self, world: World) -> None:
        self._desk = Desk(world)

    def routes(self) -> list[Route]:
        return [*Rest(self._desk).routes(), *Control(self._desk).routes()]
