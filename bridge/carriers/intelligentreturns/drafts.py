"""A return or an order in the contract's words becomes one in the provider's, or a list of what is wrong with it.

What only this provider knows stands in `provider_options`, in its own names, laid over what the contract has names for:
articles by their place, the address of a collection field by field. An option for what has a name there is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Final, TypeVar, assert_never

from bridge.carriers.intelligentreturns import names
from bridge.carriers.intelligentreturns.checking import checked
from bridge.carriers.intelligentreturns.wire import Booking, Inquiry, MoreItems, Order
from bridge.errors import FieldProblem
from bridge.returns.draft import Address, Collection, Item, Party, Reason, ReturnDraft
from bridge.returns.order import OrderDraft, OrderItems

Draft = ReturnDraft | OrderDraft | OrderItems
Made = TypeVar("Made", Booking, Inquiry, MoreItems, Order)
Named = dict[str, object]

_ACTIONS: Final = {"refund": "Refund", "exchange": "Exchange", "other": "Other"}


def problems(draft: Draft) -> list[FieldProblem]:
    """Say what is wrong with what is to be made, in the contract's names."""
    match draft:
        case ReturnDraft():
            return _problems(Booking, _return(draft), draft)
        case OrderDraft():
            return _problems(Order, _order(draft), draft)
        case OrderItems():
            return _problems(MoreItems, _more(draft), draft)
        case _:
            assert_never(draft)


def quote_problems(draft: ReturnDraft) -> list[FieldProblem]:
    """Say what is wrong with a return whose price is asked for."""
    return _problems(Inquiry, _asked(draft), draft)


def booking(draft: ReturnDraft, external_id: str) -> Booking:
    """Write a return that has no problems. `external_id` is ours, and what it is found by after a lost answer."""
    return _made(Booking, _return(draft) | {"external_id": external_id})


def inquiry(draft: ReturnDraft) -> Inquiry:
    """Write a question for prices that has no problems."""
    return _made(Inquiry, _asked(draft))


def order(draft: OrderDraft) -> Order:
    """Write an order that has no problems."""
    return _made(Order, _order(draft))


def more_items(draft: OrderItems) -> MoreItems:
    """Write more articles that have no problems."""
    return _made(MoreItems, _more(draft))


def street_line(address: Address) -> str | None:
    """Write the number behind the street: not every carrier prints a field of its own for it."""
    return " ".join(part for part in (address.street, address.building_number) if part) or None


def _made(kind: type[Made], named: Named) -> Made:
    made, found = checked(kind, named)
    if made is None:
        raise ValueError(f"not checked before: {[one.field for one in found]}")
    return made


def _problems(kind: type[object], named: Named, draft: Draft) -> list[FieldProblem]:
    options = [FieldProblem(f"provider_options.{one}", "unexpected") for one in names.owned(draft)]
    _, found = checked(kind, named)
    told = (names.ours(one, draft) for one in found)
    return list(dict.fromkeys([*_homeless(draft), *options, *_currencies(draft), *told]))


# -- what has no place -------------------------------------------------------------------------------------------------


def _homeless(draft: Draft) -> Iterable[FieldProblem]:
    """Name what this provider has no field for: to leave it out in silence would be to promise it."""
    if not isinstance(draft, ReturnDraft):
        return
    receiver, collection = draft.receiver or Party(), draft.collection or Collection()
    here, there = ((one or Address()).country_code for one in (draft.sender.address, collection.address))
    for field, value in {
        "parcel_size": draft.parcel_size,
        "expires_at": draft.expires_at,
        "description": draft.description,
        "receiver.phone": receiver.phone,
        "receiver.email": receiver.email,
        "collection.address.country_code": there if there != here else None,
    }.items():
        if value is not None:
            yield FieldProblem(field, "unexpected")


def _currencies(draft: Draft) -> Iterable[FieldProblem]:
    """Find prices in another currency than the first one: a return and an order have one for all."""
    currency = _currency(draft)
    for place, one in enumerate(draft.items):
        if one.price is not None and one.price.currency != currency:
            yield FieldProblem(f"items.{place}.price.currency", "invalid")


def _currency(draft: Draft) -> str | None:
    if isinstance(draft, OrderDraft):
        return draft.currency
    return next((one.price.currency for one in draft.items if one.price is not None), None)


# -- in their names ----------------------------------------------------------------------------------------------------


def _return(draft: ReturnDraft) -> Named:
    when = draft.collection
    return _laid_over(
        {
            **_parcel(draft),
            "service_id": draft.service_id,
            "drop_off_point_id": draft.drop_off_point_id,
            "collection_date": None if when is None else _moments(when),
        },
        draft.provider_options,
    )


def _asked(draft: ReturnDraft) -> Named:
    """Write what decides a price; a question may come before anybody has chosen a service, or has an order."""
    parcel = {**_parcel(draft, with_reasons=False), "order_reference": draft.reference or None}
    return _laid_over(parcel, draft.provider_options)


def _order(draft: OrderDraft) -> Named:
    customer = draft.customer
    return _laid_over(
        {
            "order_reference": draft.reference,
            "order_date": draft.ordered_at,
            "currency_code": draft.currency,
            "overwrite_data": draft.overwrite or None,
            "contact_name": customer.name or None,
            "company_name": customer.company_name,
            "phone": customer.phone,
            "email": customer.email,
            **_address(customer.address),
            "item": [_item(one) for one in draft.items],
        },
        draft.provider_options,
    )


def _more(draft: OrderItems) -> Named:
    items = [_item(one) for one in draft.items]
    return _laid_over({"order_reference": draft.reference, "item": items}, draft.provider_options)


def _parcel(draft: ReturnDraft, *, with_reasons: bool = True) -> Named:
    sender, receiver = draft.sender, draft.receiver
    where = None if draft.collection is None else draft.collection.address
    return {
        "order_reference": draft.reference,
        "currency_code": _currency(draft),
        "name": sender.name or None,
        "company_name": sender.company_name,
        "phone": sender.phone,
        "email": sender.email,
        **_address(sender.address),
        **_destination(receiver or Party()),
        "collection_address": None if where is None else _collected(where),
        "item": [_item(one, with_reasons=with_reasons) for one in draft.items] or None,
    }


def _address(address: Address | None) -> Named:
    if address is None:
        return {}
    return {
        "country": address.country_code,
        "state": address.state,
        "zip": address.post_code,
        "city": address.city,
        "addr1": street_line(address),
    }


def _destination(receiver: Party) -> Named:
    named = {"name": receiver.name or None, "company_name": receiver.company_name, **_address(receiver.address)}
    return {f"final_dest_{name}": value for name, value in named.items()}


def _collected(address: Address) -> Named:
    return {name: value for name, value in _address(address).items() if name != "country"}


def _moments(when: Collection) -> Named | None:
    found: Named = {"date": when.date, "time_from": when.time_from, "time_to": when.time_to}
    return found if any(found.values()) else None


def _item(item: Item, *, with_reasons: bool = False) -> Named:
    reasons = [_reason(one) for one in item.reasons] if with_reasons else []
    return {
        "sku_code": item.sku,
        "sku_desc": item.name,
        "quantity": item.quantity,
        "price": None if item.price is None else item.price.amount,
        "weight": item.weight_kg,
        "weight_uom": None if item.weight_kg is None else "K",
        "hs_code": item.hs_code,
        "country_code": item.country_of_origin,
        "reason": reasons or None,
    }


def _reason(reason: Reason) -> Named:
    action = None if reason.action is None else _ACTIONS.get(reason.action, reason.action)
    return {"action": action, "reason": reason.reason, "additional": reason.comment}


# -- options -----------------------------------------------------------------------------------------------------------


def _laid_over(named: Mapping[str, object], options: Mapping[str, object]) -> Named:
    """Lay options over what has a name, which they never change, and leave out what was not said."""
    merged = {name: value for name, value in options.items() if name not in named}
    for name, value in named.items():
        merged[name] = _merged(value, options.get(name))
    return {name: _said(value) for name, value in merged.items() if value is not None}


def _merged(value: object, option: object) -> object:
    """Join two of one field, part by part; what has no counterpart stands for itself, and is judged as it is."""
    match value, option:
        case _, None:
            return value
        case Mapping(), Mapping():
            return _laid_over(value, option)
        case list(), list():
            return [one if other is None else _merged(one, other) for one, other in zip_longest(value, option)]
        case (None | Mapping() | list(), _):
            return option
    return value


def _said(value: object) -> object:
    """Leave out what was not said, however deep."""
    match value:
        case Mapping():
            return {name: _said(one) for name, one in value.items() if one is not None}
        case list() | tuple():
            return [_said(one) for one in value]
    return value
