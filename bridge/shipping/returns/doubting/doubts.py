"""Doubts about returns are settled: with what the provider turns out to have, or by what a person found out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bridge.commands.models import done, rejected
from bridge.lifecycle import Clock
from bridge.model import Outcome
from bridge.returns.ticket import Ticket
from bridge.shipping.returns.document import result
from bridge.shipping.returns.doubting import doubt
from bridge.shipping.returns.keeping import Keeping
from bridge.store import doubtful_returns, returns, spare_codes
from bridge.store.database import Database, Transaction
from bridge.store.doubtful_returns import Doubt
from bridge.store.returns import Kept
from bridge.store.sealed import Vault

NOT_MADE: Final = "not_made"
_NOT_MADE: Final = "it was not made, as a person found out: it may be asked for under another key"


class Doubts:
    """Where they are kept. What settles one tells of it, and answers the command that asked for the return."""

    def __init__(self, database: Database, vault: Vault, keeping: Keeping, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._keeping = keeping
        self._clock = clock

    async def take_up(self, connection: str, limit: int) -> int:
        """Doubt those whose command ended without a word about them, or drop them where nothing was sent."""
        left = await self._database.read(lambda it: doubtful_returns.left(it, connection, limit))
        if left:
            await self._database.write(lambda it: self._take_up(it, connection, limit))
            self.on_events()
        return len(left)

    async def due(self, connection: str, limit: int) -> list[Doubt]:
        """Give those of a connection that are to be looked for."""
        now = self._clock()
        return await self._database.read(lambda it: doubtful_returns.due(it, connection, now, limit))

    async def returned(self, id_: str) -> Kept | None:
        """Give the return. Raises KeyMissing where no key opens it any more."""
        return await self._keeping.find(id_)

    async def rest(self, id_: str) -> timedelta | None:
        """Say for how long still the doubt about a return holds up others of its sender; None where it does not."""
        one = await self._database.read(lambda it: doubtful_returns.find(it, id_))
        return None if one is None else doubt.rest(one, self._clock())

    async def looked(self, one: Doubt, showed: str) -> None:
        """Keep what a look showed that settled nothing."""
        seen = doubt.looked(one, self._clock(), showed)
        await self._database.write(lambda it: doubtful_returns.looked(it, seen))

    async def found(self, one: Doubt, ticket: Ticket) -> bool:
        """Keep what the provider has of it; False where another one was quicker with it, or with the ticket."""
        made = await self._database.write(lambda it: self._found(it, one, ticket))
        if made:
            self.on_events()
        return made

    def on_events(self) -> None:
        """Wake who waits for events; for after a commit."""
        self._keeping.on_events()

    # -- in somebody's transaction -------------------------------------------------------------------------------------

    def in_doubt(self, transaction: Transaction, id_: str) -> Kept | None:
        """Give a return that is in doubt, and let nobody else settle it until the commit. Raises KeyMissing."""
        one = doubtful_returns.find(transaction, id_)
        if one is None or not doubtful_returns.lock(transaction, one):
            return None
        return returns.find(transaction, self._vault, id_)

    def taken(self, transaction: Transaction, kept: Kept, ticket: Ticket) -> Sequence[str]:
        """Name what of the ticket is that of another return of ours: its `provider_reference`, its `code`.

        Nobody else settles one until the commit, so that it stays so.
        """
        transaction.alone("settling")
        reference, code = ticket.provider_reference, ticket.code
        found = []
        if reference is not None and returns.linked(transaction, kept.connection, [reference]):
            found.append("provider_reference")
        if code is not None and self._is_code_of_another(transaction, kept, code):
            found.append("code")
        return found

    def made(self, transaction: Transaction, kept: Kept, ticket: Ticket) -> Outcome:
        """Keep what the provider made of one that is in doubt: some time ago, about when it was asked for it."""
        outcome = done(**result(self._keeping.made(transaction, kept, ticket, kept.begun_at)))
        self._keeping.answer(transaction, kept, kept.command, outcome)
        return outcome

    def not_made(self, transaction: Transaction, kept: Kept) -> Outcome:
        """Keep that nothing was made of one that is in doubt, as only a person can say."""
        failed = self._keeping.refused(transaction, kept, NOT_MADE)
        self._keeping.answer(transaction, kept, kept.command, rejected(_NOT_MADE))
        return done(**result(failed))

    def _is_code_of_another(self, transaction: Transaction, kept: Kept, code: str) -> bool:
        return returns.is_code_of_another(transaction, self._vault, kept, code) or spare_codes.is_for_another(
            transaction, self._vault, kept.connection, code, kept.id
        )

    def _take_up(self, transaction: Transaction, connection: str, limit: int) -> None:
        for id_, is_sent in doubtful_returns.left(transaction, connection, limit).items():
            self._keeping.give_up(transaction, id_, is_sent=is_sent)

    def _found(self, transaction: Transaction, one: Doubt, ticket: Ticket) -> bool:
        kept = self.in_doubt(transaction, one.id)
        if kept is None:
            return False
        taken = self.taken(transaction, kept, ticket)
        if one.sender is None:  # found by what is its own alone: that says more than a code that a person typed
            taken = [name for name in taken if name != "code"]
        if taken:
            return False
        self.made(transaction, kept, ticket)
        return True
