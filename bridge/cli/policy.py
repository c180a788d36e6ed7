"""`bridge policy`: whether a policy can be followed, and why an offer was chosen."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.errors import SettingsError

if TYPE_CHECKING:  # what a verb needs is imported when it runs
    from bridge.purchasing.policy import Policy
    from bridge.purchasing.policy.document import Document, Verdict
    from bridge.purchasing.policy.file import Problem
    from bridge.store.decisions import Decided

verbs = running.group("The offer policy: which offers are bought, and why one was.")

_SHIPMENT = re.compile(r"(?:shipment/)?([1-9][0-9]{0,17})")


@verbs.command("check")
def check(
    file: Annotated[
        Path | None, typer.Argument(help="The policy file; without it, the one that BRIDGE_POLICY names.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a policy file: print its rules in order, or say what is wrong by line and key and exit 2.

    Example: bridge policy check config/policy.toml
    """
    from bridge.purchasing.policy.file import Policy, read

    path = file or running.settings().policy
    try:
        found = read(path.read_bytes())
    except OSError as error:
        raise SettingsError([(str(path), f"cannot be read: {error.strerror}")]) from error
    if isinstance(found, Policy):
        print(_rules_document(path, found) if as_json else _rules_page(path, found))
        return
    if as_json:
        print(_problems_document(path, found))
    else:
        for one in found:
            print(f"{path}:{one.line}: {f'{one.key}: ' if one.key else ''}{one.text}", file=sys.stderr)
    raise typer.Exit(2)


@verbs.command("explain")
def explain(
    shipment: Annotated[str, typer.Argument(help="Its number: 3900000017, or shipment/3900000017.")],
    organization: Annotated[
        int | None, typer.Option(min=1, help="Whose it is, where several organizations have one of this number.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what was last decided about a shipment's offers, why each other one was not taken, and what would be now.

    Reads the database and the policy file; nothing is decided anew.

    Example: bridge policy explain 3900000017 --json | jq .rejected
    """
    from bridge.model import ShipmentId
    from bridge.store.decisions import SqlDecisions
    from bridge.store.migrate import require_current
    from bridge.store.opening import existing

    number = _SHIPMENT.fullmatch(shipment)
    if number is None:
        raise typer.BadParameter("a shipment is written like 3900000017", param_hint="SHIPMENT")
    settings = running.settings()

    async def work() -> int:
        database = existing(settings.database)
        try:
            await database.read(require_current)
            found = await SqlDecisions(database).latest(ShipmentId(int(number[1])))
        finally:
            await database.close()
        return await _explained(settings, [one for one in found if organization in (None, one.organization)], as_json)

    running.run(work())


async def _explained(settings: Any, found: Sequence[Decided], as_json: bool) -> int:
    """Print the one decision that is meant; gives the exit code."""
    from bridge.purchasing.policy.document import Document

    if not found:
        print("bridge policy explain: nothing was decided about this shipment", file=sys.stderr)
        return 1
    if len(found) > 1:
        whose = ", ".join(str(one.organization) for one in found)
        print(f"bridge policy explain: several organizations have it: {whose}; add --organization", file=sys.stderr)
        return 2
    kept = Document.model_validate_json(found[0].body)
    now = await _now(settings, found[0], kept)
    print(_decision_document(found[0], kept, now) if as_json else _decision_page(found[0], kept, now, settings.policy))
    return 0


async def _now(settings: Any, decided: Decided, kept: Document) -> dict[str, Any]:
    """Say what the present policy file makes of the same offers."""
    from bridge.app.policy import read_policy
    from bridge.purchasing.policy.document import again
    from bridge.purchasing.policy.rule import Rule

    try:
        policy = await read_policy(settings)
    except SettingsError as error:
        return {"policy_sha256": None, "decides": None, "because": str(error)}
    told = kept.verdict if policy.sha256 == decided.policy_sha256 else again(kept, policy, decided.organization)
    if isinstance(told, Rule):
        because = f"rule {told.id} goes by what is not kept of a shipment"
        return {"policy_sha256": policy.sha256, "decides": None, "because": because}
    return {"policy_sha256": policy.sha256, "decides": told, "because": None}


def _decision_page(decided: Decided, kept: Document, now: dict[str, Any], path: Path) -> str:
    """Write it for people."""
    from bridge.cli.table import cell, record, table

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


def _offers(kept: Document, reasons: dict[int, str]) -> Iterator[tuple[object, ...]]:
    from bridge.purchasing.policy.words import price

    for one in sorted(kept.offers, key=lambda one: one.offer_id):
        why = reasons.get(one.offer_id)
        said = f" ({', '.join(one.unavailability_reasons)})" if one.unavailability_reasons else ""
        yield one.offer_id, one.service_id, price(one.rate), one.status, f"{why}{said}" if why else None


def _said(told: Verdict) -> str:
    """Say in a line what was decided."""
    from bridge.purchasing.policy.words import price

    if told.offer_id is None:
        return f"{told.decision.replace('_', ' ')}: {told.reason or 'too early to say'}"
    left = "" if told.seconds_left is None else f", with {told.seconds_left:g} s left"
    cost = "an unknown price" if told.price is None else price(told.price)
    return f"{told.decision} offer {told.offer_id} at {cost}{f': {told.reason}' if told.reason else ''}{left}"


def _said_now(decided: Decided, kept: Document, now: dict[str, Any], path: Path) -> str:
    if now["policy_sha256"] == decided.policy_sha256:
        return f"{path} is the same policy"
    if now["decides"] is None:
        return f"cannot be told: {now['because']}"
    same = "the same" if now["decides"] == kept.verdict else f"{_said(now['decides'])} (rule {now['decides'].rule_id})"
    return f"{path} is another policy ({now['policy_sha256'][:12]}…), which decides {same}"


def _decision_document(decided: Decided, kept: Document, now: dict[str, Any]) -> str:
    """Write it for programs."""
    from pydantic_core import to_json

    about = {
        "shipment_id": decided.shipment,
        "organization_id": decided.organization,
        "decided_at": decided.at,
        "intent_id": decided.intent,
        "policy_sha256": decided.policy_sha256,
    }
    same = None if now["decides"] is None else now["decides"] == kept.verdict
    present = now | {"is_the_same_policy": now["policy_sha256"] == decided.policy_sha256, "decides_the_same": same}
    return to_json(about | kept.model_dump(mode="json") | {"now": present}, indent=2).decode()


def _rules_page(path: Path, found: Policy) -> str:
    from bridge.cli.table import table
    from bridge.purchasing.policy.words import HEADS, row

    return "\n".join([table(HEADS, map(row, found.rules)), "", *_head(path, found)])


def _head(path: Path, found: Policy) -> Iterator[str]:
    """Say what holds for all rules."""
    services = {"leave": "left to the carrier", "buy_when_stuck": "bought where the carrier did not within 20 s"}
    yield f"shipments made with a service: {services[found.carrier_owned]}"
    if found.prices:
        yield "prices where the carrier names none: " + ", ".join(sorted(found.prices))
    yield f"{path} can be followed; sha256 {found.sha256}"


def _rules_document(path: Path, found: Policy) -> str:
    from pydantic_core import to_json

    document = {
        "file": str(path),
        "valid": True,
        "sha256": found.sha256,
        "currency": found.currency,
        "carrier_owned": found.carrier_owned,
        "regenerate_after_pause": found.regenerate_after_pause,
        "rules": [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in found.rules],
        "prices": {name: one.model_dump(mode="json") for name, one in found.prices.items()},
        "problems": [],
    }
    return to_json(document, indent=2).decode()


def _problems_document(path: Path, found: Sequence[Problem]) -> str:
    from pydantic_core import to_json

    problems = [{"line": one.line, "key": one.key, "message": one.text} for one in found]
    return to_json({"file": str(path), "valid": False, "problems": problems}, indent=2).decode()
