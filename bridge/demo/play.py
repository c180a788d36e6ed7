"""The play: everything is started, the scenario runs, the summary is drawn, and everything is ended."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from rich.console import Console

from bridge.demo import merchant, witness
from bridge.demo.carrier import SHOPS, Carrier
from bridge.demo.ledger import Ledger
from bridge.demo.options import DemoFailed, Options
from bridge.demo.patience import Patience
from bridge.demo.records import Seen
from bridge.demo.screen import MOST_LINES_FOR, JsonScreen, Screen, TextScreen
from bridge.demo.stage import Stage
from bridge.demo.summary import Account, summarize
from bridge.demo.words import introduction
from bridge.nodes.guard import NodeError
from bridge.nodes.rabbitmq import RabbitNode
from bridge.observability import configure_logging

_POLL_S: Final = 0.1
_STILL_S: Final = 2.0
"""After so long without news nothing follows any more: what failed to be bought is decided about anew at once."""
_COUNT_S: Final = 1.0
_STALL_S: Final = 75.0
"""How long nothing may happen before what there is, is counted. Longer than a purchase can stay in doubt."""
_HEAL_S: Final = 15.0
"""How long after the last order things may go on going wrong: what is open then can settle."""


async def run(options: Options, environ: Mapping[str, str]) -> int:
    """Play to the end and give the exit code: 0 where the summary balances. Raises DemoFailed.

    SIGINT and SIGTERM end everything in order, a second one at once.
    """
    configure_logging(sys.stderr.buffer)
    play = Play(options, environ, _screen(options))
    playing = asyncio.create_task(play.run())
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, playing.cancel)
    with suppress(asyncio.CancelledError):
        await playing
    return 0 if play.balanced else 1


def _screen(options: Options) -> Screen:
    if options.as_json:
        return JsonScreen(sys.stdout, sys.stderr, seed=options.seed)
    return TextScreen(Console(), each=options.shipments <= MOST_LINES_FOR)


class Play:
    """One run of the demo."""

    def __init__(self, options: Options, environ: Mapping[str, str], screen: Screen) -> None:
        self._options = options
        self._environ = environ
        self._screen = screen
        self._ledger = Ledger()
        self._arrived: list[Seen] = []
        self._bell = asyncio.Event()
        self._ordering: asyncio.Task[None] | None = None
        self._heal_at: float | None = None
        self.balanced = False

    async def run(self) -> None:
        """Start, play, count; without `once` stay until cancelled. Raises DemoFailed."""
        self._introduce()
        try:
            async with AsyncExitStack() as stack:
                await self._perform(stack)
        finally:
            self._screen.say("Everything is ended and removed.")

    async def _perform(self, stack: AsyncExitStack) -> None:
        amqp_url = await stack.enter_async_context(self._broker())
        stage = Stage(self._environ, faults=self._options.faults, seed=self._options.seed)
        stack.push_async_callback(stage.close)
        stack.callback(self._screen.say, "Ending the bridge and the carrier …")
        await self._start(stage, amqp_url)
        carrier = await stack.enter_async_context(Carrier.at(stage.carrier_url))
        for shop in SHOPS:
            await carrier.register(shop, stage.webhook_url(shop.organization))
        source = witness.feed(stage.bridge_url, stage.token) if amqp_url is None else witness.queue(amqp_url)
        events = await stack.enter_async_context(source)
        self._screen.say(f"A merchant creates {self._options.shipments} shipments. What happens, as it happens:\n")
        await self._watched(stage, carrier, events)
        await self._balance(stage, carrier)
        if not self._options.once:
            self._invite(stage, amqp_url)
            await stage.watch()

    # -- starting ------------------------------------------------------------------------------------------------------

    def _introduce(self) -> None:
        self._screen.say(introduction(self._options, uses_broker=self._uses_broker))
        if self._options.shipments > MOST_LINES_FOR and not self._options.as_json:
            self._screen.say(f"More than {MOST_LINES_FOR} shipments: counts are shown instead of every line.\n")

    @property
    def _uses_broker(self) -> bool:
        return self._options.broker or bool(self._environ.get("BRIDGE_AMQP_URL"))

    @asynccontextmanager
    async def _broker(self) -> AsyncIterator[str | None]:
        """Give the URL of the broker to use: the one that was given, a private one, or none. Raises DemoFailed."""
        if given := self._environ.get("BRIDGE_AMQP_URL"):
            self._screen.say("Using the RabbitMQ that BRIDGE_AMQP_URL names.")
            yield given
        elif not self._options.broker:
            yield None
        else:
            self._screen.say("Starting a private RabbitMQ (some seconds) …")
            node = _private_node()
            try:
                await _start(node)
                yield node.url
            finally:
                node.close()

    async def _start(self, stage: Stage, amqp_url: str | None) -> None:
        await stage.start_carrier()
        self._screen.say(f"The carrier listens on {stage.carrier_url}")
        await stage.start_bridge(amqp_url)
        self._screen.say(f"The bridge listens on  {stage.bridge_url}")

    # -- the scenario --------------------------------------------------------------------------------------------------

    async def _watched(self, stage: Stage, carrier: Carrier, events: witness.Events) -> None:
        """Play the scenario, and fail as soon as a child or a part of ours does. Raises DemoFailed."""
        try:
            async with asyncio.TaskGroup() as group:
                others = [group.create_task(stage.watch()), group.create_task(self._receive(events))]
                self._ordering = group.create_task(self._order(carrier))
                await self._follow(stage, carrier)
                for other in (*others, self._ordering):
                    other.cancel()
        except ExceptionGroup as failed:
            await asyncio.sleep(_POLL_S)
            stage.check()  # a child that died says more than whoever missed it
            raise failed.exceptions[0] from None

    async def _order(self, carrier: Carrier) -> None:
        await merchant.order(carrier, self._ledger, self._options.shipments, self._screen.order)
        if self._options.faults:
            self._heal_at = time.monotonic() + _HEAL_S

    async def _receive(self, events: witness.Events) -> None:
        async for event in events:
            self._ledger.receive(event)
            self._arrived.append(event)
            self._bell.set()

    async def _follow(self, stage: Stage, carrier: Carrier) -> None:
        """Show what happens until all has, or until nothing has for long."""
        patience = Patience()
        counted = 0.0
        while True:
            await self._show(carrier)
            await self._heal(carrier)
            if await self._is_settled(stage, carrier) and patience.silence(self._ledger.progress) >= _STILL_S:
                return
            if time.monotonic() - counted >= _COUNT_S:
                counted = time.monotonic()
                self._screen.count(*self._ledger.progress)
            silent = patience.silence(self._ledger.progress)
            if patience.is_due(silent):
                self._screen.say(f"Nothing new for {silent:.0f} s; {self._ledger.open} shipments are undecided.")
            if silent > _STALL_S:
                return
            await self._pause()

    async def _show(self, carrier: Carrier) -> None:
        """Show the faults and the webhooks since the last time, then the events that had come by then."""
        events, self._arrived = self._arrived, []
        for mishap in await carrier.mishaps():
            self._ledger.mishap(mishap)
            self._screen.mishap(mishap)
        for delivery in await carrier.answered():
            self._ledger.deliver(delivery)
            self._screen.delivery(delivery)
        for event in events:
            self._screen.event(event)

    async def _heal(self, carrier: Carrier) -> None:
        """Let nothing go wrong any more when it has for long enough."""
        if self._heal_at is not None and time.monotonic() >= self._heal_at:
            self._heal_at = None
            await carrier.heal()
            self._screen.say("From here on nothing goes wrong any more, so that what is open can settle.")

    async def _pause(self) -> None:
        self._bell.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_S):
                await self._bell.wait()
                await asyncio.sleep(_POLL_S / 2)  # what belongs together is shown together

    async def _is_settled(self, stage: Stage, carrier: Carrier) -> bool:
        ordering = self._ordering
        if ordering is None or not ordering.done() or self._ledger.open or self._arrived:
            return False
        if not await carrier.is_idle() or not self._ledger.is_complete(await carrier.parcels()):
            return False
        if await witness.pending(stage.bridge_url, stage.token):
            return False
        known = {event.id for event in self._ledger.events}
        recorded = await witness.recorded(stage.bridge_url, stage.token)
        await self._show(carrier)
        return known.issuperset(recorded)

    async def _balance(self, stage: Stage, carrier: Carrier) -> None:
        ledger = self._ledger
        account = Account(
            orders=ledger.orders,
            deliveries=ledger.deliveries,
            events=ledger.events,
            charges=await carrier.charges(),
            parcels=await carrier.parcels(),
            recorded=await witness.recorded(stage.bridge_url, stage.token),
            mishaps=ledger.mishaps,
        )
        summary = summarize(account)
        self._screen.summary(summary)
        self.balanced = summary.balances
        if self._options.faults:
            self._screen.say(f"The seed was {self._options.seed}.")

    def _invite(self, stage: Stage, amqp_url: str | None) -> None:
        """Say what can be looked at while everything stays up."""
        broker = "" if amqp_url is None or self._environ.get("BRIDGE_AMQP_URL") else f"\n  RabbitMQ  {amqp_url}"
        self._screen.say(
            "\nEverything stays up until Ctrl-C:\n\n"
            f"  bridge    {stage.bridge_url}/readyz   {stage.bridge_url}/metrics\n"
            f"  carrier   {stage.carrier_url}/_control/state{broker}\n"
            f"  database  {stage.folder / 'bridge.db'}\n\n"
            f"  curl -H 'Authorization: Bearer {stage.token}' '{stage.bridge_url}/v1/events?limit=5'\n"
        )


def _private_node() -> RabbitNode:
    try:
        return RabbitNode()
    except NodeError as error:
        raise DemoFailed(f"{error}; `./dev demo --broker` installs them, or set BRIDGE_AMQP_URL") from error


async def _start(node: RabbitNode) -> None:
    try:
        await asyncio.to_thread(node.start)
    except NodeError as error:
        raise DemoFailed(str(error)) from error
