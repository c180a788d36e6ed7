"""The command `return.create`: a return is made at a provider, once, whatever becomes of the answer.

No provider knows idempotency. So a return is written down before it is sent, and where its answer is lost the provider
is asked before anything else is done. Another provider is tried only where nothing was sent to the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import structlog

from bridge.commands.handling import Ending, Hand, Last, Later
from bridge.commands.models import done
from bridge.commands.refusing import nothing_sent, unprocessable
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock
from bridge.model import ClaimedCommand, CommandState, OrganizationId, Outcome, Progress
from bridge.returns.ticket import Ticket
from bridge.shipping import refusals
from bridge.shipping.attempt import PATIENCE, Attempt
from bridge.shipping.once import Came, Done, Errand, Once, Refused, Unclear
from bridge.shipping.returns.account import NOT_HERE, is_about_the_account, takes_nothing
from bridge.shipping.returns.asked import CreateReturn
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.document import result
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.makers import Making
from bridge.store.database import Transaction, Unit
from bridge.store.returns import Kept, Secrets
from bridge.web.problems import FieldError

log = structlog.get_logger()

_SENDER_BUSY: Final = timedelta(seconds=5)
"""After so long it is looked whether the return before, of the same sender, has ended."""
_SHORT: Final = timedelta(seconds=5)
"""For so long it is tried to send to a provider where another one would do."""
_RETURN: Final = "return_id"
_NEVER_AGAIN: Final = "never_again"
_TRIED: Final = "tried"
"""Who was to make it before, each with why nothing was sent there."""
_UNCLEAR: Final = (
    "nobody knows whether the provider has made the return: its answers were lost, and nothing shows it, so it is not"
    " made again"
)


@dataclass(frozen=True, slots=True)
class _Task:
    """A command in hand: the return as it is kept, and who else may make it."""

    hand: Hand
    asked: CreateReturn
    kept: Kept
    others: Sequence[str]
    noted: dict[str, object] = field(default_factory=dict)


class Creating:
    """Carries out `return.create`."""

    def __init__(self, desk: Desk, keeping: Keeping, clock: Clock) -> None:
        self._desk = desk
        self._keeping = keeping
        self._clock = clock

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Make the return, or go on with it. Raises Unreadable."""
        asked = CreateReturn.read(claimed.body)
        at = claimed.progress.at
        kept = await self._keeping.find(str(at[_RETURN])) if _RETURN in at else None
        if kept is None:  # not by the key: one that was withdrawn, or is from long ago, may be given again
            return await self._begin(claimed, hand, asked)
        others = _after(kept.connection, self._desk.ways(asked))
        task = _Task(hand, asked, kept, others, {key: at[key] for key in (_RETURN, _NEVER_AGAIN, _TRIED) if key in at})
        return await self._go_on(task, Attempt.of(at, self._clock()))

    def given_up(self, transaction: Transaction, claimed: ClaimedCommand) -> None:
        """Tell that nobody knows whether there is a return, where no process ever came further with the command."""
        if _RETURN not in claimed.progress.at:
            return
        self._keeping.give_up(transaction, str(claimed.progress.at[_RETURN]), is_sent=claimed.progress.is_sent)

    async def _begin(self, claimed: ClaimedCommand, hand: Hand, asked: CreateReturn) -> Ending:
        ways = self._desk.ways(asked)
        if isinstance(ways, list):
            return unprocessable(ways)
        organization = None if asked.organization_id is None else OrganizationId(asked.organization_id)
        secrets = Secrets(asked.reference)
        kept = Kept(uuid4().hex, ways[0], organization, claimed.id, "pending", self._clock(), secrets)
        return await self._try(_Task(hand, asked, kept, ways[1:]))

    async def _try(self, task: _Task) -> Ending:
        """Write down who is to make it, and have it made there; those of one sender are made one after the other."""
        kept = self._kept(task)
        noted: dict[str, object] = {_RETURN: kept.id, _TRIED: task.noted.get(_TRIED, [])}
        is_begun = await task.hand.step(
            lambda it: self._keeping.begin(it, kept), lambda begun: Progress(at=noted if begun else {})
        )
        if not is_begun:
            return Later(_SENDER_BUSY, Progress())
        return await self._go_on(replace(task, kept=kept, noted=noted), Attempt(self._clock()))

    def _kept(self, task: _Task) -> Kept:
        """Write it as it is kept while its provider makes it: nothing is promised that this one does not take."""
        connection = task.kept.connection
        draft = self._desk.draft(connection, task.asked)
        return replace(
            task.kept,
            sender=self._desk.makers[connection].sender(draft),
            secrets=Secrets(draft.reference, service_id=draft.service_id, drop_off_point_id=draft.drop_off_point_id),
            expires_at=draft.expires_at,
        )

    async def _go_on(self, task: _Task, attempt: Attempt) -> Ending:
        if task.kept.connection not in self._desk.makers:
            return await self._gone(task, attempt)
        match await self._once(task, attempt):
            case Done(ticket):
                return self._made(task.kept, ticket)
            case Refused(refusal):
                if is_about_the_account(refusal):
                    return await self._unsent(task, takes_nothing(refusal))
                return self._refused(task.kept, refusal)
            case Unclear():
                return self._lost(task.kept)
            case Outcome() as outcome:
                return await self._unsent(task, outcome)
            case Later() as later:
                return later

    async def _once(self, task: _Task, attempt: Attempt) -> Came[Ticket]:
        maker = self._desk.makers[task.kept.connection]
        making = Making(task.kept.id, self._desk.draft(task.kept.connection, task.asked), task.kept.sender)

        async def send() -> Ticket:
            try:
                return await maker.create(making)
            except CarrierUnavailable as error:
                if error.reason in maker.never_again:
                    task.noted[_NEVER_AGAIN] = True
                raise

        errand = Errand(
            CreateReturn.operation,
            send,
            lambda since: maker.look(making, since, self._clock()),
            absent_after=maker.absent_after,
            patience=_SHORT if task.others else PATIENCE,
            may_repeat=lambda: _NEVER_AGAIN not in task.noted,
            noted=task.noted,
        )
        return await Once(errand, task.hand, self._clock).run(attempt)

    async def _gone(self, task: _Task, attempt: Attempt) -> Ending:
        """End what was begun at a provider that is not set up here any more."""
        if attempt.sent:
            return self._lost(task.kept)
        return await self._unsent(task, nothing_sent(NOT_HERE))

    async def _unsent(self, task: _Task, outcome: Outcome) -> Ending:
        """Try the next one, where there is one: nothing was sent to this one."""
        if task.others:
            first, *others = task.others
            log.info("return.rerouted", connection=task.kept.connection, to=first)
            tried: Any = task.noted.get(_TRIED, [])
            noted: dict[str, object] = {_TRIED: [*tried, [task.kept.connection, outcome.error]]}
            kept = replace(task.kept, connection=first)
            return await self._try(replace(task, kept=kept, others=others, noted=noted))

        def write(transaction: Transaction) -> Outcome:
            self._keeping.drop(transaction, task.kept)
            return outcome

        return Last(write, lambda _: None)

    def _made(self, kept: Kept, ticket: Ticket) -> Last:
        """Store what the provider made before anything else happens."""
        return self._last(lambda it: done(**result(self._keeping.made(it, kept, ticket))))

    def _refused(self, kept: Kept, refusal: CarrierRefused) -> Last:
        def write(transaction: Transaction) -> Outcome:
            self._keeping.refused(transaction, kept, refusal.key)
            return refusals.theirs(refusal, [0])[0].outcome

        return self._last(write)

    def _lost(self, kept: Kept) -> Last:
        log.warning("return.unclear", return_id=kept.id, connection=kept.connection)

        def write(transaction: Transaction) -> Outcome:
            self._keeping.lost(transaction, kept)
            return Outcome(CommandState.unknown, error=_UNCLEAR)

        return self._last(write)

    def _last(self, write: Unit[Outcome]) -> Last:
        return Last(write, lambda _: self._keeping.on_events())


def _after(connection: str, ways: Sequence[str] | Sequence[FieldError]) -> Sequence[str]:
    """Give those that come after one; none where the settings do not lead to it any more."""
    names = [one for one in ways if isinstance(one, str)]
    return names[names.index(connection) + 1 :] if connection in names else ()
