"""Items of orders and of returns."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns.values import CountryCode, CustomFields, Flag, Loose, Text

Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Item(Loose):
    """What every item has."""

    sku_code: Text
    sku_desc: Text
    quantity: Count
    price: Amount
    cost_price: Amount | None = None
    weight: Amount | None = None
    weight_uom: Literal["K", "L"] | None = None
    length: Amount | None = None
    width: Amount | None = None
    height: Amount | None = None
    dimensions_uom: Literal["cm", "mm", "in"] | None = None
    country_code: CountryCode | None = None
    hs_code: Text = ""
    img_path: Text = ""
    dangerous_goods: Literal["Yes", "No", "yes", "no"] | None = None
    export_date: int | None = None
    export_awb: Text = ""
    export_carrier_name: Text = ""
    tracking: Text = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two items one: they are folded, or must not differ."""
        return (self.sku_code, self.sku_desc, self.export_carrier_name, self.export_awb)


class OrderItem(Item):
    """An item that was sold."""

    non_returnable: Flag = False
    non_returnable_message: Text = ""
    days_for_return: Annotated[int, Field(ge=0)] | None = None
    custom_fields: CustomFields = Field(default_factory=dict)

    @property
    def stays(self) -> bool:
        """Say whether it cannot come back; the days speak louder."""
        return self.days_for_return == 0 if self.days_for_return is not None else self.non_returnable


class Reason(Loose):
    action: Literal["Refund", "Exchange", "Other"] | None = None
    reason: Text = ""
    wish: Text = ""
    additional: Text = ""
    code: Text = ""


class Destination(Loose):
    """Where a return, or one of its items, goes in the end."""

    final_dest_id: Text = ""
    final_dest_name: Text = ""
    final_dest_company_name: Text = ""
    final_dest_country: CountryCode | None = None
    final_dest_state: Text = ""
    final_dest_zip: Text = ""
    final_dest_city: Text = ""
    final_dest_suburb: Text = ""
    final_dest_addr1: Text = ""
    final_dest_addr2: Text = ""
    final_dest_addr3: Text = ""
    final_dest_neighborhood: Text = ""


class ReturnItem(Item, Destination):
    """An item that comes back."""

    verification_entity: Flag = False
    final_disposition: Literal["return", "destroy"] | None = None
    reason: tuple[Reason, ...] = ()
    custom_fields: CustomFields = Field(default_factory=dict)


def item_document(item: Item, unset: str) -> Document:
    """Write what every item has: all of it text, and what is not set as this text."""
    return {
        "sku_code": item.sku_code,
        "sku_desc": item.sku_desc,
        "quantity": str(item.quantity),
        "price": str(item.price),
        "weight": _number(item.weight, unset),
        "weight_uom": item.weight_uom or "",
        "length": _number(item.length, unset),
        "width": _number(item.width, unset),
        "height": _number(item.height, unset),
        "dimensions_uom": item.dimensions_uom or "",
        "hs_code": item.hs_code,
        "country_code": item.country_code or "",
        "img_path": item.img_path,
        "dangerous_goods": item.dangerous_goods or "",
        "export_date": str(item.export_date or ""),
        "export_awb": item.export_awb,
        "export_carrier_name": item.export_carrier_name,
    }


def returned_item_document(item: ReturnItem) -> Document:
    """Write an item of a return, where `additional` is an object."""
    reasons = [
        {
            "action": one.action or "",
            "reason": one.reason,
            "wish": one.wish,
            "additional": {"title": "", "value": one.additional},
        }
        for one in item.reason
    ]
    return {
        **item_document(item, ""),
        "tracking": item.tracking,
        **destination_document(item),
        "verification_entity": int(item.verification_entity),
        "final_disposition": item.final_disposition or "",
        "reason": reasons,
        "custom_fields": dict(item.custom_fields),
    }


def destination_document(place: Destination) -> Document:
    """Write the id, and of the rest what is set."""
    rest = {name: getattr(place, name) for name in Destination.model_fields if getattr(place, name)}
    return {"final_dest_id": "", **rest}


def _number(value: Decimal | None, unset: str) -> str:
    return unset if value is None else str(value)
