"""What is wrong with a policy although every value in it is right by itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bridge.purchasing.policy.conditions import When
from bridge.purchasing.policy.lines import Path
from bridge.purchasing.policy.rule import Rule
from bridge.purchasing.policy.services import known_as
from bridge.purchasing.policy.written import PolicyFile

Wrong = tuple[Path, str]


def inconsistencies(found: PolicyFile) -> Iterator[Wrong]:
    """Give each with its place."""
    yield from _among(found.rules)
    for n, rule in enumerate(found.rules):
        at = ("rules", n)
        yield from _of_services(rule, (*at, "prefer_services"))
        yield from _of_money(rule, at, found)
        yield from _of_conditions(rule.when, (*at, "when"))
    yield from _of_prices(found)


def _among(rules: tuple[Rule, ...]) -> Iterator[Wrong]:
    names = [rule.id for rule in rules]
    for n, name in enumerate(names):
        if name in names[:n]:
            yield ("rules", n, "id"), f"another rule is called {name} already"
    for n, (before, _) in enumerate(pairwise(rules)):
        if before.when.is_always and before.on_no_match == "decline":
            yield ("rules", n + 1), f"is never reached: the rule {before.id} before it is for every shipment"


def _of_services(rule: Rule, at: Path) -> Iterator[Wrong]:
    if rule.strategy != "cheapest_within_tier" and any(len(tier) > 1 for tier in rule.prefer_services):
        yield at, 'a list within the list is a tier, which only the strategy "cheapest_within_tier" knows'
    twice = {service for service in rule.services if rule.services.count(service) > 1}
    for service in sorted(twice):
        yield at, f"names {service} twice, or under both of its ids"


def _of_money(rule: Rule, at: Path, found: PolicyFile) -> Iterator[Wrong]:
    for key, limit in (("max_price", rule.max_price), ("approve_above", rule.approve_above)):
        if limit is not None and limit.currency != found.currency:
            yield (*at, key), f"is in {limit.currency}, and the policy's currency is {found.currency}"
    highest, asked = rule.max_price, rule.approve_above
    if highest is not None and asked is not None and asked.amount >= highest.amount:
        yield (*at, "approve_above"), "is never reached: what costs more than max_price is not bought at all"
    if rule.on_missing_rate == "price_table" and found.price_table is None:
        yield (*at, "on_missing_rate"), "there is no [price_table]"


def _of_conditions(when: When, at: Path) -> Iterator[Wrong]:
    weight, hours = when.weight_kg, when.time_of_day
    if weight is not None and weight.over is None and weight.up_to is None:
        yield (*at, "weight_kg"), "says neither over nor up_to"
    if weight is not None and weight.over is not None and weight.up_to is not None and weight.over >= weight.up_to:
        yield (*at, "weight_kg"), "holds no weight at all: over is not below up_to"
    if hours is not None and hours.start == hours.until:
        yield (*at, "time_of_day"), "holds no moment, or every one: from and until are the same"


def _of_prices(found: PolicyFile) -> Iterator[Wrong]:
    prices = found.price_table.prices if found.price_table else {}
    names = [known_as(service) for service in prices]
    for service, price in prices.items():
        at = ("price_table", "prices", service)
        if price.currency != found.currency:
            yield at, f"is in {price.currency}, and the policy's currency is {found.currency}"
        if names.count(known_as(service)) > 1:
            yield at, "has two prices, under both of its ids"
