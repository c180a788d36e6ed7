"""`bridge policy`: whether a policy can be followed, and why an offer was chosen."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.errors import SettingsError

if TYPE_CHECKING:  # what a verb needs is imported when it runs
    from bridge.purchasing.policy import Policy
    from bridge.purchasing.policy.file import Problem

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
    from bridge.cli.explanation import explained
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
        return await explained(settings, [one for one in found if organization in (None, one.organization)], as_json)

    running.run(work())


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
