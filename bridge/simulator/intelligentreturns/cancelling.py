"""The methods `returns/cancel` and `returns/billing`: both find returns by what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns.desk import Desk
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.returns import SCANS, Return
from bridge.simulator.intelligentreturns.terms import AccountTerms
from bridge.simulator.intelligentreturns.values import Codes, Loose, Text, part, read, unix

RATES: Final = {"EUR": Decimal(1), "GBP": Decimal("0.85")}
"""What totals are converted to, and at which rate; invented."""
REQUESTED: Final = "Return cancel requested"


class Names(Loose):
    """What a return is called; all that is given must match."""

    external_id: Text = ""
    tracking: Text = ""
    order_reference: Text = ""


class Cancelling:
    """Cancels are asked for, and come true later."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def cancel(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        names = _names(tree)
        if not names.external_id and not names.tracking:
            raise Failed("external_id_or_tracking_required")
        record = _found(self._desk, account, names.model_copy(update={"order_reference": ""}))[0]
        now = self._desk.world.now()
        if now > record.cancel_until:
            raise Failed("cancellation_time_expired")
        if record.draft.tracking or record.seen != {"10"}:
            raise Failed("can_not_cancel_return")
        record.scan("300", now, now)
        self._desk.did("return_cancel_requested", account, record.tracking, record.external_id or None)
        if self._desk.terms.cancels == "granted":
            self._desk.world.schedule.after(self._desk.terms.cancels_after, partial(self._cancelled, record))
        result = {"message": REQUESTED, "tracking": record.tracking, "external_id": record.external_id}
        return {"result": {**result, "status": REQUESTED}}

    def billing(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        names = _names(tree)
        if names == Names():
            raise Failed("parameter_required")
        return {"returns": [self._bill(account, one) for one in _found(self._desk, account, names)]}

    def _cancelled(self, record: Return) -> None:
        now = self._desk.world.now()
        record.scan("310", now, now)

    def _bill(self, account: AccountTerms, record: Return) -> Document:
        """Write what a return costs: billed at its first scan; the customer pays half of it unless it is free."""
        order = self._desk.orders_of(account).get(record.draft.order_reference)
        free = order is not None and order.draft is not None and order.draft.free_return
        price = record.service.price
        billed = [("billed at scan 20", price)] if "20" in record.seen else []
        paid = [] if free else [("paid by the customer", price / 2)]
        owed = sum((amount for _, amount in billed), Decimal()) - sum((amount for _, amount in paid), Decimal())
        return {
            "order_reference": record.draft.order_reference,
            "tracking": record.tracking,
            "external_id": record.external_id,
            "current_tracking_status": record.last(SCANS),
            "date_added": unix(record.booked_at),
            "end_buyer": _account_of(paid),
            "contractual_amount": _account_of(billed),
            "approximate_invoice_amount": _converted(owed),
        }


def _names(tree: Mapping[str, object]) -> Names:
    return read(Names, part(tree, "return"), Codes("request_wrong", "request_wrong"))


def _found(desk: Desk, account: AccountTerms, names: Names) -> list[Return]:
    found = [
        one
        for one in desk.returns_of(account)
        if names.external_id in ("", one.external_id)
        and names.tracking in ("", one.tracking)
        and names.order_reference in ("", one.draft.order_reference)
    ]
    if not found:
        raise Failed("return_nx")
    return found


def _account_of(rows: Sequence[tuple[str, Decimal]]) -> Document:
    total = sum((amount for _, amount in rows), Decimal())
    transactions = [{"amount": f"{amount:.2f}", "currency": "EUR", "comment": comment} for comment, amount in rows]
    return {"transactions": transactions, "total": _converted(total)}


def _converted(amount: Decimal) -> Document:
    """Write the same sum once for each currency."""
    return {currency: f"{amount * rate:.2f}" for currency, rate in RATES.items()}
