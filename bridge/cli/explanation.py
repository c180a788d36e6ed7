"""A decision in words: what was chosen, why nothing else, and what the present policy would say."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic_core import to_json

from bridge.app.policy import policy_file, read_policy
from bridge.cli.table import cell, record, table
from bridge.errors import SettingsError
from bridge.purchasing.policy.document import Document, Verdict, again
from bridge.purchasing.policy.rule import Rule
from bridge.purchasing.policy.words import price
from bridge.settings import Settings
from bridge.store.decisions import Decided


@dataclass(frozen=True, slots=True)
class Now:
    """What the present policy file makes of the same offers; where that cannot be told, why."""

    policy_sha256: str | None
    decides: Verdict | None
    because: str | None = None


async def explained(settings: Settings, found: Sequence[Decided], as_json: bool) -> int:
    """Print the one decision that is meant; gives the exit code."""
    if not found:
        print("bridge policy explain: nothing was decided about this shipment", file=sys.stderr)
        return 1
    if len(found) > 1:
        whose = ", ".join(str(one.organization) for one in found)
        print(f"bridge policy explain: several organizations have it: {whose}; add --organization", file=sys.stderr)
        return 2
    kept = Document.model_validate_json(found[0].body)
    now = await _now(settings, found[0], kept)
    print(
        _document(found[0], kept, now)
        if as_json
        else _page(found[0], kept, now, policy_file(settings, found[0].organization))
    )
    return 0


async def _now(settings: Settings, decided: Decided, kept: Document) -> Now:
    try:
        policy = await read_policy(settings, decided.organization)
    except SettingsError as error:
        return Now(None, None, str(error))
    if policy.sha256 == decided.policy_sha256:
        return Now(policy.sha256, kept.verdict)
    told = again(kept, policy, decided.organization)
    if isinstance(told, Rule):
        return Now(policy.sha256, None, f"rule {told.id} goes by what is not kept of a shipment")
    return Now(policy.sha256, told)


def _page(decided: Decided, kept: Document, now: Now, path: Path) -> str:
    """Write it for people."""
    about = {
        "shipment": f"{decided.shipment} of organization {decided.organization}",
        "decided": cell(decided.at),
        "decision": _said(kept),
        "rule": kept.rule_id,
        "policy": decided.policy_sha256,
        "now": _said_now(decided, kept, now, path),
    }
    reasons = {one.offer_id: one.reason for one in kept.rejected}
    offers = table(("offer", "service", "price", "status", "not taken because"), _offers(kept, reasons))
    return "\n".join([record(about), "", offers])


def _offers(kept: Document, reasons: Mapping[int, str]) -> Iterator[tuple[object, ...]]:
    for one in sorted(kept.offers, key=lambda one: one.offer_id):
        why = reasons.get(one.offer_id)
        said = f" ({', '.join(one.unavailability_reasons)})" if one.unavailability_reasons else ""
        yield one.offer_id, one.service_id, price(one.rate), one.status, f"{why}{said}" if why else None


def _said(told: Verdict) -> str:
    """Say in a line what was decided."""
    if told.offer_id is None:
        return f"{told.decision.replace('_', ' ')}: {told.reason or 'too early to say'}"
    left = "" if told.seconds_left is None else f", with {told.seconds_left:g} s left"
    cost = "an unknown price" if told.price is None else price(told.price)
    return f"{told.decision} offer {told.offer_id} at {cost}{f': {told.reason}' if told.reason else ''}{left}"


def _said_now(decided: Decided, kept: Document, now: Now, path: Path) -> str:
    if now.policy_sha256 == decided.policy_sha256:
        return f"{path} is the same policy"
    if now.decides is None:
        return f"cannot be told: {now.because}"
    decides = "the same" if now.decides == kept.verdict else f"{_said(now.decides)} (rule {now.decides.rule_id})"
    return f"{path} is another policy ({(now.policy_sha256 or '')[:12]}…), which decides {decides}"


def _document(decided: Decided, kept: Document, now: Now) -> str:
    """Write it for programs."""
    about = {
        "shipment_id": decided.shipment,
        "organization_id": decided.organization,
        "decided_at": decided.at,
        "intent_id": decided.intent,
        "policy_sha256": decided.policy_sha256,
    }
    compared = {
        "is_the_same_policy": now.policy_sha256 == decided.policy_sha256,
        "decides_the_same": None if now.decides is None else now.decides == kept.verdict,
    }
    return to_json(about | kept.model_dump(mode="json") | {"now": asdict(now) | compared}, indent=2).decode()
