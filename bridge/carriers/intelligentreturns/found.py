"""Their answers about orders, returns and bills become ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from bridge.carriers.intelligentreturns import answers
from bridge.carriers.intelligentreturns.labels import label
from bridge.returns.address import FoundAddress
from bridge.returns.bill import Account, Bill, Entry
from bridge.returns.found import (
    Contact,
    Destination,
    FoundItem,
    FoundOrder,
    FoundReason,
    FoundReturn,
)
from bridge.returns.ticket import Ticket

_NOTHING: Final = FoundAddress()


def ticket(made: answers.ReturnMade) -> Ticket:
    """Give what was made; its label may be there later only."""
    first = made.first_mile_address
    return Ticket(
        tracking_number=made.tracking,
        cancellable_until=made.cancel_available_until,
        secondary_barcode=made.secondary_barcode,
        label=label(made.label),
        sent_to=None if first is None else _first_mile(first),
    )


def a_return(found: answers.Return) -> FoundReturn:
    """Give a return as it is read."""
    return FoundReturn(
        id=found.id,
        reference=found.order_reference or "",
        external_id=found.external_id,
        display_id=found.display_id,
        tracking_number=found.tracking,
        status=found.current_tracking_status,
        created_at=found.date_added,
        status_at=found.tracking_last_update,
        cancellable_until=found.cancel_available_until,
        carrier=found.carrier,
        secondary_barcode=found.barcode_number,
        label=label(found.label),
        needs_verification=found.verification_entity,
        customer=_contact(found, found.name),
        destination=_destination(found),
        items=tuple(map(_item, found.item)),
        custom_fields=found.custom_fields,
    )


def an_order(found: answers.Order) -> FoundOrder:
    """Give an order as it is read."""
    return FoundOrder(
        id=found.id,
        reference=found.order_reference or "",
        ordered_at=found.order_date,
        currency=found.currency_code,
        rma=found.rma,
        export_awb=found.export_awb,
        export_carrier_name=found.export_carrier_name,
        customer=_contact(found, found.contact_name),
        items=tuple(map(_item, found.item)),
        custom_fields=found.custom_fields,
    )


def bill(found: answers.Billed) -> Bill:
    """Give what a return costs."""
    return Bill(
        reference=found.order_reference,
        tracking_number=found.tracking,
        external_id=found.external_id,
        status=found.current_tracking_status,
        created_at=found.date_added,
        customer=_account(found.end_buyer),
        contract=_account(found.contractual_amount),
        invoice=_amounts(found.approximate_invoice_amount),
    )


def _account(found: answers.Account | None) -> Account:
    if found is None:
        return Account()
    entries = tuple(Entry(one.amount, one.currency, one.comment) for one in found.transactions)
    return Account(entries, _amounts(found.total))


def _amounts(found: Mapping[str, Decimal | None]) -> Mapping[str, Decimal]:
    return {currency: amount for currency, amount in found.items() if amount is not None}


def _contact(found: answers.Customer, name: str | None) -> Contact:
    address = FoundAddress(
        country=found.country,
        state=found.state,
        post_code=found.zip,
        city=found.city,
        suburb=found.suburb,
        lines=_lines(found.addr1, found.addr2, found.addr3),
        neighborhood=found.neighborhood,
    )
    return Contact(name, found.company_name, found.phone, found.email, None if address == _NOTHING else address)


def _destination(found: answers.Destined) -> Destination | None:
    """Give where it goes in the end, where that is said."""
    address = FoundAddress(
        country=found.final_dest_country,
        state=found.final_dest_state,
        post_code=found.final_dest_zip,
        city=found.final_dest_city,
        suburb=found.final_dest_suburb,
        lines=_lines(found.final_dest_addr1, found.final_dest_addr2, found.final_dest_addr3),
        neighborhood=found.final_dest_neighborhood,
    )
    whole = Destination(
        found.final_dest_id,
        found.final_dest_name,
        found.final_dest_company_name,
        None if address == _NOTHING else address,
    )
    return None if whole == Destination() else whole


def _first_mile(found: answers.FirstMile) -> FoundAddress:
    return FoundAddress(
        country=found.country,
        state=found.state,
        post_code=found.zip,
        city=found.city,
        lines=_lines(found.addr1, found.addr2, *found.additional_address),
    )


def _lines(*lines: str | None) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


def _item(found: answers.Item) -> FoundItem:
    return FoundItem(
        sku=found.sku_code or "",
        name=found.sku_desc or "",
        quantity=found.quantity or 0,
        price=found.price,
        cost_price=found.cost_price,
        weight=found.weight,
        weight_uom=found.weight_uom,
        length=found.length,
        width=found.width,
        height=found.height,
        dimensions_uom=found.dimensions_uom,
        hs_code=found.hs_code,
        country_of_origin=found.country_code,
        img_path=found.img_path,
        is_dangerous=found.dangerous_goods,
        exported_at=found.export_date,
        export_awb=found.export_awb,
        export_carrier_name=found.export_carrier_name,
        tracking_number=found.tracking,
        needs_verification=found.verification_entity,
        final_disposition=found.final_disposition,
        destination=_destination(found),
        reasons=_reasons(found.reason),
        custom_fields=found.custom_fields,
    )


def _reasons(found: Iterable[answers.Reason]) -> tuple[FoundReason, ...]:
    """Give the reasons that say something; in XML there is an empty one where there is none."""
    read = (_reason(one) for one in found)
    return tuple(one for one in read if one != FoundReason())


def _reason(found: answers.Reason) -> FoundReason:
    more = found.additional or answers.Additional()
    return FoundReason(found.action, found.reason, found.wish, more.title, more.value, found.code)
