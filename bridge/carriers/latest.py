"""The moment after which a call's request must not leave, whatever stood still meanwhile."""

from __future__ import annotations

import asyncio
from typing import Final

from bridge.lifecycle import Clock
from bridge.ports import Permit

_LEAVING: Final = ("send_request_headers.started", "send_request_body.started")


class StoodStill(Exception):
    """The process stood still, and what it wanted to send is too late."""


class Latest:
    """Reckoned from when it is made, by two clocks: one that nobody sets back, and one that runs while we sleep."""

    def __init__(self, clock: Clock, timeout_s: float, permit: Permit) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._permit = permit
        self._began = asyncio.get_running_loop().time()
        self._began_at = clock()

    async def look_before_sending(self, event: str, _: object) -> None:
        """Look at both clocks with the connection ready, before each part is sent: a process may have stood still."""
        if event.endswith(_LEAVING):
            elapsed = asyncio.get_running_loop().time() - self._began
            passed = (self._clock() - self._began_at).total_seconds()
            if max(elapsed, passed) >= self._timeout_s or self._permit.ran_out():
                raise StoodStill
