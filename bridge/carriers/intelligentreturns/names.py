"""Whose names are whose: a field of the provider's in the contract's words, where it has one, or as an option.

`ORDER123` is `order_reference` there and `reference` here; `display_id` has no name here, so it is an option.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from bridge.errors import FieldProblem
from bridge.returns.draft import ReturnDraft
from bridge.returns.order import OrderDraft, OrderItems

_COMMON: Final = {
    "order_reference": "reference",
    "item": "items",
    "item.#": "items.#",
    "item.#.sku_code": "items.#.sku",
    "item.#.sku_desc": "items.#.name",
    "item.#.quantity": "items.#.quantity",
    "item.#.price": "items.#.price",
    "item.#.weight": "items.#.weight_kg",
    "item.#.weight_uom": "items.#.weight_kg",
    "item.#.hs_code": "items.#.hs_code",
    "item.#.country_code": "items.#.country_of_origin",
    "item.#.reason": "items.#.reasons",
    "item.#.reason.#": "items.#.reasons.#",
    "item.#.reason.#.action": "items.#.reasons.#.action",
    "item.#.reason.#.reason": "items.#.reasons.#.reason",
    "item.#.reason.#.additional": "items.#.reasons.#.comment",
}
_ADDRESS: Final = {
    "country": "address.country_code",
    "state": "address.state",
    "zip": "address.post_code",
    "city": "address.city",
    "addr1": "address.street",
}
_RETURN: Final = {
    **_COMMON,
    "name": "sender.first_name",
    "company_name": "sender.company_name",
    "phone": "sender.phone",
    "email": "sender.email",
    **{name: f"sender.{path}" for name, path in _ADDRESS.items()},
    "final_dest_name": "receiver.first_name",
    "final_dest_company_name": "receiver.company_name",
    **{f"final_dest_{name}": f"receiver.{path}" for name, path in _ADDRESS.items()},
    "currency_code": "items.0.price.currency",
    "service_id": "service_id",
    "drop_off_point_id": "drop_off_point_id",
    "collection_date": "collection",
    "collection_date.date": "collection.date",
    "collection_date.time_from": "collection.time_from",
    "collection_date.time_to": "collection.time_to",
    **{f"collection_address.{name}": f"collection.{path}" for name, path in _ADDRESS.items()},
}
_ORDER: Final = {
    **_COMMON,
    "order_date": "ordered_at",
    "currency_code": "currency",
    "overwrite_data": "overwrite",
    "contact_name": "customer.first_name",
    "company_name": "customer.company_name",
    "phone": "customer.phone",
    "email": "customer.email",
    **{name: f"customer.{path}" for name, path in _ADDRESS.items()},
}
_PLACE: Final = {
    "country": "country_code",
    "zip": "post_code",
    "addr1": "street",
    "lat": "latitude",
    "lng": "longitude",
    "radius": "radius_km",
    "max_num": "limit",
    "services": "service_id",
    "address": "country_code",
}
_CONTAINERS: Final = frozenset({"item", "item.#", "item.#.reason", "item.#.reason.#", "collection_date"})
_NUMBER: Final = re.compile(r"(?<=\.)\d{1,9}(?=\.|$)")


def ours(problem: FieldProblem, draft: ReturnDraft | OrderDraft | OrderItems) -> FieldProblem:
    """Say of which field of the contract it is, or of which option."""
    return replace(problem, field=_path(problem.field, _RETURN if isinstance(draft, ReturnDraft) else _ORDER))


def of_return(field: str) -> str:
    """Say a field of a return in the contract's words."""
    return _path(field, _RETURN)


def of_order(field: str) -> str:
    """Say a field of an order in the contract's words."""
    return _path(field, _ORDER)


def of_place(field: str) -> str:
    """Say a field of a place where services or points are looked for: `address.country` is `country_code`."""
    name = field.removeprefix("address.").removeprefix("coordinates.").split(".")[0]
    return _PLACE.get(name, name)


def owned(draft: ReturnDraft | OrderDraft | OrderItems) -> Iterator[str]:
    """Find the options that the contract has a name for, and which may therefore not be given as options."""
    table = _RETURN if isinstance(draft, ReturnDraft) else _ORDER
    for field in _paths(draft.provider_options, ""):
        general = _NUMBER.sub("#", field)
        if general == "external_id" or (general in table and general not in _CONTAINERS):
            yield field


def _path(field: str, table: Mapping[str, str]) -> str:
    name = table.get(_NUMBER.sub("#", field))
    if name is None:
        return f"provider_options.{field}"
    numbers = iter(_NUMBER.findall(field))
    return re.sub("#", lambda _: next(numbers), name)


def _paths(value: object, path: str) -> Iterator[str]:
    """Give every field that is named, down to two lists deep."""
    named = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in named:
        field = f"{path}.{name}" if path else str(name)
        yield field
        if field.count(".") < 6:
            yield from _paths(inner, field)
