"""The command `shipments.backfill`: everything created since a date is asked about, page after page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self

import structlog

from bridge.commands.models import Backfill, Report, done, failed, rejected
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock, Stop
from bridge.limits.connection import Purpose
from bridge.model import ClaimedCommand, OrganizationId, Outcome, Progress
from bridge.ports import Discovery
from bridge.reconciling.learning import Learning
from bridge.reconciling.pages import Batch, created_since

log = structlog.get_logger()

_TRIES: Final = 20
"""How often in a row the carrier may give nothing before it is left: then it says from where to go on."""
WAIT_S: Final = 3.0


@dataclass(slots=True)
class Account:
    """What was done so far: organizations that are finished, and how far the one in hand has come."""

    finished: list[int] = field(default_factory=list)
    reached: datetime | None = None
    shipments: int = 0
    facts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, at: Mapping[str, Any]) -> Self:
        """Go on from what was written down."""
        reached = at.get("reached")
        return cls(
            list(at.get("finished", [])),
            None if reached is None else datetime.fromisoformat(reached),
            at.get("shipments", 0),
            Counter(at.get("facts", {})),
        )

    def finish(self, organization: OrganizationId) -> None:
        """Take note that an organization is done."""
        self.finished.append(organization)
        self.reached = None

    @property
    def result(self) -> dict[str, object]:
        """Say what came of it."""
        return {"organizations": list(self.finished), "shipments": self.shipments, "facts": dict(self.facts)}

    def progress(self, share: float) -> Progress:
        """Write down how far it has come."""
        reached = None if self.reached is None else self.reached.isoformat()
        return Progress(self.shipments, share, {**self.result, "finished": self.finished, "reached": reached})


class Backfilled:
    """Carries out `shipments.backfill` for the organizations that can be asked."""

    def __init__(
        self,
        carriers: Mapping[OrganizationId, Discovery],
        learning: Learning,
        clock: Clock,
        stop: Stop,
        wait_s: float = WAIT_S,
    ) -> None:
        self._carriers = carriers
        self._learning = learning
        self._clock = clock
        self._stop = stop
        self._wait_s = wait_s

    async def __call__(self, claimed: ClaimedCommand, report: Report) -> Outcome:
        """Ask about everything created since. Raises Unreadable."""
        asked = Backfill.read(claimed.body)
        chosen = [OrganizationId(one) for one in asked.organizations] or sorted(self._carriers)
        if missing := [one for one in chosen if one not in self._carriers]:
            return rejected(f"there is no token for organization {missing[0]}, so nothing can be asked")
        account = Account.of(claimed.progress.at)
        for organization in chosen:
            if organization not in account.finished:
                why = await self._organization(_Filling(organization, asked.since, chosen, claimed.id), account, report)
                if why is not None:
                    return failed(why, **account.result)
        return done(**account.result)

    async def _organization(self, filling: _Filling, account: Account, report: Report) -> str | None:
        """Go through the list of one; gives why it could not be finished, if it could not."""
        tries, bell = 0, self._stop.bell()
        try:
            while True:
                since = account.reached or filling.since
                try:
                    async for batch in created_since(self._carriers[filling.organization], since, Purpose.tracking):
                        await self._take(filling, batch, account)
                        tries = 0
                        await report(account.progress(filling.share(batch.reached, self._clock(), account)))
                    account.finish(filling.organization)
                    await report(account.progress(filling.share(filling.since, self._clock(), account)))
                    return None
                except CarrierRefused as error:
                    return _left(filling.organization, account, filling.since, error)
                except CarrierUnavailable as error:
                    tries += 1
                    if tries >= _TRIES:
                        return _left(filling.organization, account, filling.since, error)
                    log.info("backfill.waits", organization=filling.organization, reason=str(error))
                await bell.wait(self._wait_s)
                await report(account.progress(filling.share(since, self._clock(), account)))
        finally:
            self._stop.forget(bell)

    async def _take(self, filling: _Filling, batch: Batch, account: Account) -> None:
        learned = await self._learning.take(filling.organization, batch.shipments, command=filling.command)
        account.shipments += len(batch.shipments)
        account.facts += learned.facts
        account.reached = max(batch.reached, account.reached or batch.reached)


@dataclass(frozen=True, slots=True)
class _Filling:
    """One organization of a command, from when on, among which others."""

    organization: OrganizationId
    since: datetime
    all: Sequence[OrganizationId]
    command: str

    def share(self, reached: datetime, now: datetime, account: Account) -> float:
        """Say how much of it all is done, by the time that lies behind."""
        whole = max(now - self.since, timedelta(seconds=1))
        part = min(max((reached - self.since) / whole, 0.0), 1.0)
        return min((len(account.finished) + part) / len(self.all), 1.0)


def _left(organization: OrganizationId, account: Account, since: datetime, error: Exception) -> str:
    at = (account.reached or since).isoformat()
    return f"the carrier gives no list of organization {organization} ({error}); go on with --since {at}"
