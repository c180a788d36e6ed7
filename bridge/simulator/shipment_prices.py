"""What shipments would cost, without making them.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153505
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bridge.simulator.documents import Document
from bridge.simulator.errors import validation_failed
from bridge.simulator.intake import Intake, Order
from bridge.simulator.many import Named, all_checked, refuse_twins
from bridge.simulator.organizations import Organization
from bridge.simulator.rules import checked, under

FEES = ("fuel_charge_amount", "notification_charge_amount", "cod_charge_amount", "insurance_charge_amount")
"""What the price may be made of besides; nothing is published of how much, so that they are nothing here."""


def _named_if_alone(value: object) -> object:
    """Let a single shipment go without an id, which the page wants for several only."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        only: dict[str, Any] = value[0]
        return [{"id": "1", **only}]
    return value


class Question(BaseModel):
    """The body of the call; how many it may ask about is not documented."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    shipments: Annotated[list[Named], BeforeValidator(_named_if_alone), Field(min_length=1)]


def shipment_prices(organization: Organization, body: object, intake: Intake) -> list[Document]:
    """Answer a price for each, in their order. A postpaid organization is not told."""
    items = checked(Question, body).shipments
    refuse_twins(items)
    if nameless := [item.id for item in items if not item.attributes.get("service")]:
        raise validation_failed(under({name: {"service": ["required"]} for name in nameless}))
    orders = all_checked({item.id: item.attributes for item in items}, organization, intake)
    return [_price(name, order) for name, order in orders.items()]


def _price(name: str, order: Order) -> Document:
    terms = order.organization.terms_of(order.draft.service or "")
    rate = terms.rate if terms and order.organization.prepaid else None
    amount = None if rate is None else f"{rate:.2f}"
    return {
        "id": name,
        "calculated_charge_amount": amount,
        **dict.fromkeys(FEES, None if rate is None else "0.00"),
        "calculated_charge_amount_non_commission": amount,
    }
