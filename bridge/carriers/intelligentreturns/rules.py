"""What one field means for another, as the provider's page has it: functions of what is to be sent.

Fields have the provider's names here, paths as `item.0.hs_code`; `drafts` says them in the contract's. What only the
provider knows (whether a service is for home collection, which articles an order has) is left to its own refusal.

https://returns.returnsplatform.com/api (input data of returns/create, request_for_prices, orders/create; read 2026-10)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, assert_never

from bridge.carriers.intelligentreturns import services, words
from bridge.carriers.intelligentreturns.questions import Billed, Cancellation, PointSearch, Where
from bridge.carriers.intelligentreturns.wire import Booking, CollectionAddress, Inquiry, MoreItems, Order, OrderItem
from bridge.errors import FieldProblem

Checked = Booking | Inquiry | Order | MoreItems | Where | PointSearch | Billed | Cancellation

_STATE_CODE: Final = re.compile(r"[A-Z]{2,3}")


def broken(asked: Checked) -> Sequence[FieldProblem]:
    """Say which rules are not kept."""
    match asked:
        case Booking():
            return [*_address(asked), *_collection(asked), *_service(asked), *_customs(asked)]
        case Inquiry():
            return [*_place(asked), *_collection(asked), *_items_for_price(asked)]
        case Order():
            return [*_state_code(asked), *_neighborhood(asked), *_missing("item", asked.item), *_folded(asked.item)]
        case MoreItems():
            return [*_missing("item", asked.item), *_folded(asked.item)]
        case Where():
            return list(_whereabouts(asked))
        case PointSearch():
            return list(_near(asked))
        case Billed():
            return list(_missing("order_reference", asked.external_id or asked.tracking or asked.order_reference))
        case Cancellation():
            return list(_missing("external_id", asked.external_id or asked.tracking))
        case _:
            assert_never(asked)


# -- addresses ---------------------------------------------------------------------------------------------------------


def _address(asked: Booking | Inquiry) -> Iterator[FieldProblem]:
    """Check where the customer is: states and codes are not needed everywhere, and Australia has suburbs."""
    yield from _missing("country", asked.country)
    if asked.country is None:
        return
    if asked.country not in words.WITHOUT_STATE:
        yield from _missing("state", asked.state)
    if asked.country not in words.WITHOUT_ZIP:
        yield from _missing("zip", asked.zip)
    yield from _town(asked.country, asked.city, asked.suburb)
    yield from _missing("addr1", asked.addr1)
    yield from _state_code(asked)
    yield from _neighborhood(asked)


def _place(asked: Inquiry) -> Iterator[FieldProblem]:
    """Check the address, or the coordinates that stand in its place; an address wins over them."""
    yield from _coordinates(asked) if _is_on_map(asked) else _address(asked)


def _is_on_map(asked: Inquiry | Where) -> bool:
    return asked.country is None and not (asked.lat is None and asked.lng is None)


def _coordinates(asked: Inquiry | Where) -> Iterator[FieldProblem]:
    yield from _missing("lat", asked.lat)
    yield from _missing("lng", asked.lng)


def _collection(asked: Booking | Inquiry) -> Iterator[FieldProblem]:
    """Check where and when a courier comes. The list of countries without codes is not there for this address."""
    where = asked.collection_address
    if where is not None and asked.country is not None:
        found = _collection_address(where, asked.country)
        yield from (FieldProblem(f"collection_address.{one.field}", one.code) for one in found)
    when = asked.collection_date if isinstance(asked, Booking) else None
    if when is None:
        return
    yield from _missing("collection_date.date", when.date)
    if when.time_from is not None and when.time_to is not None and when.time_from >= when.time_to:
        yield FieldProblem("collection_date.time_to", "invalid")


def _collection_address(where: CollectionAddress, country: str) -> Iterator[FieldProblem]:
    if country not in words.WITHOUT_STATE:
        yield from _missing("state", where.state)
    yield from _missing("zip", where.zip)
    yield from _town(country, where.city, where.suburb)
    yield from _missing("addr1", where.addr1)


def _town(country: str, city: str | None, suburb: str | None) -> Iterator[FieldProblem]:
    if country == words.BY_SUBURB:
        yield from _missing("suburb", suburb)
    else:
        yield from _missing("city", city)


def _state_code(asked: Booking | Inquiry | Order) -> Iterator[FieldProblem]:
    is_code = not asked.state or _STATE_CODE.fullmatch(asked.state) is not None
    if asked.country in words.STATE_CODES and not is_code:
        yield FieldProblem("state", "invalid_format")


def _neighborhood(asked: Booking | Inquiry | Order) -> Iterator[FieldProblem]:
    if asked.neighborhood and asked.country != words.WITH_NEIGHBORHOOD:
        yield FieldProblem("neighborhood", "unexpected")
    if isinstance(asked, Order) or asked.final_dest_id is not None:
        return
    if asked.final_dest_neighborhood and asked.final_dest_country != words.WITH_NEIGHBORHOOD:
        yield FieldProblem("final_dest_neighborhood", "unexpected")


# -- services ----------------------------------------------------------------------------------------------------------


def _service(asked: Booking) -> Iterator[FieldProblem]:
    if asked.service_id is None:
        yield from _named_service(asked)
        return
    if asked.service_id in words.NEED_DROP_OFF_POINT:
        yield from _missing("drop_off_point_id", asked.drop_off_point_id)
    if asked.special_instruction and asked.service_id not in words.TAKE_INSTRUCTION:
        yield FieldProblem("special_instruction", "unexpected")
    known = services.table().get(asked.service_id)
    if known is not None:
        yield from _label(asked, known.label_formats)
        yield from _display_id(asked, known.carrier)


def _named_service(asked: Booking) -> Iterator[FieldProblem]:
    """Check the deprecated way of naming a service."""
    if not asked.carrier:
        yield FieldProblem("service_id", "missing")
        return
    wanted = words.NAMED_SERVICES.get(asked.carrier.lower())
    if wanted is not None:
        yield from _missing("service", asked.service)
        if asked.service and asked.service.lower() not in wanted:
            yield FieldProblem("service", "invalid")
    yield from _label(asked, words.LABEL_FORMATS.get(asked.carrier, ()))
    yield from _display_id(asked, asked.carrier)


def _label(asked: Booking, formats: Sequence[str]) -> Iterator[FieldProblem]:
    if asked.label_format is not None and asked.label_format not in formats:
        yield FieldProblem("label_format", "invalid" if formats else "unexpected")


def _display_id(asked: Booking, carrier: str) -> Iterator[FieldProblem]:
    if len(asked.display_id or "") > words.longest_display_id(carrier):
        yield FieldProblem("display_id", "too_long")


# -- articles ----------------------------------------------------------------------------------------------------------


def _customs(asked: Booking) -> Iterator[FieldProblem]:
    """Check that articles are named where they surely cross a border; where it goes by default, the provider knows."""
    here, there = asked.country, asked.final_dest_country
    if here is None or there is None or asked.final_dest_id is not None or asked.item:
        return
    if here != there and not any({here, there} <= union for union in words.CUSTOMS_UNIONS):
        yield FieldProblem("item", "missing")


def _items_for_price(asked: Inquiry) -> Iterator[FieldProblem]:
    yield from _missing("item", asked.item)


def _folded(items: Iterable[OrderItem]) -> Iterator[FieldProblem]:
    """Check that articles which are one to the provider are the same in all they say."""
    first: dict[tuple[str | None, ...], OrderItem] = {}
    for place, one in enumerate(items):
        same = first.setdefault((one.sku_code, one.sku_desc, one.export_carrier_name, one.export_awb), one)
        if same != one:
            yield FieldProblem(f"item.{place}", "not_unique")


# -- questions ---------------------------------------------------------------------------------------------------------


def _whereabouts(asked: Where) -> Iterator[FieldProblem]:
    yield from _coordinates(asked) if _is_on_map(asked) else _missing("country", asked.country)


def _near(asked: PointSearch) -> Iterator[FieldProblem]:
    if asked.address is None:
        yield from _missing("address", asked.coordinates)
    elif asked.address.country == words.POINT_NEEDS_STATE:
        yield from _missing("address.state", asked.address.state)


def _missing(field: str, value: object) -> Iterator[FieldProblem]:
    """Say that a field is needed; nothing, and nothing but an empty text or list, is missing."""
    if value is None or value == "" or value == ():
        yield FieldProblem(field, "missing")
