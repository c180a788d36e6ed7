"""The whole stand-in carrier, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import httpx
import structlog

from bridge.simulator.batching import Batching
from bridge.simulator.chance import Chance
from bridge.simulator.clock import Clock, VirtualClock
from bridge.simulator.dispatch_points import DispatchPoints
from bridge.simulator.dispatching import Dispatching
from bridge.simulator.intake import Intake
from bridge.simulator.journeys import Journeys
from bridge.simulator.notifier import Notifier
from bridge.simulator.organizations import Organization, Organizations
from bridge.simulator.pauses import Pauses
from bridge.simulator.purchasing import Purchasing
from bridge.simulator.scenario import Scenario
from bridge.simulator.schedule import Schedule
from bridge.simulator.targets import checked_target
from bridge.simulator.trouble import Trouble
from bridge.simulator.views import Views
from bridge.simulator.webhooks import WebhookSender
from bridge.simulator.world import World

log = structlog.get_logger(__name__)


class Simulator:
    """A carrier in one process. In real time `running()` keeps it going; in virtual time `advance()` does."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        clock: Clock,
        seed: int = 0,
        transport: httpx.AsyncBaseTransport | None = None,
        allow_remote: bool = False,
    ) -> None:
        schedule, chance = Schedule(clock), Chance(seed)
        webhooks = WebhookSender(scenario.webhooks, clock, schedule, transport)
        organizations = Organizations(scenario.organizations)
        trouble = Trouble(scenario.faults, chance, clock)
        self.world = World(
            scenario=scenario,
            clock=clock,
            schedule=schedule,
            webhooks=webhooks,
            organizations=organizations,
            chance=chance,
            trouble=trouble,
            notifier=Notifier(scenario.webhooks, trouble, schedule, webhooks),
            pauses=Pauses(schedule),
            views=Views(clock, schedule),
            points=DispatchPoints(scenario.organizations),
        )
        self.journeys = Journeys(self.world)
        self.purchasing = Purchasing(self.world, self.journeys)
        self.intake = Intake(self.world, self.purchasing)
        self.batching = Batching(self.world, self.intake)
        self.dispatching = Dispatching(self.world)
        self._allow_remote = allow_remote
        for organization in organizations:
            self.register(organization, organization.webhook_url)

    @property
    def idle(self) -> bool:
        """Say whether nothing is scheduled or in flight any more."""
        return not len(self.world.schedule) and not self.world.webhooks.in_flight

    def register(self, organization: Organization, url: str | None) -> None:
        """Set an organization's notification URL. TargetRefused when it may not be called."""
        if url is not None:
            checked_target(url, allow_remote=self._allow_remote)
        organization.webhook_url = url

    async def advance(self, seconds: float) -> None:
        """Live through `seconds` of virtual time, one due thing after the other, with all that comes of it at once."""
        clock, schedule = self.world.clock, self.world.schedule
        assert isinstance(clock, VirtualClock), "only a virtual clock can be moved"
        await self._settle()
        until = clock.now() + timedelta(seconds=seconds)
        while (due := schedule.next_at()) is not None and due <= until:
            clock.move_to(due)
            schedule.run_due()
            await self._settle()
        clock.move_to(until)

    async def _settle(self) -> None:
        """Wait for what happens at this very moment: calls that were woken, and notifications."""
        await self.world.pauses.settle()
        await self.world.webhooks.settle()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let due things happen while the context is open, then drop the rest."""
        loop = asyncio.create_task(self.world.schedule.run())
        loop.add_done_callback(_report_death)
        try:
            yield
        finally:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop
            await self.aclose()

    async def aclose(self) -> None:
        """Close the sender's connections."""
        await self.world.webhooks.aclose()


def _report_death(loop: asyncio.Task[None]) -> None:
    """Say at once that nothing will happen any more, instead of leaving everybody waiting."""
    if not loop.cancelled() and (error := loop.exception()):
        log.error("simulator.schedule_died", exc_info=error)
