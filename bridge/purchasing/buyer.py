"""The buyer: reads before it decides, writes down what it is about to do, asks once, and believes only what it reads.

A purchase goes wanted → intended → doubt → succeeded or failed. From `intended` on, only evidence moves it: a lost
answer, a refusal and a crash all look the same, and are settled by the same reads.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, assert_never
from uuid import uuid4

import structlog

from bridge.errors import CarrierRefused, CarrierUnavailable, LeaseLost, NoPermit, StoreError
from bridge.events.catalogue import Offer
from bridge.lifecycle import Clock, Stop
from bridge.model import Evidence, IntentId, OfferId, OrganizationId
from bridge.observability import Metrics
from bridge.ports import Carrier, Turn
from bridge.purchasing import announce, notes
from bridge.purchasing.evidence import Bought, Nothing, NotPaid, Underway, evidence, reason
from bridge.purchasing.policy import CARRIER_OWNED, Adopt, Buy, Decline, Expired, NotOurs, Policy, Wait, decide
from bridge.purchasing.shipment import Shipment
from bridge.store.purchases import ADOPTED, Purchase, PurchaseState, SqlPurchases

log = structlog.get_logger()

SEND_WITHIN = timedelta(seconds=5)
"""From the intent to the call. Shorter than the lease, so that a process that slept cannot pay after losing it."""
GIVE_UP_AFTER = timedelta(minutes=10)
"""From the end of the window to the end of waiting for a carrier that lets nothing be decided."""
UNKNOWN_AFTER = timedelta(seconds=60)
_READS = (0.5, 1.0, 2.0, 5.0, 10.0)
_RETRIES = (1.0, 2.0, 4.0, 8.0, 15.0, 60.0)
_ENOUGH_READS = 3
_POLL_S = 1.0
_RENEW_S = 2.0
_NOT_TO_THIS_TOKEN = (401, 403)
_NOT_FOUND = 404
_NO_TOKEN = CarrierUnavailable("no_token")
_ACCOUNT_REFUSED = "the carrier refuses the organization's token: nothing is bought until that is mended"
_PAUSED = ("account_paused", "account_paused", Evidence.carrier)
_UNREACHABLE = ("carrier_unreachable", "carrier_unavailable", Evidence.webhook)
"""Why nothing was decided: as kept, as published, and what the event goes by."""

Mode = Literal["auto", "approve", "dry_run"]


@dataclass(frozen=True, slots=True)
class Account:
    """An organization the bridge may buy for. `mode` is what is really done, after the safeguards."""

    carrier: Carrier
    mode: Mode


class Buyer:
    """Works off purchases in doubt and wanted ones, the earliest deadline first, `at_once` of each organization.

    `call_within` is the longest that one call to the carrier can take; `settle` the longest that its effect is hidden.
    """

    def __init__(
        self,
        *,
        purchases: SqlPurchases,
        accounts: Mapping[OrganizationId, Account],
        policy: Policy,
        settle: timedelta,
        call_within: timedelta,
        at_once: int,
        metrics: Metrics,
        clock: Clock,
        stop: Stop,
        on_events: Callable[[], None],
    ) -> None:
        self._purchases = purchases
        self._accounts = accounts
        self._policy = policy
        self._settle = settle
        self._call_within = call_within
        self._at_once = at_once
        self._metrics = metrics
        self._clock = clock
        self._stop = stop
        self._on_events = on_events
        self._in_hand: Counter[OrganizationId] = Counter()
        self.bell = stop.bell()

    async def run(self) -> None:
        """Work until the end is announced; what is in hand then is finished or left to evidence."""
        async with asyncio.TaskGroup() as hands:
            while not self._stop:
                for one in await self._claim():
                    self._in_hand[one.organization] += 1
                    hands.create_task(self._work(one))
                await self.bell.wait(await self._pause())

    async def _work(self, purchase: Purchase) -> None:
        """Handle one purchase, and make room for the next of its organization."""
        try:
            await self._handle(purchase)
        finally:
            self._in_hand[purchase.organization] -= 1
            self.bell.ring()

    async def _claim(self) -> Sequence[Purchase]:
        try:
            return await self._purchases.claim(self._at_once, self._clock(), self._in_hand)
        except StoreError as error:
            log.warning("purchase.claim_failed", error=type(error).__name__)
            return ()

    async def _pause(self) -> float:
        full = [organization for organization, number in self._in_hand.items() if number >= self._at_once]
        try:
            due = await self._purchases.next_due(full)
        except StoreError:
            return _POLL_S
        return _POLL_S if due is None else min(max((due - self._clock()).total_seconds(), 0.01), _POLL_S)

    async def _handle(self, purchase: Purchase) -> None:
        with structlog.contextvars.bound_contextvars(shipment=purchase.shipment, organization=purchase.organization):
            renewing = asyncio.create_task(self._keep(purchase))
            try:
                done = await self.advance(purchase)
            except LeaseLost:
                log.warning("purchase.lease_lost")
                return
            except StoreError as error:
                log.warning("purchase.store_unavailable", error=type(error).__name__)
                return
            finally:
                renewing.cancel()
            log.info("purchase.stepped", before=purchase.state, after=done.state, reason=done.reason)
            self._on_events()

    async def _keep(self, purchase: Purchase) -> None:
        """Keep hold of a purchase for as long as a slow carrier takes."""
        while True:
            await asyncio.sleep(_RENEW_S)
            with suppress(StoreError):
                await self._purchases.renew(purchase)

    async def advance(self, purchase: Purchase) -> Purchase:
        """Do the next thing for one claimed purchase. Raises LeaseLost and StoreUnavailable."""
        account = self._accounts.get(purchase.organization)
        if account is None and purchase.state is PurchaseState.wanted:
            noted = replace(purchase, note=notes.unread(purchase, _NO_TOKEN))
            return await self._end(noted, PurchaseState.not_ours, "no_token")
        if account is None:
            return await self._later(purchase, _NO_TOKEN)
        asked_at = self._clock()
        try:
            shipment = await account.carrier.read(purchase.shipment)
        except CarrierUnavailable as error:
            return await self._later(purchase, error)
        except CarrierRefused as error:
            return await self._unreadable(purchase, error)
        if purchase.state is PurchaseState.wanted:
            return await self._decide(purchase, shipment, account)
        return await self._settle_doubt(purchase, shipment, asked_at)

    # -- deciding ----------------------------------------------------------------------------------------------------

    async def _decide(self, purchase: Purchase, shipment: Shipment, account: Account) -> Purchase:
        decision = decide(shipment, self._policy)
        purchase = replace(purchase, note=notes.read(purchase, shipment, decision))
        match decision:
            case Buy() if account.mode == "auto":
                return await self._buy(purchase, shipment, decision, account.carrier)
            case Buy():
                return await self._hold(purchase, shipment, decision, account.mode)
            case Adopt(bought):
                return await self._adopt(purchase, shipment, bought)
            case Decline(why, rejected):
                declined = announce.declined(purchase, shipment, why, rejected, self._policy)
                return await self._end(purchase, PurchaseState.declined, why, declined)
            case Expired():
                return await self._end(purchase, PurchaseState.expired, None, announce.expired(purchase, shipment))
            case NotOurs(why):
                told = [announce.declined(purchase, shipment, why, (), self._policy)] if why == CARRIER_OWNED else []
                return await self._end(purchase, PurchaseState.not_ours, why, *told)
            case Wait() if self._is_hopeless(purchase):
                none = announce.declined(purchase, shipment, "none_available", (), self._policy)
                return await self._end(purchase, PurchaseState.declined, "none_available", none)
            case Wait():
                return await self._again(purchase, _RETRIES)
            case _:
                assert_never(decision)

    async def _hold(self, purchase: Purchase, shipment: Shipment, decision: Buy, mode: Mode) -> Purchase:
        chosen = self._chosen(purchase, shipment, decision.offer)
        selected = announce.selected(chosen, shipment, decision, self._policy)
        why = "approval_required" if mode == "approve" else "dry_run"
        held = announce.held(chosen, shipment, decision.offer, why)
        return await self._end(chosen, PurchaseState.held, why, selected, held)

    async def _buy(self, purchase: Purchase, shipment: Shipment, decision: Buy, carrier: Carrier) -> Purchase:
        """Take a turn first: what cannot be sent now is not intended, and stays wanted."""
        async with AsyncExitStack() as stack:
            try:
                turn = await stack.enter_async_context(carrier.turn_to_buy())
                chosen = self._chosen(purchase, shipment, decision.offer)
                intended = replace(chosen, state=PurchaseState.intended)
                latest = asyncio.get_running_loop().time() + SEND_WITHIN.total_seconds()
                selected = announce.selected(chosen, shipment, decision, self._policy)
                await self._save(intended, selected, announce.requested(intended, shipment))
            except NoPermit as error:  # there was no turn, or a pause came before the intent
                return await self._not_now(purchase, error)
            self._metrics.purchase_seconds_left.observe(announce.seconds_left(decision.offer, shipment))
            doubt = await self._send(intended, decision.offer, turn, latest)
        return await self._save(doubt)

    def _chosen(self, purchase: Purchase, shipment: Shipment, offer: Offer) -> Purchase:
        """Start an intent. What was held and is decided the same way again is still the same purchase."""
        send_before = self._clock() + SEND_WITHIN
        is_same = purchase.intent is not None and purchase.offer == offer.offer_id
        return replace(
            purchase,
            intent=purchase.intent if is_same else IntentId(str(uuid4())),
            offer=OfferId(offer.offer_id),
            service=offer.service_id,
            deadline=offer.expires_at or purchase.deadline,
            payments=tuple(payment.id for payment in shipment.payments),
            send_before=send_before,
            left_by=send_before + self._call_within,
            reads=0,
            attempts=0,
            reason=None,
        )

    async def _send(self, intended: Purchase, offer: Offer, turn: Turn, latest: float) -> Purchase:
        """Ask once, and give the doubt that follows: whatever comes back, reads decide what it meant."""
        doubt = replace(intended, state=PurchaseState.doubt, due_at=self._clock() + timedelta(seconds=_READS[0]))
        # The one clock may be set back, the other stands still while the machine sleeps.
        began, began_at = asyncio.get_running_loop().time(), self._clock()
        if began >= latest or began_at >= (intended.send_before or doubt.due_at):
            log.warning("purchase.too_late_to_send")
            return replace(doubt, note=notes.called(intended, "too_late"))
        try:
            await turn.buy(intended.shipment, OfferId(offer.offer_id))
            note = notes.called(intended, "accepted")
        except CarrierRefused as error:
            log.warning("purchase.refused", key=error.key, status=error.status)
            doubt, note = replace(doubt, reason=reason(error.key)), notes.called(intended, error)
        except CarrierUnavailable as error:
            log.warning("purchase.in_doubt", reason=error.reason, status=error.status)
            note = notes.called(intended, error)
        took = timedelta(seconds=asyncio.get_running_loop().time() - began)
        ended_at = max(self._clock(), began_at + took)
        due_at = ended_at + timedelta(seconds=_READS[0])
        return replace(doubt, left_by=ended_at, due_at=due_at, note=note)

    async def _adopt(self, purchase: Purchase, shipment: Shipment, bought: Bought) -> Purchase:
        """Take note that somebody else bought it."""
        facts = announce.seen_bought(purchase, shipment)
        if bought.offer is None:
            told = announce.confirmed(purchase, shipment)
            return await self._end(purchase, PurchaseState.succeeded, ADOPTED, facts, told)
        offer = bought.offer
        adopted = replace(
            purchase,
            intent=IntentId(f"adopted-{purchase.organization}-{purchase.shipment}"),
            offer=OfferId(offer.offer_id),
            service=offer.service_id,
        )
        told = announce.succeeded(adopted, shipment, offer, adopted=True)
        return await self._end(adopted, PurchaseState.succeeded, ADOPTED, told, facts)

    # -- settling ----------------------------------------------------------------------------------------------------

    async def _settle_doubt(self, purchase: Purchase, shipment: Shipment, asked_at: datetime) -> Purchase:
        found = evidence(shipment, before=purchase.payments)
        purchase = replace(purchase, note=notes.read(purchase, shipment, found))
        match found:
            case Bought(offer):
                return await self._bought(purchase, shipment, offer)
            case NotPaid(why):
                return await self._fail(purchase, why, shipment.changed_at)
            case Underway():
                doubt = replace(purchase, state=PurchaseState.doubt)
                return await self._again(doubt, _READS, *self._unknown(doubt))
            case Nothing():
                return await self._nothing_yet(purchase, shipment, asked_at)
            case _:
                assert_never(found)

    async def _bought(self, purchase: Purchase, shipment: Shipment, offer: Offer | None) -> Purchase:
        """Take note of what was bought. Another offer than ours was bought by somebody else."""
        seen = announce.seen_bought(purchase, shipment)
        if offer is None or offer.offer_id == purchase.offer:
            told = announce.succeeded(purchase, shipment, offer, adopted=False)
            return await self._end(purchase, PurchaseState.succeeded, None, told, seen)
        theirs = replace(purchase, offer=OfferId(offer.offer_id), service=offer.service_id)
        told = announce.succeeded(theirs, shipment, offer, adopted=True)
        return await self._end(theirs, PurchaseState.succeeded, ADOPTED, told, seen)

    async def _nothing_yet(self, purchase: Purchase, shipment: Shipment, asked_at: datetime) -> Purchase:
        """Read on, until reads enough over a time long enough show that nothing was bought."""
        read = replace(purchase, state=PurchaseState.doubt, reads=purchase.reads + 1)
        settled_at = (purchase.left_by or purchase.due_at) + self._settle
        if read.reads < _ENOUGH_READS or asked_at < settled_at:
            return await self._again(read, _READS)
        return await self._fail(read, purchase.reason or "other", shipment.at)

    async def _fail(self, purchase: Purchase, why: str, at: datetime) -> Purchase:
        return await self._end(purchase, PurchaseState.failed, why, announce.failed(purchase, why, at))

    async def _unreadable(self, purchase: Purchase, error: CarrierRefused) -> Purchase:
        """A shipment that the carrier will not show: not yet, never (a forged or foreign id), or not to this token."""
        log.warning("purchase.read_refused", key=error.key, status=error.status)
        purchase = replace(purchase, note=notes.unread(purchase, error))
        is_over = self._clock() >= purchase.deadline
        if purchase.state is not PurchaseState.wanted:
            return await self._later(purchase, error)
        if error.status in _NOT_TO_THIS_TOKEN:
            log.warning("purchase.account_refused", problem=_ACCOUNT_REFUSED, key=error.key, status=error.status)
            return await (self._give_up(purchase, _PAUSED) if is_over else self._again(purchase, _RETRIES))
        if error.status == _NOT_FOUND:
            quiet = PurchaseState.not_ours  # nobody is told of a forged id
            return await (self._end(purchase, quiet, "not_found") if is_over else self._again(purchase, _RETRIES))
        return await self._later(purchase, error)

    def _is_hopeless(self, purchase: Purchase) -> bool:
        return purchase.state is PurchaseState.wanted and self._clock() >= purchase.deadline + GIVE_UP_AFTER

    async def _give_up(self, purchase: Purchase, why: tuple[str, str, Evidence]) -> Purchase:
        """End what was wanted and could not be decided about, and let consumers hear of it."""
        kept, published, found = why
        told = announce.given_up(purchase, published, found, self._policy, self._clock())
        return await self._end(purchase, PurchaseState.expired, kept, told)

    # -- saving ------------------------------------------------------------------------------------------------------

    async def _later(self, purchase: Purchase, error: CarrierUnavailable | CarrierRefused) -> Purchase:
        """The carrier does not answer: try again later and later, and say so when a purchase hangs on it."""
        purchase = replace(purchase, note=notes.unread(purchase, error))
        if self._is_hopeless(purchase):
            return await self._give_up(purchase, _UNREACHABLE)
        if isinstance(error, NoPermit):
            return await self._not_now(purchase, error)
        wait = getattr(error, "retry_after", None)
        waited = purchase if wait is None else replace(purchase, due_at=self._clock() + timedelta(seconds=wait))
        return await self._again(waited, _RETRIES, *self._unknown(purchase))

    async def _not_now(self, purchase: Purchase, error: NoPermit) -> Purchase:
        """Nobody was asked: come again when there may be a turn. What is paused until its window ends is given up."""
        if error.reason == "paused" and self._clock() >= purchase.deadline:
            return await self._give_up(purchase, _PAUSED)
        due = self._clock() + timedelta(seconds=max(error.retry_after or 0.0, _RETRIES[0]))
        note = notes.not_asked(purchase, error, after=purchase.note)
        return await self._save(replace(purchase, due_at=due, note=note), *self._unknown(purchase))

    def _unknown(self, purchase: Purchase) -> list[announce.Tell]:
        """Say that nobody knows, where a purchase has been in doubt for long; the fact is kept once."""
        if purchase.state is PurchaseState.wanted or purchase.send_before is None:
            return []
        overdue = purchase.send_before + UNKNOWN_AFTER < self._clock()
        return [announce.unknown(purchase, self._clock())] if overdue else []

    async def _again(self, purchase: Purchase, delays: Sequence[float], *tell: announce.Tell) -> Purchase:
        delay = delays[min(purchase.attempts, len(delays) - 1)]
        due = max(self._clock() + timedelta(seconds=delay), purchase.due_at)
        return await self._save(replace(purchase, due_at=due, attempts=purchase.attempts + 1), *tell)

    async def _end(self, purchase: Purchase, state: PurchaseState, why: str | None, *tell: announce.Tell) -> Purchase:
        ended = await self._save(replace(purchase, state=state, reason=why), *tell)
        self._metrics.purchases.labels(state.value, why or "").inc()
        return ended

    async def _save(self, purchase: Purchase, *tell: announce.Tell) -> Purchase:
        now: datetime = self._clock()
        return await self._purchases.step(purchase, lambda known: announce.step(purchase, known, tell), now)
