"""The command `dead.redrive`: dead messages go back where they came from, dead events to what is to be published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import structlog

from bridge.commands.handling import Hand
from bridge.commands.models import RedriveDead, done, failed
from bridge.errors import BrokerError
from bridge.model import ClaimedCommand, Outcome, Progress, Redriven
from bridge.ports import DeadLetters
from bridge.store.dead import SqlDeadEvents

log = structlog.get_logger()

_EVERY: Final = 50
"""Messages between two looks at whether to go on."""


class RedrivenDead:
    """Carries out `dead.redrive`. `letters` makes a connection for it; None where there is no broker."""

    def __init__(self, events: SqlDeadEvents, letters: Callable[[], DeadLetters] | None) -> None:
        self._events = events
        self._letters = letters

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Outcome:
        """Send back what is dead. Raises Unreadable."""
        asked = RedriveDead.read(claimed.body)
        at: dict[str, Any] = dict(claimed.progress.at)
        if "events" not in at:
            at["events"] = await hand.step(
                lambda transaction: self._events.revive(transaction, asked.limit),
                lambda revived: Progress(at={"events": revived}),
            )
        if self._letters is None:
            return done(events=at["events"], messages=0, kept={})
        letters = self._letters()
        try:
            return await self._send_back(letters, asked, at, hand)
        finally:
            await letters.close()

    async def _send_back(self, letters: DeadLetters, asked: RedriveDead, at: dict[str, Any], hand: Hand) -> Outcome:
        """Send back as many as there were when it began: one that dies again at once is not met again."""
        outcomes: Counter[str] = Counter(at.get("outcomes", {}))
        try:
            there = await letters.open()
            total = at.setdefault("total", there if asked.limit is None else min(there, asked.limit))
            while outcomes.total() < total and (redriven := await letters.redrive()) is not None:
                outcomes[redriven.value] += 1
                if outcomes.total() % _EVERY == 0:
                    share = outcomes.total() / total
                    await hand.report(Progress(outcomes[Redriven.redriven], share, at | {"outcomes": dict(outcomes)}))
        except BrokerError as error:
            sent = outcomes[Redriven.redriven]
            told = f"{error}; {sent} messages and {at['events']} events were sent back"
            return failed(told, events=at["events"], messages=sent)
        sent = outcomes.pop(Redriven.redriven, 0)
        log.info("dead.redriven", messages=sent, events=at["events"], kept=dict(outcomes))
        return done(events=at["events"], messages=sent, kept=dict(outcomes))
