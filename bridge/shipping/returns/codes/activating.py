"""The command `return.code.activate`: a code that lies in a parcel becomes a return, once.

A code is one thing, so sending it twice makes no second one; but each time the customer is told. So where the answer is
lost, the report is asked whether the code is active before anything is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import structlog

from bridge.commands.handling import Ending, Hand, Last
from bridge.commands.models import done
from bridge.commands.refusing import nothing_sent, refused, unprocessable
from bridge.errors import CarrierRefused, CarrierUnavailable, KeyMissing, Unreadable
from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.model import ClaimedCommand, CommandState, Outcome, Progress
from bridge.ports.returns import CodeDesk
from bridge.returns.codes import CodeQuery
from bridge.returns.ticket import Ticket
from bridge.shipping import refusals
from bridge.shipping.attempt import Attempt
from bridge.shipping.once import Done, Errand, Once, Refused, Unclear
from bridge.shipping.returns.account import NOT_HERE, is_about_the_account, takes_nothing
from bridge.shipping.returns.codes.asked import ActivateCode
from bridge.shipping.returns.codes.states import at_it, not_inactive
from bridge.shipping.returns.codes.stock import Stock
from bridge.shipping.returns.desk import told
from bridge.shipping.returns.document import result
from bridge.shipping.returns.keeping import Keeping
from bridge.store import spare_codes
from bridge.store.database import Transaction, Unit
from bridge.store.returns import Kept, Secrets
from bridge.store.spare_codes import Holder, Spare, SpareState
from bridge.web.kinds import NOT_FOUND

log = structlog.get_logger()

_DAY: Final = timedelta(days=1)
"""A report goes by the days on which codes were made, and nobody says in which time zone."""
_CODE, _RETURN = "code_id", "return_id"
_UNCLEAR: Final = (
    "nobody knows whether the code is active: the provider's answers were lost, and its report does not show it."
    " Activating it again looks there first"
)


@dataclass(frozen=True, slots=True)
class _Task:
    """A command in hand, the code that it is about, and the return that is to be made of it."""

    hand: Hand
    asked: ActivateCode
    spare: Spare
    holder: Holder
    return_id: str

    @property
    def noted(self) -> dict[str, object]:
        return {_CODE: self.spare.id, _RETURN: self.return_id}


class Activating:
    """Carries out `return.code.activate`."""

    def __init__(self, stock: Stock, keeping: Keeping, clock: Clock) -> None:
        self._stock = stock
        self._keeping = keeping
        self._clock = clock

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Activate the code, or go on with it. Raises Unreadable."""
        asked, at = ActivateCode.read(claimed.body), claimed.progress.at
        spare = await self._stock.find(str(at.get(_CODE, asked.code)))
        if spare is None:
            return refused(NOT_FOUND.name, "there is no such code here")
        return_id = at.get(_RETURN) or spare.return_id or uuid4().hex
        task = _Task(hand, asked, spare, Holder(claimed.operation, claimed.id), str(return_id))
        if _CODE in at:
            return await self._go_on(task, Attempt.of(at, self._clock()))
        return await self._begin(task)

    def given_up(self, transaction: Transaction, claimed: ClaimedCommand) -> None:
        """Keep what a command left open that nobody ever came further with."""
        at, holder = claimed.progress.at, Holder(claimed.operation, claimed.id)
        if _CODE not in at:
            return
        state: SpareState = "unknown" if claimed.progress.is_sent else "inactive"
        spare_codes.end(transaction, str(at[_CODE]), holder, state)
        if not claimed.progress.is_sent:
            return
        try:
            asked, spare = ActivateCode.read(claimed.body), self._stock.open(transaction, str(at[_CODE]))
            self._keep_lost(transaction, self._fresh(asked, spare, claimed.id, str(at[_RETURN])), spare)
        except (KeyMissing, Unreadable):  # then nothing can be told of it
            log.warning("return.unreadable", return_id=at[_RETURN])

    # -- sending -------------------------------------------------------------------------------------------------------

    async def _begin(self, task: _Task) -> Ending:
        """Take the code in hand. One that nobody knows of is looked for before anything is sent."""
        desk, spare = self._stock.desks.get(task.spare.connection), task.spare
        if desk is None:
            return nothing_sent(NOT_HERE)
        if broken := desk.broken(task.asked.draft):
            return unprocessable([told(one) for one in broken])
        if spare.state not in ("inactive", "unknown"):
            return not_inactive(spare)
        fresh, now = Attempt(self._clock()), self._clock()
        taken = await task.hand.step(
            lambda it: spare_codes.take(it, spare.id, task.holder, ("inactive", "unknown"), task.return_id),
            lambda found: Progress() if found is None else self._progress(task, _first(found, fresh, now)),
        )
        return at_it() if taken is None else await self._go_on(task, _first(taken, fresh, now))

    async def _go_on(self, task: _Task, attempt: Attempt) -> Ending:
        desk = self._stock.desks.get(task.spare.connection)
        if desk is None:
            return self._lost(task) if attempt.sent else self._back(task, nothing_sent(NOT_HERE))
        errand = Errand(
            ActivateCode.operation,
            lambda: desk.activate(task.spare.code, task.asked.draft, task.return_id),
            lambda _: self._look(desk, task),
            noted=task.noted,
        )
        match await Once(errand, task.hand, self._clock).run(attempt):
            case Done(ticket):
                return self._made(task, ticket)
            case Refused(refusal):
                if is_about_the_account(refusal):
                    return self._back(task, takes_nothing(refusal))
                return self._refused(task, refusal)
            case Unclear():
                return self._lost(task)
            case Outcome() as outcome:
                return self._back(task, outcome)
            case later:
                return later

    async def _look(self, desk: CodeDesk, task: _Task) -> Ticket | None:
        """Ask the report for the code. It may leave out what is inactive, so that it is not there says that."""
        made_at, code = task.spare.made_at, task.spare.code
        query = CodeQuery((made_at - _DAY).date(), (made_at + _DAY).date(), code=code)
        page = await desk.report(query, Purpose.create)
        found = next((one for one in page.codes if one.code == code), None)
        if found is None:
            if page.codes or page.unread or not page.is_certain:
                raise CarrierUnavailable("uncertain_report")
            return None
        if found.rma not in (None, task.return_id):
            raise CarrierUnavailable("activated_elsewhere")
        is_ours = found.rma is not None or found.is_active or found.is_used
        return desk.ticket(found, task.asked.draft) if is_ours else None

    def _progress(self, task: _Task, attempt: Attempt) -> Progress:
        return Progress(at={**attempt.written(), **task.noted}, is_sent=attempt.sent > 0)

    # -- ending --------------------------------------------------------------------------------------------------------

    def _made(self, task: _Task, ticket: Ticket) -> Last:
        """Store the return, and answer the earlier command that left it in doubt.

        Where that may have been the one that counts, its earlier expiry is promised.
        """

        def write(transaction: Transaction) -> Outcome:
            spare_codes.end(transaction, task.spare.id, task.holder, "active")
            before = self._keeping.open(transaction, self._kept(task))
            if before.state == "created":
                return done(**result(before))
            ends = [one for one in (ticket.expires_at, before.expires_at) if one is not None]
            kept = replace(before, command=task.holder.command, secrets=Secrets(task.asked.reference))
            kept = self._keeping.made(transaction, kept, replace(ticket, expires_at=min(ends, default=None)))
            outcome = done(**result(kept))
            self._keeping.answer(transaction, kept, before.command, outcome)
            return outcome

        return self._last(write)

    def _refused(self, task: _Task, refusal: CarrierRefused) -> Last:
        """Keep that no return was made; the code stays as it was."""

        def write(transaction: Transaction) -> Outcome:
            spare_codes.end(transaction, task.spare.id, task.holder, "inactive")
            self._keeping.refused(transaction, self._keeping.open(transaction, self._kept(task)), refusal.key)
            return refusals.theirs(refusal, [0])[0].outcome

        return self._last(write)

    def _lost(self, task: _Task) -> Last:
        log.warning("return.unclear", return_id=task.return_id, connection=task.spare.connection)

        def write(transaction: Transaction) -> Outcome:
            spare_codes.end(transaction, task.spare.id, task.holder, "unknown")
            self._keep_lost(transaction, self._kept(task), task.spare)
            return Outcome(CommandState.unknown, error=_UNCLEAR)

        return self._last(write)

    def _keep_lost(self, transaction: Transaction, fresh: Kept, spare: Spare) -> None:
        kept = self._keeping.open(transaction, fresh)
        if kept.state == "pending":
            self._keeping.lost(transaction, kept, since=spare.made_at)

    def _back(self, task: _Task, outcome: Outcome) -> Last:
        """End it with nothing sent: the code is free again."""

        def write(transaction: Transaction) -> Outcome:
            spare_codes.end(transaction, task.spare.id, task.holder, "inactive")
            return outcome

        return self._last(write)

    def _kept(self, task: _Task) -> Kept:
        return self._fresh(task.asked, task.spare, task.holder.command, task.return_id)

    def _fresh(self, asked: ActivateCode, spare: Spare, command: str, return_id: str) -> Kept:
        """Write the return as it is kept where no earlier command kept it."""
        return Kept(
            id=return_id,
            connection=spare.connection,
            organization=spare.organization,
            command=command,
            state="pending",
            begun_at=self._clock(),
            secrets=Secrets(asked.reference),
            expires_at=asked.expires_at,
        )

    def _last(self, write: Unit[Outcome]) -> Last:
        return Last(write, lambda _: self._keeping.on_events())


def _first(state: SpareState, fresh: Attempt, now: datetime) -> Attempt:
    """Say where to begin: with what may have been sent by an earlier command, there is a look first."""
    return fresh.sending(now) if state == "unknown" else fresh
