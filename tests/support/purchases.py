"""Purchases taken in hand as a planner would, and handled one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bridge.lifecycle import Clock
from bridge.purchasing.hand import Account, Hand
from bridge.purchasing.planner import Hands, Means, plan
from bridge.store.outlook import Outlook, Take
from bridge.store.purchase import Purchase
from bridge.store.purchases import SqlPurchases
from tests.support.metrics import METRICS

HANDS: Final = 8
"""How many purchases are taken at once of an organization, each by itself."""
_MEANS: Final = Means(per_second=100, at_once=HANDS, call_s=0.1)


async def taken(purchases: SqlPurchases, now: datetime, *takes: Take) -> list[Purchase]:
    """Take what is due as a plan would, and give it in that order."""
    claimed = await purchases.claim(lambda _outlook: takes, now)
    return [one for batch in claimed.batches for one in batch.purchases]


async def work(purchases: SqlPurchases, account: Account, clock: Clock) -> list[Purchase]:
    """Do the next thing for what is due, one shipment after the other; give it as it was taken."""
    claimed = await purchases.claim(_singly, clock())
    for batch in claimed.batches:
        await hand(purchases, account, clock).handle(batch)
    return [one for batch in claimed.batches for one in batch.purchases]


def hand(purchases: SqlPurchases, account: Account, clock: Clock) -> Hand:
    """Make a hand that counts nothing."""
    return Hand(purchases, account, METRICS, clock, lambda _seconds: None)


def _singly(outlook: Outlook) -> Sequence[Take]:
    return plan(outlook, _MEANS, Hands(HANDS))
