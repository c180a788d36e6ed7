"""A whole run: everybody up, everything broken for so long, everything mended, all done, judged."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from bridge.demo.summary import Check
from tests.soak import balance, spending
from tests.soak.auditing import audit
from tests.soak.breaking import Breaking
from tests.soak.cast import MERCHANT_SOURCE, SOURCE, Cast, assembled, targets
from tests.soak.consumer import Consumer
from tests.soak.follower import Follower
from tests.soak.inputs import make
from tests.soak.merchant import Merchant
from tests.soak.options import Options
from tests.soak.receipts import Receipts
from tests.soak.screen import Screen, Summary
from tests.soak.script import script
from tests.soak.settling import LIVE, Settling, spent
from tests.soak.strangers import Strangers
from tests.soak.takeover import Takeovers
from tests.soak.takings import Takings
from tests.soak.traffic import Traffic
from tests.support.bridge import until

READY_S: Final = 60.0
SETTLE_S: Final = 180.0
_MEASURE_S: Final = 1.0
_PROGRESS_EVERY: Final = 10


class Run:
    """One run, put together from its options."""

    def __init__(self, options: Options, cast: Cast, screen: Screen) -> None:
        self._options = options
        self._cast = cast
        self._screen = screen
        self._follower = Follower(SOURCE)
        self._receipts = Receipts(MERCHANT_SOURCE)
        self._traffic = Traffic(cast.urls, Random(f"{options.seed}/traffic"), options.webhooks_per_second)
        self._merchant = Merchant(cast.carrier.url, Random(f"{options.seed}/merchant"), options.shipments_per_second)
        self._strangers = Strangers(
            cast.ports, partial(make, options.seed, targets=targets()), options.inputs_per_second
        )
        self._takeovers = None if options.on_sqlite else Takeovers(cast.books)
        self._breaking = Breaking(cast.replicas, cast.nodes, self._takeovers, screen.tell)

    async def carry_out(self) -> Summary:
        """Do it all; gives how it ended."""
        options, cast = self._options, self._cast
        plan = Random(f"{options.seed}/script")
        steps = script(plan, options.seconds, options.bridges, has_server=not options.on_sqlite)
        async with (
            _beside(*(one.keep for one in cast.replicas)),
            _beside(Consumer(cast.amqp_url, self._follower, self._receipts).consume),
            _beside(partial(cast.carrier.announce, cast.merchant_urls)),
        ):
            await self._all_ready()
            self._screen.tell(f"all are up: {len(steps)} troubles in {options.seconds / 60:g} minutes")
            async with _beside(self._watch), asyncio.TaskGroup() as group:
                group.create_task(self._traffic.send())
                group.create_task(self._strangers.send())
                group.create_task(self._merchant.create())
                await asyncio.gather(self._breaking.carry_out(steps), asyncio.sleep(options.seconds))
                self._traffic.stop()
                self._strangers.stop()
                self._merchant.stop()
            if self._takeovers is not None:
                await self._takeovers.end()
            return await self._ended()

    async def _ended(self) -> Summary:
        """Wait until everything is done, end everybody in order, and compare."""
        self._screen.tell("no more troubles: waiting until everything is worked off")
        unsettled = await self._settled()
        takings = await self._cast.carrier.takings()
        checks = await asyncio.to_thread(self._compared, takings)
        checks += await asyncio.to_thread(audit, self._cast.replicas[0].bridge.environ)
        await asyncio.gather(*(one.finish() for one in self._cast.replicas))
        checks += balance.processes(self._cast.replicas, self._cast.reading)
        if self._takeovers is not None:
            checks += balance.takeovers(self._takeovers.measured, self._breaking)
        return Summary(self._counts(takings), [unsettled, *checks])

    async def _settled(self) -> Check:
        """Wait for all to be ready, and for the last event at the consumer."""
        name, began = "everything was worked off", time.monotonic()
        try:
            await self._all_ready()
            await self._cast.carrier.heal()
            await Settling(self._cast.carrier, self._cast.books, self._receipts, self._screen.tell).wait()
            await until(self._cast.books.all_is_done, SETTLE_S)
            await until(lambda: self._follower.events >= self._cast.books.count("events"), SETTLE_S)
        except AssertionError as error:
            return Check(name, (str(error),))
        self._screen.tell(f"worked off after {time.monotonic() - began:.1f} s")
        return Check(name, ())

    def _compared(self, takings: Takings) -> list[Check]:
        books, tally = self._cast.books, self._strangers.tally
        return [
            *balance.acknowledged(books, self._traffic, tally),
            *balance.database(books),
            *balance.consumer(books, self._follower, self._traffic),
            *balance.strangers(tally, self._breaking),
            *spending.compared(takings, self._receipts, books.count(LIVE), spent(books)),
        ]

    async def _all_ready(self) -> None:
        for replica in self._cast.replicas:
            await until(replica.is_ready.is_set, READY_S)

    async def _watch(self) -> None:
        """Note memory, and tell how far it is."""
        for second in itertools.count():
            for replica in self._cast.replicas:
                replica.measure()
            if second % _PROGRESS_EVERY == _PROGRESS_EVERY - 1:
                self._screen.tell(
                    f"{self._traffic.outcomes.total():,} webhooks acknowledged,"
                    f" {self._strangers.tally.inputs.total():,} bad inputs, {self._follower.events:,} events,"
                    f" {self._merchant.answers.total():,} shipments, {self._receipts.succeeded.total():,} bought"
                )
            await asyncio.sleep(_MEASURE_S)

    def _counts(self, takings: Takings) -> dict[str, str | int | float]:
        """Count what was done, for the table."""
        tally, replicas = self._strangers.tally, self._cast.replicas
        answers = {f"  answered {status}, {place}": times for (place, status), times in sorted(tally.answers.items())}
        cut_off = {f"  without an answer, {place}": times for place, times in sorted(tally.cut_off.items())}
        merchant = {f"the merchant was answered: {name}": n for name, n in sorted(self._merchant.answers.items())}
        failures = {f"  not acknowledged: {name}": times for name, times in sorted(self._traffic.failures.items())}
        counts: dict[str, str | int | float] = {
            "seed": str(self._options.seed),
            **dict(sorted(self._breaking.done.items())),
            "starts of bridges": sum(one.lives for one in replicas),
            "  that did not succeed at first": sum(one.failed_starts for one in replicas),
            "webhooks acknowledged": self._traffic.outcomes.total(),
            "  different ones": self._traffic.different,
            **failures,
            "bad inputs": tally.inputs.total(),
            **answers,
            **cut_off,
            **merchant,
            **spending.counted(takings, self._receipts),
            "events at the consumer": self._follower.events,
            "  repeats it dropped": self._follower.repeats,
            "  given back out of turn by the broker": self._follower.returned_late,
            "most memory of a bridge, MiB": max(one.most_mib for one in replicas),
            "slowest orderly end, s": max(one.slowest_end_s for one in replicas),
            **{f"logged as an error: {name}": times for name, times in sorted(self._cast.reading.errors.items())},
        }
        if self._takeovers is not None:
            taken = balance.undisturbed(self._takeovers.measured, self._breaking)
            for kind, found in sorted(balance.by_kind(taken).items()):
                counts[f"takeovers measured: {kind}"] = len(found)
                counts[f"  the slowest of {kind}, s"] = max(found)
        return counts


@asynccontextmanager
async def _beside(*loops: Callable[[], Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """Run these beside what follows, and no longer; one that crashes ends it all."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop()) for loop in loops]
        yield
        for task in tasks:
            task.cancel()


async def run(options: Options, folder: Path, screen: Screen) -> Summary:
    """Carry out a run in a folder."""
    async with assembled(options, folder) as cast:
        return await Run(options, cast, screen).carry_out()
