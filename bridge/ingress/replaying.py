"""The command `deliveries.replay`: many deliveries once more, the oldest first, so that they tell it in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from bridge.commands.models import ReplayDeliveries, Report, done
from bridge.ingress.replay import Hopeless, Replay
from bridge.model import ClaimedCommand, Outcome, Progress
from bridge.store.deliveries import Listed, Wanted, cursor_of

_PAGE: Final = 100
_MOST_TOLD: Final = 100
"""Deliveries without effect that are named; all are counted."""


@dataclass(slots=True)
class Account:
    """What was done so far: outcomes by their number, those without effect by name, and where to go on."""

    outcomes: Counter[str] = field(default_factory=Counter)
    without_effect: list[dict[str, str]] = field(default_factory=list)
    after: tuple[int, str] | None = None
    named: int = 0

    @classmethod
    def of(cls, at: Mapping[str, Any]) -> Self:
        """Go on from what was written down."""
        after = at.get("after")
        return cls(
            Counter(at.get("outcomes", {})),
            list(at.get("without_effect", [])),
            None if after is None else (after[0], after[1]),
            at.get("named", 0),
        )

    @property
    def done(self) -> int:
        """How many were looked at."""
        return self.outcomes.total()

    def count(self, delivery: str, outcome: str, *, is_effective: bool) -> None:
        """Take note of one."""
        self.outcomes[outcome] += 1
        if not is_effective and len(self.without_effect) < _MOST_TOLD:
            self.without_effect.append({"delivery_id": delivery, "why": outcome})

    def progress(self, share: float | None) -> Progress:
        """Write down how far it has come."""
        at = {"outcomes": dict(self.outcomes), "without_effect": self.without_effect, "named": self.named}
        return Progress(self.done, share, {**at, "after": self.after})


class ReplayedDeliveries:
    """Carries out `deliveries.replay`."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    async def __call__(self, claimed: ClaimedCommand, report: Report) -> Outcome:
        """Replay what was asked for. Raises Unreadable."""
        asked = ReplayDeliveries.read(claimed.body)
        account = Account.of(claimed.progress.at)
        pages = self._named(asked, account) if asked.deliveries else self._chosen(asked, account)
        async for page, share in pages:
            for key, listed in page:
                await self._one(key, listed, account, claimed.given_by)
            await report(account.progress(share))
        return done(
            deliveries=account.done, outcomes=dict(account.outcomes), without_effect=list(account.without_effect)
        )

    async def _one(self, key: str, listed: Listed | None, account: Account, by: str) -> None:
        if listed is None:
            account.count(key, "not_found", is_effective=False)
            return
        replayed = await self._replay.one(listed, by=by)
        if isinstance(replayed, Hopeless):
            account.count(key, replayed.why, is_effective=False)
        else:
            account.count(key, replayed.outcome, is_effective=replayed.is_effective)

    async def _named(self, asked: ReplayDeliveries, account: Account) -> AsyncIterator[_Page]:
        """Give those that were named, the oldest first: ids begin with the time."""
        names = sorted(set(asked.deliveries))
        while account.named < len(names):
            some = names[account.named : account.named + _PAGE]
            account.named += len(some)
            yield [(key, await self._replay.deliveries.show(key)) for key in some], account.named / len(names)

    async def _chosen(self, asked: ReplayDeliveries, account: Account) -> AsyncIterator[_Page]:
        """Give those of the selection, the oldest first."""
        wanted = Wanted(asked.state, frozenset(asked.organizations), verdict=asked.reason, since=asked.since)
        while found := await self._replay.deliveries.to_replay(wanted, account.after, _PAGE):
            account.after = cursor_of(found[-1])
            yield [(one.id, one) for one in found], None


_Page = tuple[Sequence[tuple[str, Listed | None]], float | None]
