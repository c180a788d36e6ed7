"""One hand at work on a batch: it reads, has it judged, writes down, and asks once; one shipment or a hundred alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

import structlog

from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.events.shipment import ShipmentState
from bridge.lifecycle import Clock
from bridge.limits.connection import Limits, Purpose
from bridge.observability import Metrics
from bridge.ports import Carrier, Turn
from bridge.purchasing import announce
from bridge.purchasing.deciding import decided, record, unaffordable
from bridge.purchasing.looking import looked, unseen
from bridge.purchasing.moves import Chosen, Moment, Move, Next, Stale, waiting
from bridge.purchasing.reader import ALONE, Read, Reader
from bridge.purchasing.renewing import edited, regenerated
from bridge.purchasing.sending import SEND_WITHIN, Result, intended, is_account_wide, sent
from bridge.purchasing.settling import settled
from bridge.purchasing.shipment import Choice, Shipment
from bridge.purchasing.terms import Terms
from bridge.purchasing.trying import find
from bridge.purchasing.unread import not_now, unread
from bridge.store.outlook import Batch, Errand
from bridge.store.purchase import LIVE, UNBOUGHT, Answer, Purchase, PurchaseState, Step
from bridge.store.purchases import Decide, Intent, SqlPurchases

log = structlog.get_logger()

_PURPOSES: Final = {
    Errand.settle: Purpose.settle,
    Errand.buy: Purpose.read,
    Errand.confirm: Purpose.confirm,
    Errand.renew: Purpose.sweep,
    Errand.look: Purpose.confirm,
}


@dataclass(frozen=True, slots=True)
class Account:
    """An organization the bridge may buy for, on which terms, and how much its carrier may be asked."""

    carrier: Carrier
    terms: Terms
    limits: Limits = field(default_factory=Limits)


class Hand:
    """Handles batches of one organization."""

    def __init__(
        self,
        purchases: SqlPurchases,
        account: Account,
        metrics: Metrics,
        clock: Clock,
        on_call: Callable[[float], None],
    ) -> None:
        self._purchases = purchases
        self._carrier = account.carrier
        self._reader = Reader(account.carrier, on_call)
        self._terms = account.terms
        self._metrics = metrics
        self._clock = clock

    async def handle(self, batch: Batch) -> None:
        """Do the next thing for each. Raises StoreUnavailable."""
        if batch.is_try:
            await self._try(batch.purchases)
            return
        asked_at = self._clock()
        # What nobody works on can wait until a list has it; to ask one by one would cost what others need.
        alone = 0 if batch.errand is Errand.look else ALONE
        wanted = [one.shipment for one in batch.purchases]
        reads = await self._reader.read(wanted, _PURPOSES[batch.errand], alone=alone)
        moment = Moment(asked_at, self._clock(), batch.is_paused)
        found = [self._judge(one, reads[one.shipment], moment) for one in batch.purchases]
        await self._save([one for one in found if isinstance(one, Move)])
        chosen = [one for one in found if isinstance(one, Chosen)]
        if chosen:  # first, because windows close
            await self._buy(chosen)
        for one in found:
            if isinstance(one, Stale):
                await self._regenerate(one.purchase, _PURPOSES[batch.errand])

    def _judge(self, purchase: Purchase, read: Read, moment: Moment) -> Next:
        is_at_rest = purchase.state in UNBOUGHT
        if isinstance(read, Shipment):
            live = decided if purchase.state is PurchaseState.wanted else settled
            return (looked if is_at_rest else live)(purchase, read, self._terms, moment)
        if isinstance(read, CarrierRefused):
            log.warning("purchase.read_refused", shipment=purchase.shipment, key=read.key, status=read.status)
        return (unseen if is_at_rest else unread)(purchase, read, self._terms, moment.now)

    async def _try(self, candidates: Sequence[Purchase]) -> None:
        """Buy one of them, to see if a pause is over."""
        found = await find(candidates, self._reader, self._judge, self._clock)
        await self._save(found.moves)
        if found.chosen is not None:
            await self._buy([found.chosen])
        elif found.stale is not None:
            await self._regenerate(found.stale.purchase, Purpose.read)

    async def _regenerate(self, purchase: Purchase, purpose: Purpose) -> None:
        """Ask for new offers; what became of it, a read will show. It is written down first, and never sent late.

        Another hand that takes over waits until this edit would show, and only then asks for one of its own.
        """
        began, began_at = asyncio.get_running_loop().time(), self._clock()
        held = await self._save([Move(edited(purchase, self._terms, began_at), keeps=True)])
        if not held:
            return

        def is_late() -> bool:
            elapsed = asyncio.get_running_loop().time() - began
            return max(elapsed, (self._clock() - began_at).total_seconds()) >= SEND_WITHIN.total_seconds()

        result: Literal["accepted"] | CarrierUnavailable | CarrierRefused = "accepted"
        try:
            await self._carrier.regenerate(purchase.shipment, purpose, is_late)
        except NoPermit as error:
            await self._save([not_now(purchase, error, self._terms, self._clock())])
            return
        except (CarrierUnavailable, CarrierRefused) as error:
            log.warning("purchase.not_regenerated", shipment=purchase.shipment, error=str(error))
            result = error
        await self._save([regenerated(held[0], result, self._clock())])

    # -- buying ------------------------------------------------------------------------------------------------------

    async def _buy(self, chosen: Sequence[Chosen]) -> None:
        """Ask for all of them by one call, and again for those that others kept it from."""
        groups = [list(chosen)]
        while groups:
            group = groups.pop(0)
            refused = await self._ask(group)
            if refused is not None:
                groups += _anew(group, refused)

    async def _ask(self, group: Sequence[Chosen]) -> CarrierRefused | None:
        """Take a turn, write down the intents, ask, write down the doubt. Gives the refusal of many, if it was one.

        The turn comes first: what cannot be sent now is not intended, and stays wanted.
        """
        async with AsyncExitStack() as stack:
            try:
                turn = await stack.enter_async_context(self._carrier.turn_to_buy())
            except NoPermit as error:
                await self._put_off(group, error)
                return None
            latest = asyncio.get_running_loop().time() + SEND_WITHIN.total_seconds()
            standing = await self._intend(group)
            if not standing:
                return None
            result, ended_at = await self._send(turn, standing, latest)
        if isinstance(result, CarrierRefused) and len(standing) > 1 and not is_account_wide(result):
            named = [one for one in standing if one.shipment in result.items]
            await self._save([sent(one, result, ended_at) for one in named])
            return result
        await self._save([sent(one, result, ended_at) for one in standing])
        return None

    async def _put_off(self, group: Sequence[Chosen], error: NoPermit) -> None:
        """Leave wanted what is not asked for now."""
        now = self._clock()
        await self._save([not_now(one.before, error, self._terms, now) for one in group])

    async def _intend(self, group: Sequence[Chosen]) -> Sequence[Purchase]:
        """Write down what is about to be asked for, and tell of it."""
        now = self._clock()
        intents = [_intent(one, self._terms, now) for one in group]
        done = await self._purchases.intend(intents, self._terms.caps, now)
        if done.is_paused:
            await self._put_off(group, NoPermit("paused"))
            return ()
        over = [one for one in group if one.purchase.shipment in done.refused]
        await self._save([unaffordable(one, done.refused[one.purchase.shipment], self._terms, now) for one in over])
        standing = {one.shipment for one in done.purchases}
        for one in group:
            if one.purchase.shipment in standing:
                left = announce.seconds_left(one.decision.offer, one.shipment)
                self._metrics.purchase_seconds_left.observe(left)
        return done.purchases

    async def _send(self, turn: Turn, standing: Sequence[Purchase], latest: float) -> tuple[Result, datetime]:
        """Ask once, if it is not too late; give how it ended, and when."""
        # The one clock may be set back, the other stands still while the machine sleeps.
        began, began_at = asyncio.get_running_loop().time(), self._clock()
        if began >= latest or any(began_at >= (one.send_before or began_at) for one in standing):
            log.warning("purchase.too_late_to_send", n=len(standing))
            return "too_late", began_at
        result: Result = "accepted"
        try:
            await turn.buy([Choice(one.shipment, one.offer) for one in standing if one.offer is not None])
        except CarrierRefused as error:
            log.warning("purchase.refused", key=error.key, status=error.status, n=len(standing), named=len(error.items))
            result = error
        except CarrierUnavailable as error:
            log.warning("purchase.in_doubt", reason=error.reason, status=error.status, n=len(standing))
            result = error
        took = timedelta(seconds=asyncio.get_running_loop().time() - began)
        return result, max(self._clock(), began_at + took)

    # -- saving ------------------------------------------------------------------------------------------------------

    async def _save(self, moves: Sequence[Move]) -> Sequence[Purchase]:
        """Write down moves, and count what ended; gives those that are still ours."""
        if not moves:
            return ()
        saved = await self._purchases.step([(one.purchase, _decide(one)) for one in moves], self._clock())
        if len(saved) < len(moves):
            log.warning("purchase.lease_lost", n=len(moves) - len(saved))
        for one in saved:
            log.info("purchase.stepped", shipment=one.shipment, after=one.state, reason=one.reason)
            if one.state not in LIVE and not one.was_looked_at:
                self._metrics.purchases.labels(one.state.value, one.reason or "").inc()
        return saved


def _decide(move: Move) -> Decide:
    """Give what the store needs of a move: its facts depend on what is known of the shipment then."""

    def decide(known: ShipmentState | None) -> Step:
        facts, state = announce.told(move.tell, known)
        return Step(move.purchase, facts, state, move.decided, move.pauses, keeps=move.keeps)

    return decide


def _intent(chosen: Chosen, terms: Terms, now: datetime) -> Intent:
    """Give an intent with what it tells: which offer, why, and that it is about to be asked for."""
    purchase = intended(chosen.purchase, terms.call_within, now)
    selected = announce.selected(purchase, chosen.shipment, chosen.decision, terms.policy)
    tell = (*chosen.tell, selected, announce.requested(purchase, chosen.shipment))
    move = Move(purchase, tell, decided=record(chosen.purchase, chosen.shipment, chosen.decision, terms))
    return Intent(purchase, _decide(move), chosen.decision.price)


def _anew(group: Sequence[Chosen], refused: CarrierRefused) -> list[list[Chosen]]:
    """Give what is to be asked for once more, after a call that bought nothing of it.

    Without those that were named; where none was, in halves, until the one is found that is in the way.
    """
    rest = [_not_taken(one) for one in group if one.purchase.shipment not in refused.items]
    if len(rest) < len(group):
        return [rest] if rest else []
    middle = len(rest) // 2
    return [rest[:middle], rest[middle:]]


def _not_taken(chosen: Chosen) -> Chosen:
    """Give it as it is now that its intent is written down, and others kept the carrier from taking it in."""
    purchase = replace(chosen.purchase, answer=Answer.not_taken)
    return replace(chosen, purchase=purchase, before=waiting(purchase))
