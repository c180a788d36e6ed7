"""What is done about an order at the provider, and what shows afterwards whether it was done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bridge.commands.refusing import nothing_sent
from bridge.errors import CarrierRefused
from bridge.model import Outcome
from bridge.ports.return_platform import ReturnPlatform
from bridge.returns.order import OrderDraft, OrderItems
from bridge.returns.refusals import ACCOUNT_WIDE, TEMPORARY
from bridge.shipping import refusals
from bridge.shipping.once import Errand
from bridge.shipping.refusals import Refusal
from bridge.shipping.returns.orders.likeness import are_added, is_told
from bridge.web.kinds import ALREADY_THERE, NOT_CHANGEABLE, NOT_FOUND, Kind
from bridge.web.problems import FieldError

Came = str | Refusal
"""The provider's id of the order, or what it surely said no with although that answer was lost."""
_OTHER: Final = "other"
"""Under which it is noted that another order was seen there."""
ORDER: Final = "order"
"""Under which the provider's id of an order is noted that is to be deleted."""
MISSING: Final = Refusal(NOT_FOUND.name, "the provider has no order of this reference")
_EXISTS: Final = Refusal(
    ALREADY_THERE.name,
    "there is an order of this reference already; `overwrite` would replace it",
    [FieldError("reference", "not_unique", "is that of another order")],
)
_HAS_ITEMS: Final = Refusal(
    ALREADY_THERE.name,
    "the order has some of these articles already, so none of them was added",
    [FieldError("items", "not_unique", "are partly there already")],
)
_MEANINGS: Final[Mapping[str, Refusal]] = {
    "order_nx": MISSING,
    "order_exists": _EXISTS,
    "cannot_add_order_items": _HAS_ITEMS,
    "cannot_update_order": Refusal(NOT_CHANGEABLE.name, "articles that it would lose came back already"),
    "cannot_delete_order": Refusal(NOT_CHANGEABLE.name, "something of it came back already, so it stays"),
}
KINDS: Final[tuple[Kind, ...]] = (ALREADY_THERE, NOT_CHANGEABLE, NOT_FOUND)
"""What these are."""


def telling(platform: ReturnPlatform, draft: OrderDraft, noted: Mapping[str, object]) -> Errand[Came]:
    """Tell of an order. One that is there, and is another, is never overwritten a second time: it may be newer."""
    kept = {_OTHER: noted.get(_OTHER) is True}

    async def send() -> Came:
        return await platform.create_order(draft)

    async def look(_since: datetime) -> Came | None:
        found = await platform.find_order(draft.reference)
        if found is None:
            return None
        if is_told(draft, found):
            return found.id
        kept[_OTHER] = True
        return None if draft.overwrite else _EXISTS

    return Errand("return_order.create", send, look, may_repeat=lambda: not kept[_OTHER], noted=kept)


def adding(platform: ReturnPlatform, draft: OrderItems) -> Errand[Came]:
    """Tell of more articles: the provider takes all of them, or none."""

    async def send() -> Came:
        return await platform.add_items(draft)

    async def look(_since: datetime) -> Came | None:
        found = await platform.find_order(draft.reference)
        if found is None:
            return MISSING
        match are_added(draft, found):
            case True:
                return found.id
            case False:
                return _HAS_ITEMS
        return None

    return Errand("return_order.add_items", send, look)


def deleting(platform: ReturnPlatform, reference: str, id_: str) -> Errand[Came]:
    """Delete an order; `id_` is the provider's, for there may be another one of the reference when it is gone."""

    async def send() -> Came:
        await platform.delete_order(reference)
        return id_

    async def look(_since: datetime) -> Came | None:
        found = await platform.find_order(reference)
        return id_ if found is None or found.id != id_ else None

    return Errand("return_order.delete", send, look, noted={ORDER: id_})


def refused(refusal: CarrierRefused) -> Outcome:
    """End a command with the provider's no."""
    if refusal.key in ACCOUNT_WIDE | TEMPORARY:
        return nothing_sent(f"the provider takes nothing just now ({refusal.key}), so nothing was done")
    return _MEANINGS.get(refusal.key, refusals.theirs(refusal, [0])[0]).outcome
