"""What identity (e) says of the budgets: what stands for a day is reserved by the purchases of that day, and no more.

A purchase reserves in the transaction of its intent, and gives back in the one that ends it unbought, or bought by
somebody else. So at every moment a budget counts those that succeeded as ours, and those that may yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bridge.model import moment
from bridge.store.audit.report import MOST_EXAMPLES, Example
from bridge.store.audit.scope import Scope
from bridge.store.budget import ANY, day_of
from bridge.store.database import Transaction
from bridge.store.outlook import LIVE
from bridge.store.purchase import ADOPTED, ADOPTED_UNREAD

_WRONG: Final = "budgets that count other purchases than those that are reserved"
_Budget = tuple[str, int, str]
"""Day, organization, currency."""
_Sum = tuple[int, int]
"""How many, and what they cost, in ten-thousandths."""
_NOTHING: Final = (0, 0)


@dataclass(frozen=True, slots=True)
class Reserved:
    """How many purchases stand in the budgets, and the budgets that do not add up: what is wrong, how many, some."""

    n: int
    wrong: tuple[str, int, tuple[Example, ...]]


def reserved(transaction: Transaction, scope: Scope) -> Reserved:
    """Compare the budgets of the days that are looked at with the purchases that are reserved for them."""
    since = "" if scope.is_all else day_of(moment(scope.since))
    budgets, ledger = _sums(transaction, _BUDGETS, since, ANY), _sums(transaction, _LEDGER, since)
    wrong = list(_wrong(budgets, ledger))
    return Reserved(sum(n for n, _ in ledger.values()), (_WRONG, len(wrong), tuple(wrong[:MOST_EXAMPLES])))


def _wrong(budgets: Mapping[_Budget, _Sum], ledger: Mapping[_Budget, _Sum]) -> Iterator[Example]:
    for budget in sorted({*budgets, *ledger}):
        counted, reserved = budgets.get(budget, _NOTHING), ledger.get(budget, _NOTHING)
        if counted != reserved:
            day, organization, currency = budget
            yield {
                "organization": organization,
                "day": day,
                "currency": currency,
                "counted": counted[0],
                "reserved": reserved[0],
                "amount": _amount(counted, reserved),
            }


def _amount(counted: _Sum, reserved: _Sum) -> str:
    """Write how much more is counted than reserved."""
    return f"{(counted[1] - reserved[1]) / 10_000:+.2f}"


def _sums(transaction: Transaction, sql: str, *values: object) -> dict[_Budget, _Sum]:
    rows = transaction.run(sql, values)
    return {(day, organization, currency): (int(n), int(amount)) for day, organization, currency, n, amount in rows}


_BUDGETS: Final = "SELECT day, organization, currency, n, amount FROM budgets WHERE day >= ? AND currency <> ?"
_LEDGER: Final = (
    "SELECT reserved_day, organization, reserved_currency, count(*), sum(reserved_amount) FROM purchases"
    f" WHERE reserved_day >= ? AND (({LIVE}) OR (state = 'succeeded'"
    f" AND coalesce(reason, '') NOT IN ('{ADOPTED}', '{ADOPTED_UNREAD}'))) GROUP BY 1, 2, 3"
)
