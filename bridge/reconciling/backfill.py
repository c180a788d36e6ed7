"""The command `shipments.backfill`: everything created since a date is asked about, page after page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

import structlog

from bridge.commands.handling import Hand
from bridge.commands.models import Backfill, done, failed, rejected
from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock, Stop
from bridge.limits.connection import Purpose
from bridge.model import ClaimedCommand, OrganizationId, Outcome, Progress
from bridge.ports import Discovery
from bridge.reconciling.learning import Learning
from bridge.reconciling.pages import Batch, created_since
from bridge.store.answers import Learned

log = structlog.get_logger()

WAIT_S: Final = 3.0
_TRIES: Final = 20
"""How often in a row the carrier may give nothing before it is left: then it says from where to go on."""


@dataclass(frozen=True, slots=True)
class Account:
    """What was done so far: organizations that are finished, and how far the one in hand has come."""

    finished: tuple[OrganizationId, ...] = ()
    reached: datetime | None = None
    shipments: int = 0
    facts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, at: Mapping[str, Any]) -> Self:
        """Go on from what was written down."""
        reached = at.get("reached")
        return cls(
            tuple(map(OrganizationId, at.get("organizations", ()))),
            None if reached is None else datetime.fromisoformat(reached),
            at.get("shipments", 0),
            at.get("facts", {}),
        )

    @property
    def result(self) -> dict[str, object]:
        """Say what came of it."""
        return {"organizations": list(self.finished), "shipments": self.shipments, "facts": dict(self.facts)}

    def plus(self, batch: Batch, learned: Learned) -> Account:
        """Take note of a page, and what it brought."""
        facts = dict(Counter(self.facts) + learned.facts)
        return replace(self, reached=batch.reached, shipments=self.shipments + len(batch.shipments), facts=facts)

    def progress(self, share: float) -> Progress:
        """Write down how far it has come."""
        reached = None if self.reached is None else self.reached.isoformat()
        return Progress(self.shipments, share, {**self.result, "reached": reached})


@dataclass(frozen=True, slots=True)
class _Task:
    """A command: since when, of which organizations, and by which hand."""

    since: datetime
    organizations: Sequence[OrganizationId]
    command: str
    hand: Hand

    def share(self, account: Account, now: datetime) -> float:
        """Say how much of it is done, by the time that lies behind."""
        whole = max(now - self.since, timedelta(seconds=1))
        part = 0.0 if account.reached is None else (account.reached - self.since) / whole
        return min((len(account.finished) + min(max(part, 0.0), 1.0)) / len(self.organizations), 1.0)


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

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Outcome:
        """Ask about everything created since. Raises Unreadable."""
        asked = Backfill.read(claimed.body)
        chosen = [OrganizationId(one) for one in asked.organizations] or sorted(self._carriers)
        if missing := [one for one in chosen if one not in self._carriers]:
            return rejected(f"there is no token for organization {missing[0]}, so nothing can be asked")
        task, account = _Task(asked.since, chosen, claimed.id, hand), Account.of(claimed.progress.at)
        for organization in chosen:
            if organization in account.finished:
                continue
            account, error = await self._ask(task, organization, account)
            if error is not None:
                at = (account.reached or asked.since).isoformat()
                why = f"the carrier gives no list of organization {organization} ({error}); go on with --since {at}"
                return failed(why, **account.result)
            account = replace(account, finished=(*account.finished, organization), reached=None)
        return done(**account.result)

    async def _ask(
        self, task: _Task, organization: OrganizationId, account: Account
    ) -> tuple[Account, CarrierError | None]:
        """Go through the list of one organization, however often the carrier has to be waited for."""
        tries, bell = 0, self._stop.bell()
        try:
            while True:
                before = account
                try:
                    since = account.reached or task.since
                    async for batch in created_since(
                        self._carriers[organization], since, Purpose.tracking, may_skip=True
                    ):
                        account = await self._take(task, organization, account, batch)
                    return account, None
                except CarrierRefused as error:
                    return account, error
                except CarrierUnavailable as error:
                    tries = 0 if account is not before else tries + 1
                    if tries >= _TRIES:
                        return account, error
                    log.info("backfill.waits", organization=organization, reason=str(error))
                await bell.wait(self._wait_s)
                await task.hand.report(account.progress(task.share(account, self._clock())))
        finally:
            self._stop.forget(bell)

    async def _take(self, task: _Task, organization: OrganizationId, account: Account, batch: Batch) -> Account:
        """Take a page in, in one commit with the account of it."""

        def noted(learned: Learned) -> Progress:
            after = account.plus(batch, learned)
            return after.progress(task.share(after, self._clock()))

        learned = await task.hand.step(
            lambda transaction: self._learning.write(transaction, organization, batch.shipments, task.command), noted
        )
        self._learning.tell(organization, learned)
        return account.plus(batch, learned)
