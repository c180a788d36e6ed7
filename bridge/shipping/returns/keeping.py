"""What becomes of a return goes into the store with the fact that follows, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from bridge.commands.refusing import refused
from bridge.events import published
from bridge.events.catalogue import Published
from bridge.events.return_projection import About, label_ready
from bridge.events.returned import ReturnState
from bridge.lifecycle import Clock
from bridge.model import Fact, Outcome, Subject
from bridge.returns.ticket import Ticket
from bridge.shipping.returns import news
from bridge.shipping.returns.asked import CreateReturn
from bridge.shipping.returns.codes.asked import ActivateCode
from bridge.shipping.returns.doubting import doubt
from bridge.shipping.returns.handover import NOTHING, Handover
from bridge.store import commands, doubtful_returns, open_returns, returns
from bridge.store.database import Database, Transaction
from bridge.store.facts import Recorder
from bridge.store.returns import Kept, Wanted
from bridge.store.sealed import Vault
from bridge.web.kinds import CALLED_OFF

log = structlog.get_logger()

_CALLED_OFF: Final = refused(CALLED_OFF.name, "the return was called off before anything was sent")


class Keeping:
    """Keeps returns. `on_events` wakes who waits for events, and is for after a commit."""

    def __init__(
        self, database: Database, vault: Vault, recorder: Recorder, clock: Clock, on_events: Callable[[], None]
    ) -> None:
        self._database = database
        self._vault = vault
        self._recorder = recorder
        self._clock = clock
        self.on_events = on_events

    # -- reading -------------------------------------------------------------------------------------------------------

    async def find(self, id_: str) -> Kept | None:
        """Give a return. Raises KeyMissing where no key opens it any more."""
        return await self._database.read(lambda it: returns.find(it, self._vault, id_))

    async def seen(self, id_: str) -> ReturnState:
        """Give what was seen of a return at its provider."""
        return await self._database.read(lambda it: open_returns.seen(it, id_))

    async def page(self, wanted: Wanted, limit: int) -> list[Kept]:
        """List returns, the newest first; of one that no key opens any more, what lies open."""
        return await self._database.read(lambda it: returns.page(it, self._vault, wanted, limit))

    async def label(self, id_: str) -> bytes | None:
        """Give a label that came along with its return. Raises KeyMissing where no key opens it any more."""
        return await self._database.read(lambda it: returns.label(it, self._vault, id_))

    async def handover(self, id_: str) -> Handover:
        """Give what a return is handed over with. Raises KeyMissing where no key opens it any more."""
        found = await self._database.read(lambda it: returns.handover(it, self._vault, id_))
        return NOTHING if found is None else Handover.load(found)

    async def linked(self, connection: str, references: Collection[str]) -> set[str]:
        """Say which of a provider's ids are those of returns that are kept."""
        return await self._database.read(lambda it: returns.linked(it, connection, references))

    # -- in somebody's transaction -------------------------------------------------------------------------------------

    def begin(self, transaction: Transaction, one: Kept) -> bool:
        """Write down what is about to be made; False where another one of its sender has to end, or to be older."""
        if one.sender is not None and self._is_held_up(transaction, one.connection, one.sender):
            returns.drop(transaction, one.command)
            return False
        return returns.begin(transaction, self._vault, one)

    def drop(self, transaction: Transaction, one: Kept) -> None:
        """Forget what nothing was sent of."""
        returns.drop(transaction, one.command)

    def open(self, transaction: Transaction, one: Kept) -> Kept:
        """Write down a return if that was not done before, and give it as it stands. Raises KeyMissing."""
        returns.add(transaction, self._vault, one)
        return returns.find(transaction, self._vault, one.id) or one

    def call_off(self, transaction: Transaction, id_: str) -> Kept | None:
        """Keep that a return is not made after all, if nothing was sent; None where something may have been.

        That is its command's answer for good: whoever repeats it has none made.
        """
        kept = returns.find(transaction, self._vault, id_)
        if kept is None or kept.state != "pending":
            return None
        operation, given = CreateReturn.operation, {"return_id": kept.id}
        if not commands.call_off(transaction, self._vault, operation, kept.command, given, _CALLED_OFF):
            return None
        kept = replace(kept, state="cancelled", sender=None, reason="withdrawn")
        returns.save(transaction, self._vault, kept)
        return kept

    def made(self, transaction: Transaction, one: Kept, ticket: Ticket, at: datetime | None = None) -> Kept:
        """Keep what the provider made: now, unless another moment is named."""
        if not ticket.is_usable:
            log.warning("return.unusable", return_id=one.id, connection=one.connection)
        now = self._clock()
        label, handover = ticket.label, Handover.of(ticket)
        kept = replace(
            one,
            state="created",
            sender=None,
            secrets=replace(one.secrets, code=ticket.code, label_url=ticket.label_url),
            provider_reference=published.word(ticket.provider_reference),
            tracking_number=published.number(ticket.tracking_number),
            return_status="created",
            expires_at=ticket.expires_at or one.expires_at,  # what was asked for is not always said anew
            label_format=None if label is None else label.format,
            label_sha256=None if label is None else label.sha256,
            created_at=at or now,
            cancellable_until=ticket.cancellable_until,
        )
        facts = [_fact(kept, news.created(kept, is_usable=ticket.is_usable), now)]
        if label is not None:
            about = About(kept.id, kept.connection, kept.organization)
            ready = label_ready(about, label.format, label.sha256, len(label.content), now)
            facts.append(replace(ready, causation=kept.command))
        content, beside = None if label is None else label.content, None if handover == NOTHING else handover.dump()
        self._save(transaction, kept, facts, now, content, beside)
        doubtful_returns.end(transaction, kept.id)
        return kept

    def refused(self, transaction: Transaction, one: Kept, reason: str) -> Kept:
        """Keep that there is none."""
        kept, now = replace(one, state="failed", sender=None, reason=reason), self._clock()
        self._save(transaction, kept, [_fact(kept, news.failed(kept, reason), now)], now)
        doubtful_returns.end(transaction, kept.id)
        return kept

    def lost(self, transaction: Transaction, one: Kept, since: datetime | None = None) -> None:
        """Keep that nobody knows; it is looked for from then on, among what was made since it was begun, or earlier.

        Nothing that is sealed of it is needed.
        """
        now = self._clock()
        fact = _fact(one, news.unknown(one), now)
        self._tell(transaction, one, [fact], now, lambda: returns.abandon(transaction, one.id))
        doubtful_returns.begin(transaction, doubt.begun(one, now, since))

    def give_up(self, transaction: Transaction, id_: str, *, is_sent: bool) -> None:
        """Keep what a command that ended by itself left open: nobody knows of it, or nothing was sent."""
        kept = returns.unopened(transaction, id_)
        if kept is None or kept.state != "pending":
            return
        if is_sent:
            self.lost(transaction, kept)
        else:
            self.drop(transaction, kept)

    def answer(self, transaction: Transaction, kept: Kept, command: str, then: Outcome) -> None:
        """Answer the command that nobody knew the end of, whichever of the two that make returns it was."""
        for operation in (CreateReturn.operation, ActivateCode.operation):
            commands.settle(transaction, self._vault, operation, command, {"return_id": kept.id}, then)

    def _is_held_up(self, transaction: Transaction, connection: str, sender: str) -> bool:
        return doubtful_returns.has_any(transaction, connection, sender, self._clock() - doubt.HOLDS_UP)

    def _save(
        self,
        transaction: Transaction,
        kept: Kept,
        facts: Sequence[Fact],
        now: datetime,
        label: bytes | None = None,
        handover: bytes | None = None,
    ) -> None:
        self._tell(transaction, kept, facts, now, lambda: returns.save(transaction, self._vault, kept, label, handover))

    def _tell(
        self, transaction: Transaction, kept: Kept, facts: Sequence[Fact], now: datetime, save: Callable[[], None]
    ) -> None:
        ledgers = self._recorder.lock(transaction, [_subject(kept)])
        save()
        self._recorder.record(transaction, ledgers, facts, now)
        self._recorder.save(transaction, ledgers.values())


def _subject(kept: Kept) -> Subject:
    return Subject.returned(kept.connection, kept.id)


def _fact(kept: Kept, data: Published, now: datetime) -> Fact:
    facet = None if data.facet is None else getattr(data, data.facet)
    return Fact(_subject(kept), data.type, "created", now, data, facet, causation=kept.command)
