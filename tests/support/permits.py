"""Permits for a client alone: always to be had at once, and what they are given back with is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from bridge.limits.connection import Outcome, Purpose, Verdict


class FreePermit:
    """One that bounds nothing, unless it is said to have run out."""

    def __init__(self, *, is_probe: bool, has_run_out: bool) -> None:
        self.outcome = Outcome(Verdict.unused)
        self.is_probe = is_probe
        self.has_run_out = has_run_out

    def in_time(self) -> AbstractAsyncContextManager[None]:
        self.outcome = Outcome(Verdict.unknown)
        return nullcontext()

    def ran_out(self) -> bool:
        return self.has_run_out


class FreePermits:
    """Grants everything. `probes` says of the first permits whether they are probes."""

    def __init__(self, probes: Sequence[bool] = (), *, has_run_out: bool = False) -> None:
        self.purposes: list[Purpose] = []
        self.outcomes: list[Outcome] = []
        self._probes = list(probes)
        self._has_run_out = has_run_out

    @asynccontextmanager
    async def permit(self, purpose: Purpose, patience_s: float) -> AsyncIterator[FreePermit]:
        self.purposes.append(purpose)
        is_probe = self._probes.pop(0) if self._probes else False
        permit = FreePermit(is_probe=is_probe, has_run_out=self._has_run_out)
        try:
            yield permit
        finally:
            self.outcomes.append(permit.outcome)
