"""A decision in a line for people, and whole for programs: rule, offer, price, and why no other offer was taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from bridge.events.catalogue import Money
from bridge.purchasing.policy.document import Document, Verdict
from bridge.store.decisions import Decided

_OF_SHA: Final = 12


def explained(one: Decided) -> tuple[str, Mapping[str, Any]]:
    """Write a decision down."""
    about = {"intent_id": one.intent, "policy_sha256": one.policy_sha256}
    policy = f"policy {one.policy_sha256[:_OF_SHA]}"
    try:
        kept = Document.model_validate_json(one.body)
    except ValidationError:
        return f"cannot be read any more; {policy}", about
    return "; ".join([*_said(kept), policy]), about | kept.model_dump(mode="json")


def _said(kept: Verdict) -> Iterator[str]:
    rule = "" if kept.rule_id is None else f"rule {kept.rule_id}: "
    yield f"{rule}{_chosen(kept)}"
    if kept.rejected:
        yield "not taken: " + ", ".join(f"{one.offer_id} {one.reason}" for one in kept.rejected)


def _chosen(kept: Verdict) -> str:
    reason = "" if kept.reason is None else f": {kept.reason}"
    if kept.offer_id is None:
        return f"{kept.decision.replace('_', ' ')}{reason}"
    left = "" if kept.seconds_left is None else f", {kept.seconds_left:g} s left"
    return f"{kept.decision} offer {kept.offer_id} at {_price(kept.price)}{left}{reason}"


def _price(price: Money | None) -> str:
    return "an unknown price" if price is None else f"{price.amount:f} {price.currency}"
