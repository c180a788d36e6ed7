"""One process of the bridge: what it opens in which order, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

import structlog

from bridge.app import VERSION
from bridge.app.answering import internal_routes, make_apis
from bridge.app.carriers import open_carriers
from bridge.app.commanding import make_commanding, open_executor
from bridge.app.consuming import open_consumer
from bridge.app.database import wait_for_database
from bridge.app.labelling import make_desk
from bridge.app.providers.opening import open_accounts
from bridge.app.publishing import open_relay
from bridge.app.receiving import open_receiver, webhook_routes
from bridge.app.reconciling import open_reconciler
from bridge.app.retaining import open_retention
from bridge.app.returning import open_returns
from bridge.app.serving import Edges, make_edges, open_sockets
from bridge.app.shared import Shared
from bridge.app.stores import Stores, prepare_stores
from bridge.app.watching import Watching
from bridge.app.working import open_worker
from bridge.errors import StoreUnavailable
from bridge.lifecycle import Clock, Loops, utc_now
from bridge.settings import Settings

log = structlog.get_logger()

_SWITCH_S: Final = 0.001
"""How long a thread may keep the interpreter: by default 5 ms, which the writing thread would wait after every step."""


class Bridge:
    """One process of the bridge, put together from its settings."""

    def __init__(self, settings: Settings, *, clock: Clock = utc_now) -> None:
        self._settings = settings
        self._asked = asyncio.Event()
        self.loops = Loops(self._asked.set)
        self._has_failed = False
        self._shared = Shared(settings, clock, self.loops)

    async def run(self) -> int:
        """Serve until told to end; gives the exit code."""
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, self._asked.set)
        async with AsyncExitStack() as stack:
            try:
                edges = await self._open(stack)
            except BaseException as error:
                self._shared.stop.announce()
                await self.loops.finish(1)
                if isinstance(error, StoreUnavailable) and self._asked.is_set() and not self.loops.crashed:
                    log.info("bridge.stopped", reason=str(error))
                    return 0
                raise
            serving = [asyncio.create_task(server.run_until_told()) for server in edges.servers]
            for task in serving:
                task.add_done_callback(self._served)
            await self._until_listening(edges)
            await self._asked.wait()
            await self._end(edges, serving)
        return 1 if self.loops.crashed or self._has_failed else 0

    async def _until_listening(self, edges: Edges) -> None:
        """Wait until everything listens, or the end comes first."""
        listening = [asyncio.create_task(server.listening.wait()) for server in edges.servers]
        asked = asyncio.create_task(self._asked.wait())
        all_listening = asyncio.gather(*listening)
        await asyncio.wait((all_listening, asked), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if all_listening.done():
            _settle_memory()
            log.info("bridge.ready", version=VERSION, urls=edges.urls, roles=sorted(self._settings.roles))
        all_listening.cancel()

    def _served(self, server: asyncio.Task[None]) -> None:
        """End the process with a server that broke: half a bridge is no bridge."""
        if not server.cancelled() and (error := server.exception()) is not None:
            log.error("http.crashed", exc_info=error)
            self._has_failed = True
            self._asked.set()

    async def _open(self, stack: AsyncExitStack) -> Edges:
        """Open what the roles ask for, each on the stack that closes it."""
        shared, roles = self._shared, self._settings.roles
        sockets = open_sockets(stack, self._settings)  # before anything runs: a taken port must not start half a bridge
        stores = await self._open_stores(stack)
        publishing = await open_relay(stack, shared, stores) if "relay" in roles else None
        carriers = open_carriers(stack, shared, stores)
        if "worker" in roles:
            await open_worker(shared, stores, carriers, publishing.relay if publishing else None)
        accounts = open_accounts(stack, shared, stores)
        returns = open_returns(shared, stores, accounts)
        receiver = open_receiver(shared, stores) if "receiver" in roles else None
        if "reconciler" in roles:
            open_retention(shared, stores)
            open_reconciler(shared, stores, carriers, accounts, returns)
        self.loops.start("database.hear", partial(stores.database.hear, shared.bells.ring, shared.stop))
        commanding, desk = make_commanding(shared, stores), make_desk(shared, stores, carriers)
        consumer = None
        if "commands" in roles:
            open_executor(shared, stores, commanding, carriers, desk, returns)
            consumer = open_consumer(stack, shared, stores, commanding)
        watching = Watching(shared, stores, publishing, receiver, consumer)
        apis = make_apis(shared, stores, carriers, commanding, watching, desk, returns)
        webhooks = webhook_routes(receiver) if receiver else []
        return make_edges(self._settings, sockets, webhooks, internal_routes(apis))

    async def _open_stores(self, stack: AsyncExitStack) -> Stores:
        database = await wait_for_database(self._settings, self._asked)
        stack.push_async_callback(database.close)
        return await prepare_stores(self._settings, database)

    async def _end(self, edges: Edges, serving: list[asyncio.Task[None]]) -> None:
        """Not ready → keep accepting for the drain delay → stop accepting → finish within the bound."""
        deadline = time.monotonic() + self._settings.http.drain_delay_s + self._settings.shutdown_s
        log.info("bridge.stopping", crashed=self.loops.crashed)
        self._shared.draining.announce()
        if not self.loops.crashed:
            await asyncio.sleep(self._settings.http.drain_delay_s)
        for server in edges.servers:
            server.stop()
        await asyncio.wait(serving)
        self._shared.stop.announce()
        late = await self.loops.finish(deadline - time.monotonic())
        log.info("bridge.stopped", unfinished=late)


def _settle_memory() -> None:
    """Keep the collector away from what lives as long as the process, and let the threads take turns more often."""
    gc.freeze()
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(50_000, 20, 50)
