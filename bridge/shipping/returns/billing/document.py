"""What a return costs, as programs read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from bridge.events.catalogue import Money
from bridge.returns.bill import Account, Bill
from bridge.shipping.returns.figures import money

_OneSum = Field(description="One and the same sum in each currency: never add them up")


class ShownTransaction(TypedDict):
    """One amount, which may be negative, or null: unknown. `comment` is null where the token may not see people."""

    price: Money | None
    comment: str | None


class ShownAccount(TypedDict):
    """Transactions, and their sum."""

    transactions: Sequence[ShownTransaction]
    totals: Annotated[Sequence[Money], _OneSum]


class ShownBill(TypedDict):
    """What a return costs: its customer, and by the contract; `invoice` is about what will be invoiced."""

    return_id: str
    provider: str
    tracking_number: str | None
    customer: ShownAccount
    contract: ShownAccount
    invoice: Annotated[Sequence[Money], _OneSum]


def document(return_id: str, provider: str, bill: Bill, *, with_comments: bool) -> ShownBill:
    """Describe it."""
    return {
        "return_id": return_id,
        "provider": provider,
        "tracking_number": bill.tracking_number,
        "customer": _account(bill.customer, with_comments=with_comments),
        "contract": _account(bill.contract, with_comments=with_comments),
        "invoice": _sums(bill.invoice),
    }


def _account(account: Account, *, with_comments: bool) -> ShownAccount:
    return {
        "transactions": [
            {"price": money(one.amount, one.currency), "comment": one.comment if with_comments else None}
            for one in account.entries
        ],
        "totals": _sums(account.total),
    }


def _sums(amounts: Mapping[str, Decimal]) -> Sequence[Money]:
    written = (money(amount, currency) for currency, amount in sorted(amounts.items()))
    return [one for one in written if one is not None]


class Refunded(TypedDict):
    """That the provider knows that a customer was paid back."""

    return_id: str
    provider: str
    refunded_at: datetime


def refunded(return_id: str, provider: str, at: datetime) -> dict[str, object]:
    """Describe that it was told."""
    told: Refunded = {"return_id": return_id, "provider": provider, "refunded_at": at}
    return {**told}
