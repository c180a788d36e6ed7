"""The command `shipment.create`: shipments are made at the carrier, each once, whatever becomes of the answer.

ShipX knows no idempotency: a call that is made twice is two parcels. So a call is written down before it is made, and
where its answer is lost, what was sent is looked for in the carrier's own lists. Only what no list shows for five
minutes is sent again. The carrier's number is stored before anything else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from bridge.commands.handling import Ending, Hand, Last, Later
from bridge.commands.refusing import nothing_sent, unprocessable
from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable, NoPermit
from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.model import BatchId, ClaimedCommand, OrganizationId, Progress, ShipmentId
from bridge.ports import Discovery
from bridge.ports.shipping import Creator
from bridge.purchasing.shipment import Shipment
from bridge.reconciling.pages import created_since
from bridge.shipments.asked import CreateOne, CreateShipments, ShipmentAsked, likeness
from bridge.shipments.created import Batch
from bridge.shipments.drafting import draft
from bridge.shipments.likeness import of, pair
from bridge.shipping import refusals
from bridge.shipping.attempt import AGAIN, EARLIER, LIMITED, MOST_SENT, PATIENCE, UNCLEAR_AFTER
from bridge.shipping.joining import Joining
from bridge.shipping.refusals import Refusal
from bridge.shipping.results import Results
from bridge.shipping.several import Several
from bridge.store.database import Transaction

log = structlog.get_logger()

_MOST: Final = 100
_DONE: Final = "done"
"""The one word of a batch that is documented."""


class Lists(Discovery, Protocol):
    """Where shipments that were made are found again."""

    async def read_many(self, shipments: Sequence[ShipmentId], purpose: Purpose) -> Mapping[ShipmentId, Shipment]:
        """Read up to a hundred by one call. Raises CarrierError."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What may be ours; not whole where something may be missing."""

    shipments: Sequence[Shipment]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Maker:
    """Where shipments of one organization are made, and where they are found again."""

    creator: Creator
    lists: Lists

    async def found(self, attempt: Several) -> Found:
        """Read what may have come of the calls: of a batch that was taken in, or all that was made. CarrierError.

        The first call counts: what was sent before, and showed nowhere in time, may show now.
        """
        if attempt.batch is not None:
            return await self._of_batch(attempt.batch)
        pages = created_since(self.lists, attempt.since - EARLIER, Purpose.create)
        return Found([one async for page in pages for one in page.shipments], is_whole=True)

    async def _of_batch(self, batch: BatchId) -> Found:
        """Read what a batch was made into so far; it is whole once the carrier is done with it, and shows it all."""
        made = await self.creator.read_batch(batch)
        parts = [made.shipments[at : at + _MOST] for at in range(0, len(made.shipments), _MOST)]
        reads = [await self.lists.read_many([one.id for one in part], Purpose.create) for part in parts]
        shipments = [one for read in reads for one in read.values()]
        is_whole = made.status == _DONE and not made.unread and len(shipments) == len(made.shipments)
        return Found(shipments, is_whole)


@dataclass(frozen=True, slots=True)
class _Task:
    """A command in hand: what it asks for, by item, what was made of it, and how far it has come."""

    claimed: ClaimedCommand
    hand: Hand
    organization: OrganizationId
    asked: Mapping[int, ShipmentAsked]
    wrong: Mapping[int, Refusal]
    is_single: bool
    made: Mapping[int, ShipmentId]
    attempt: Several

    @property
    def open(self) -> Mapping[int, ShipmentAsked]:
        """Give what is to be made: neither made, nor refused, nor unclear."""
        over = {*self.made, *self.attempt.refused, *self.attempt.unclear}
        return {item: one for item, one in self.asked.items() if item not in over}

    @property
    def is_untouched(self) -> bool:
        """Say whether nothing came of it so far, and nothing may have been sent."""
        return not (self.attempt.sent or self.made or self.attempt.refused or self.attempt.unclear)

    @property
    def results(self) -> Results:
        refused = {**self.wrong, **self.attempt.refused}
        return Results(self.organization, self.is_single, self.made, refused, self.attempt.unclear)

    def later(self, after: timedelta) -> Later:
        return Later(after, self.attempt.progress(len(self.made)))


class Creating:
    """Carries out `shipment.create` for the organizations that have a maker."""

    def __init__(
        self,
        makers: Mapping[OrganizationId, Maker],
        joining: Joining,
        clock: Clock,
        on_made: Callable[[], None],
    ) -> None:
        self._makers = makers
        self._joining = joining
        self._clock = clock
        self._on_made = on_made

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Make what is asked for, or go on with it. Raises Unreadable."""
        asked = CreateShipments.read(claimed.body)
        organization = refusals.organization(asked.organization, self._makers)
        if not isinstance(organization, int):
            return unprocessable([organization])
        found: _Task | Ending = await self._begun(claimed, hand, asked, organization)
        while isinstance(found, _Task) and found.open:
            found = await (self._send(found) if found.attempt.sent_at is None else self._look(found))
        return found if not isinstance(found, _Task) else self._ended(found.results)

    async def _begun(
        self, claimed: ClaimedCommand, hand: Hand, asked: CreateShipments, organization: OrganizationId
    ) -> _Task:
        wanted = dict(enumerate(asked.wanted))
        right = {item: one for item, one in wanted.items() if isinstance(one, ShipmentAsked)}
        wrong = {item: refusals.ours(one) for item, one in wanted.items() if not isinstance(one, ShipmentAsked)}
        attempt = Several.of(claimed.progress.at, self._clock())
        made = await self._joining.made_by(claimed.id, attempt.since)
        return _Task(claimed, hand, organization, right, wrong, isinstance(asked, CreateOne), made, attempt)

    def _ended(self, results: Results) -> Ending:
        now = self._clock()
        return Last(lambda transaction: results.outcome(transaction, now), lambda _: self._on_made())

    # -- sending -------------------------------------------------------------------------------------------------------

    async def _send(self, task: _Task) -> _Task | Ending:
        """Have what is open made by one call, which is written down first."""
        sent = replace(task, attempt=task.attempt.sending(self._clock()))
        await task.hand.step(lambda _: None, lambda _: sent.attempt.progress(len(task.made)))
        items = list(task.open)
        try:
            made = await self._made(sent, [task.open[item] for item in items])
        except NoPermit as error:
            return self._unsent(sent, str(error))
        except CarrierRefused as refusal:
            return replace(sent, attempt=sent.attempt.without(refusals.theirs(refusal, items)))
        except CarrierUnavailable as error:
            if error.status == LIMITED:
                return self._unsent(sent, str(error))
            log.warning("shipments.in_doubt", items=len(items), reason=str(error))
            return sent.later(sent.attempt.look_in)
        if isinstance(made, Shipment):
            joined = await self._join(sent, {items[0]: made})
            return joined if not joined.open else joined.later(joined.attempt.look_in)
        return replace(sent, attempt=sent.attempt.taken(made.id)).later(AGAIN)

    async def _made(self, task: _Task, asked: Sequence[ShipmentAsked]) -> Shipment | Batch:
        """Have them made by one call; of many it is not said which became which, and they are looked for."""
        creator = self._makers[task.organization].creator
        if len(asked) == 1:
            return await creator.create(draft(asked[0]))
        return await creator.create_batch([draft(one) for one in asked])

    def _unsent(self, task: _Task, why: str) -> _Task | Ending:
        """Try again in a moment, for a while; what may have been sent before is not given back as if it never was."""
        before, now = replace(task, attempt=task.attempt.unsent()), self._clock()
        if before.is_untouched and now > before.attempt.since + PATIENCE:
            return nothing_sent(f"the carrier could not be asked ({why}), so nothing was sent")
        if now > before.attempt.since + UNCLEAR_AFTER:
            return replace(before, attempt=before.attempt.doubting(before.open))
        return before.later(AGAIN)

    # -- looking for it ------------------------------------------------------------------------------------------------

    async def _look(self, task: _Task) -> _Task | Ending:
        """Look for what was sent where the carrier lists what it has."""
        attempt, began_at = task.attempt, self._clock()
        try:
            found = await self._unclaimed(task)
        except CarrierError as error:
            return self._unseen(task, error, began_at)
        seen = replace(task, attempt=attempt.looked(began_at, was_whole=found.is_whole))
        by_id = {one.id: one for one in found.shipments}
        asked = {item: likeness(one) for item, one in task.open.items()}
        pairs = pair(asked, [(number, of(one)) for number, one in by_id.items()])
        joined = await self._join(seen, {item: by_id[shipment] for item, shipment in pairs.made.items()})
        if pairs.unclear:
            log.warning("shipments.unclear", command=task.claimed.id, items=len(pairs.unclear))
            joined = replace(joined, attempt=joined.attempt.doubting(pairs.unclear))
        return self._unfound(joined, began_at) if joined.open else joined

    def _unfound(self, task: _Task, now: datetime) -> _Task | Later:
        """Go on looking; what was never there may be sent again."""
        if task.attempt.is_absent(now):
            log.warning("shipments.absent", items=len(task.open), sent=task.attempt.sent)
            if task.attempt.sent < MOST_SENT:
                return replace(task, attempt=task.attempt.again())
        elif not task.attempt.is_hopeless(now):
            return task.later(task.attempt.look_in)
        return replace(task, attempt=task.attempt.doubting(task.open))

    def _unseen(self, task: _Task, error: CarrierError, now: datetime) -> _Task | Later:
        """Wait for a carrier that gives no list; after an hour nobody will find out."""
        log.info("shipments.lists_wait", reason=str(error))
        if task.attempt.is_hopeless(now):
            return replace(task, attempt=task.attempt.doubting(task.open))
        return replace(task, attempt=task.attempt.looked(now, was_whole=False)).later(task.attempt.look_in)

    async def _unclaimed(self, task: _Task) -> Found:
        """Read what may be ours and is nobody's yet. Raises CarrierError."""
        found = await self._makers[task.organization].found(task.attempt)
        taken = await self._joining.among(task.organization, [one.id for one in found.shipments])
        return replace(found, shipments=[one for one in found.shipments if one.id not in taken])

    # -- joining -------------------------------------------------------------------------------------------------------

    async def _join(self, task: _Task, made: Mapping[int, Shipment]) -> _Task:
        """Store what was made, and what it was made of, before anything else happens."""
        if not made:
            return task

        def write(transaction: Transaction) -> Mapping[int, ShipmentId]:
            return self._joining.join(transaction, task.organization, task.claimed.id, made)

        def noted(joined: Mapping[int, ShipmentId]) -> Progress:
            return task.attempt.progress(len({*task.made, *joined}))

        joined = await task.hand.keep(write, noted)
        self._on_made()
        return replace(task, made={**task.made, **joined})
