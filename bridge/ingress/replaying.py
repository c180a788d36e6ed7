"""The command `deliveries.replay`: many deliveries once more, the oldest first, so that they tell it in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from bridge.commands.handling import Hand
from bridge.commands.models import ReplayDeliveries, done
from bridge.ingress.replay import Hopeless, Replay, Replayed
from bridge.model import ClaimedCommand, Outcome, Progress
from bridge.store.database import Transaction
from bridge.store.deliveries import Listed, Place, Wanted

_PAGE: Final = 10
"""So many are replayed in one commit, for which webhooks wait on SQLite: some 5 ms."""
_MOST_TOLD: Final = 100
"""Deliveries without effect that are named; all are counted."""
_NOT_FOUND: Final = Hopeless("not_found", "There is no such delivery.")


@dataclass(frozen=True, slots=True)
class Page:
    """What is replayed next, where to go on after it, where to end, and which share of all is done then."""

    found: Sequence[tuple[str, Listed | None]]
    share: float | None = None
    after: Place | None = None
    until: Place | None = None
    named: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """What was done so far: outcomes by their number, those without effect by name; where to go on, and to end."""

    outcomes: Mapping[str, int] = field(default_factory=dict)
    without_effect: Sequence[Mapping[str, str]] = ()
    after: Place | None = None
    until: Place | None = None
    named: int = 0

    @classmethod
    def of(cls, at: Mapping[str, Any]) -> Self:
        """Go on from what was written down; an earlier version wrote down no end."""
        return cls(
            at.get("outcomes", {}),
            at.get("without_effect", ()),
            _place(at.get("after")),
            _place(at.get("until")),
            at.get("named", 0),
        )

    @property
    def done(self) -> int:
        """How many were looked at."""
        return sum(self.outcomes.values())

    def plus(self, page: Page, replayed: Sequence[Replayed]) -> Account:
        """Take note of a page, and what became of each delivery of it."""
        hopeless = [
            {"delivery_id": key, "why": one.outcome}
            for (key, _), one in zip(page.found, replayed, strict=True)
            if not one.is_effective
        ]
        outcomes = Counter(self.outcomes) + Counter(one.outcome for one in replayed)
        return Account(outcomes, [*self.without_effect, *hopeless][:_MOST_TOLD], page.after, page.until, page.named)

    def progress(self, share: float | None) -> Progress:
        """Write down how far it has come."""
        at = {"outcomes": dict(self.outcomes), "without_effect": list(self.without_effect), "named": self.named}
        return Progress(self.done, share, {**at, "after": self.after, "until": self.until})


def _place(written: Sequence[Any] | None) -> Place | None:
    return None if written is None else (written[0], written[1])


class ReplayedDeliveries:
    """Carries out `deliveries.replay`."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Outcome:
        """Replay what was asked for. Raises Unreadable."""
        asked = ReplayDeliveries.read(claimed.body)
        account = Account.of(claimed.progress.at)
        pages = self._named(asked, account.named) if asked.deliveries else self._chosen(asked, account)
        async for page in pages:
            account = await self._all(page, account, claimed.given_by, hand)
        return done(
            deliveries=account.done, outcomes=dict(account.outcomes), without_effect=list(account.without_effect)
        )

    async def _all(self, page: Page, account: Account, by: str, hand: Hand) -> Account:
        """Replay a page, in one commit with the account of it."""
        replayed = await hand.step(
            lambda transaction: [self._one(transaction, listed) for _, listed in page.found],
            lambda replayed: account.plus(page, replayed).progress(page.share),
        )
        for (_, listed), one in zip(page.found, replayed, strict=True):
            if listed is not None:
                self._replay.tell(listed, one, by=by)
        return account.plus(page, replayed)

    def _one(self, transaction: Transaction, listed: Listed | None) -> Replayed:
        return _NOT_FOUND if listed is None else self._replay.write(transaction, listed)

    async def _named(self, asked: ReplayDeliveries, done: int) -> AsyncIterator[Page]:
        """Give those that were named, the oldest first: ids begin with the time."""
        names = sorted(set(asked.deliveries))
        for start in range(done, len(names), _PAGE):
            some = names[start : start + _PAGE]
            named = start + len(some)
            found = [(key, await self._replay.deliveries.show(key)) for key in some]
            yield Page(found, named / len(names), named=named)

    async def _chosen(self, asked: ReplayDeliveries, account: Account) -> AsyncIterator[Page]:
        """Give those of the selection, the oldest first, up to the last that had come when it began.

        What is done by then and what becomes so meanwhile would else go on for as long as webhooks come.
        """
        wanted = Wanted(asked.state, frozenset(asked.organizations), verdict=asked.reason, since=asked.since)
        after, until = account.after, account.until or await self._replay.deliveries.end(wanted)
        while until is not None and (after is None or after < until):
            found = await self._replay.deliveries.to_replay(wanted, after, until, _PAGE)
            after = found.after
            yield Page([(one.id, one) for one in found.listed], after=after, until=until)
