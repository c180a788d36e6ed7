"""A policy as a table, for people who look at it."""

from __future__ import annotations

from bridge.events.catalogue import Money
from bridge.purchasing.policy.rule import Rule

HEADS = ("rule", "is for", "buys", "strategy", "at most", "asks above", "an unknown price", "no match")


def row(rule: Rule) -> tuple[str, ...]:
    """Write one rule in one line."""
    return (
        rule.id,
        _when(rule),
        " > ".join("|".join(tier) for tier in rule.prefer_services) + _required(rule),
        rule.strategy,
        price(rule.max_price),
        price(rule.approve_above),
        rule.missing_rate,
        rule.on_no_match,
    )


def price(money: Money | None) -> str:
    """Write a price; one that is unknown or unlimited is a dash."""
    return "-" if money is None else f"{money.amount:f} {money.currency}"


def _when(rule: Rule) -> str:
    conditions = rule.when.model_dump(mode="json", by_alias=True, exclude_none=True)
    return ", ".join(f"{key} {_value(value)}" for key, value in conditions.items()) or "every shipment"


def _value(value: object) -> str:
    if isinstance(value, list):
        return " or ".join(map(str, value))
    if isinstance(value, dict):
        return " ".join(f"{key.replace('_', ' ')} {one}" for key, one in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _required(rule: Rule) -> str:
    return f" with {', '.join(rule.require_services)}" if rule.require_services else ""
