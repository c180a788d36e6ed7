"""What follows from a read of a purchase that nobody works on. Pure.

It is read because a webhook, which is unsigned, says that somebody bought the shipment; or because the window has
closed of one that waits for a person. What is seen to be bought is adopted; anything else leaves the purchase as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.purchasing import announce, notes
from bridge.purchasing.deciding import adopted
from bridge.purchasing.evidence import Bought, Nothing, NotPaid, Underway, evidence
from bridge.purchasing.moves import CLOSED_FOR, GIVE_UP_AFTER, Moment, Move
from bridge.purchasing.policy.guard import FOR_SALE
from bridge.purchasing.shipment import Shipment
from bridge.purchasing.terms import Terms
from bridge.purchasing.unread import NO_TOKEN, NOT_LISTED
from bridge.store.purchase import Purchase, PurchaseState

_SOON: Final = timedelta(seconds=5)
_SELDOM: Final = timedelta(seconds=60)
_UNLISTED_FOR: Final = timedelta(minutes=2)
"""For so long it is looked for in lists that do not have it: most likely its id is forged."""
_NOT_FOUND: Final = 404


def looked(purchase: Purchase, shipment: Shipment, terms: Terms, moment: Moment) -> Move:
    """Say what follows from what the carrier shows."""
    found = evidence(shipment, before=())
    noted = replace(purchase, note=notes.read(purchase, shipment, found))
    match found:
        case Bought():
            return adopted(noted, shipment, found)
        case Underway():
            return _again(noted, moment.now + _SELDOM)
        case NotPaid() | Nothing():
            settled_at = _may_show_until(noted, terms, moment.asked_at)
            return _again(noted, settled_at) if settled_at else _unbought(noted, shipment, moment)
        case _:
            assert_never(found)


def unseen(purchase: Purchase, error: CarrierUnavailable | CarrierRefused, terms: Terms, now: datetime) -> Move:
    """Say what follows where the carrier did not show it. One who is away is asked for as long as that takes."""
    if isinstance(error, NoPermit):
        waits = replace(purchase, note=notes.not_asked(purchase, error, after=None))
        return _again(waits, now + max(timedelta(seconds=error.retry_after or 0.0), _SOON))
    noted = replace(purchase, note=notes.unread(purchase, error))
    if error is NO_TOKEN:
        return _over(noted)
    if isinstance(error, CarrierUnavailable) and error is not NOT_LISTED:
        return _again(noted, now + max(timedelta(seconds=error.retry_after or 0.0), _SELDOM))
    if settled_at := _may_show_until(noted, terms, now):
        return _again(noted, settled_at)
    is_unknown = isinstance(error, CarrierRefused) and error.status == _NOT_FOUND
    patience = _UNLISTED_FOR if error is NOT_LISTED else GIVE_UP_AFTER
    return _over(noted) if is_unknown or now >= _since(noted) + patience else _again(noted, now + _SELDOM)


def _may_show_until(purchase: Purchase, terms: Terms, asked_at: datetime) -> datetime | None:
    """Say until when a purchase that a webhook told of may not show in reads yet; None where it would."""
    said_at = purchase.said_at
    if said_at is None or not said_at <= asked_at < said_at + terms.settle:
        return None
    return said_at + terms.settle


def _unbought(purchase: Purchase, shipment: Shipment, moment: Moment) -> Move:
    """Leave it as it is. People hear of it where a window has closed for which they were waited for."""
    if purchase.state is not PurchaseState.held or shipment.status not in FOR_SALE:
        return _over(purchase)
    if not shipment.offers:  # they are being made, or a list left them out
        is_hopeless = moment.now >= _since(purchase) + GIVE_UP_AFTER
        return _over(purchase) if is_hopeless else _again(purchase, moment.now + _SELDOM)
    if any(map(shipment.can_sell, shipment.offers)):
        ends = max(_ends(shipment), default=None)
        return _over(purchase) if ends is None else _again(purchase, max(ends, moment.now) + CLOSED_FOR)
    told = announce.expired(purchase, shipment, held=purchase.reason)
    return Move(replace(purchase, look_at=None), (told,))


def _ends(shipment: Shipment) -> Iterator[datetime]:
    return (one.expires_at for one in shipment.offers if shipment.can_sell(one) and one.expires_at)


def _since(purchase: Purchase) -> datetime:
    """Say since when there was something to see."""
    return purchase.deadline if purchase.said_at is None else purchase.said_at


def _again(purchase: Purchase, at: datetime) -> Move:
    return Move(replace(purchase, look_at=at))


def _over(purchase: Purchase) -> Move:
    return Move(replace(purchase, look_at=None))
