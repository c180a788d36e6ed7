"""The bridge processes, and who starts each again, as a supervisor would, however it ended."""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from bridge.nodes.guard import tail
from tests.soak.logs import Reading
from tests.support.bridge import Program, until

MOST_END_S: Final = 25.0
"""How long a bridge may take to end when it is asked to: its own bound, and a little."""
_AGAIN_S: Final = 0.5


class Replica:
    """One bridge of the fleet: its lives, one after the other."""

    def __init__(self, name: str, folder: Path, amqp_url: str, settings: Mapping[str, str], reading: Reading) -> None:
        self.name = name
        self.bridge = Program(folder, amqp_url=amqp_url, **settings)
        self.lives = 0
        self.failed_starts = 0
        self.slowest_end_s = 0.0
        self.most_mib = 0.0
        self.problems: list[str] = []
        self.is_ready = asyncio.Event()
        self._reading = reading
        self._is_meant = False
        self._is_over = False

    async def keep(self) -> None:
        """Start, wait for the end, and start again, until `finish`."""
        for number in itertools.count():
            if self._is_over:
                break
            self.bridge.log_file = self.bridge.folder / f"{self.name.replace('/', '-')}-{number}.log"
            await self._live()
            await asyncio.to_thread(self._reading.read, self.bridge.log_file)

    async def _live(self) -> None:
        """Start, and come back when it has ended; say so where nobody meant it to."""
        self._is_meant = False
        try:
            await self.bridge.start()
        except AssertionError:  # killed meanwhile, or its database was away: a supervisor tries again
            self.failed_starts += 1
            await asyncio.sleep(_AGAIN_S)
            return
        self.lives += 1
        self.is_ready.set()
        await until(lambda: not self.bridge.running, math.inf)
        self.is_ready.clear()
        if not self._is_meant:
            self.problems.append(f"{self.name} ended with {self.bridge.exit_code}: {tail(self.bridge.log_file, 3)}")

    async def kill(self) -> int | None:
        """End it as a crash would; gives the id of the process that died, if there was one."""
        if not self.bridge.running:
            return None
        pid = self.bridge.pid
        self._is_meant = True
        await asyncio.to_thread(self.bridge.kill)
        return pid

    async def restart(self) -> None:
        """Ask it to end; `keep` starts it again."""
        if not self.is_ready.is_set() or not self.bridge.running:
            return
        self._is_meant = True
        began = time.monotonic()
        code = await self.bridge.terminate()
        took = time.monotonic() - began
        self.slowest_end_s = max(self.slowest_end_s, took)
        if code != 0 or took > MOST_END_S:
            self.problems.append(f"{self.name} ended with {code}, {took:.1f} s after it was asked to")

    async def freeze(self, seconds: float) -> None:
        """Let it stand still."""
        with suppress(ProcessLookupError):
            os.kill(self.bridge.pid, signal.SIGSTOP)
            await asyncio.sleep(seconds)
            os.kill(self.bridge.pid, signal.SIGCONT)

    async def finish(self) -> None:
        """Bring it to an orderly end that is its last."""
        self._is_over = True
        await self.restart()
        self.bridge.kill()

    def close(self) -> None:
        """Kill what is left."""
        self._is_over = True
        self.bridge.close()

    def measure(self) -> None:
        """Note how much memory this life has had."""
        with suppress(OSError, AssertionError):
            for line in Path(f"/proc/{self.bridge.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.most_mib = max(self.most_mib, int(line.split()[1]) / 1024)
