"""Who makes a return: whoever was named, or the first rule that fits, or the only one that there is."""

from __future__ import annotations

import pytest

from bridge.errors import FieldProblem
from bridge.returns.routing import Route, Ways, Wish, ways

TICKETS, CODES, PLATFORM = "inpost_returns/main", "szybkie_zwroty/main", "intelligentreturns/main"
ALL = (TICKETS, PLATFORM, CODES)
ROUTES = (
    Route(("szybkie_zwroty",), organizations=frozenset({7})),
    Route(("szybkie_zwroty", "inpost_returns"), frozenset({"PL"}), frozenset({"A", "B"})),
    Route(("intelligentreturns",), frozenset({"DE"})),
)


def by_rule(*connections: str) -> Ways:
    return Ways(connections, is_by_rule=True)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish("inpost_returns", country="DE"), Ways((TICKETS,))),
        (Wish("inpost_returns", "main"), Ways((TICKETS,))),
        (Wish(country="PL", parcel_size="A"), by_rule(CODES, TICKETS)),
        (Wish(country="DE"), by_rule(PLATFORM)),
        (Wish(country="DE", organization=7), by_rule(CODES)),
    ],
)
def test_whoever_is_named_or_the_first_rule_that_fits_makes_it(wish: Wish, expected: Ways) -> None:
    assert ways(wish, ROUTES, ALL) == expected


def test_what_was_not_said_fits_no_rule_that_asks_for_it() -> None:
    assert ways(Wish(parcel_size="A"), ROUTES, ALL) == FieldProblem("provider", "missing")
    assert ways(Wish(parcel_size="A"), (*ROUTES, Route(("inpost_returns",))), ALL) == by_rule(TICKETS)


def test_a_rule_leads_only_to_what_is_set_up() -> None:
    assert ways(Wish(country="PL", parcel_size="A"), ROUTES, (TICKETS, PLATFORM)) == by_rule(TICKETS)
    assert ways(Wish(country="DE"), ROUTES, (TICKETS, CODES)) == FieldProblem("provider", "missing")


def test_without_rules_it_is_the_only_one_that_is_set_up() -> None:
    assert ways(Wish(), (), (CODES,)) == Ways((CODES,))
    assert ways(Wish(), (), ALL) == FieldProblem("provider", "missing")
    assert ways(Wish(), (), ()) == FieldProblem("provider", "missing")


def test_who_is_not_set_up_is_told_by_its_field() -> None:
    assert ways(Wish("inpost_returns"), (), (CODES,)) == FieldProblem("provider", "unknown_value")
    assert ways(Wish("szybkie_zwroty", "other"), (), (CODES,)) == FieldProblem("connection", "unknown_value")
    assert ways(Wish(connection="main"), (), ALL) == FieldProblem("provider", "missing")
