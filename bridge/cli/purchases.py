"""`bridge purchases`: how they stand, and what a person may have done about them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Organizations, Wait, body

if TYPE_CHECKING:
    from bridge.commands.models import ShipmentOrder
    from bridge.store.decisions import SqlDecisions
    from bridge.store.listed import SqlListed

verbs = running.group("Purchases: how they stand, and what a person may have done about them.")

Shipment = Annotated[int, typer.Argument(metavar="SHIPMENT", min=1, max=10**18 - 1, help="The shipment's number.")]
Organization = Annotated[
    int | None,
    typer.Option(min=1, help="Whose it is, where several organizations have one of this number."),
]


@verbs.command("list")
def list_purchases(
    state: Annotated[
        str | None, typer.Option(help="Only those in this state: wanted, held, doubt, succeeded, failed, …")
    ] = None,
    organization: Organizations = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List purchases by organization and shipment, the highest numbers first: state, offer, price, seconds left.

    `by` is who holds or approved it. Example: bridge purchases list --state held
    """
    from pydantic_core import to_json

    from bridge.approvals.document import document
    from bridge.approvals.words import HEADS, row
    from bridge.cli.table import table
    from bridge.lifecycle import utc_now
    from bridge.store.listed import Wanted
    from bridge.store.purchase import PurchaseState

    if state is not None and state not in set(PurchaseState):
        raise typer.BadParameter(f"must be one of {', '.join(PurchaseState)}", param_hint="--state")
    wanted = Wanted(None if state is None else PurchaseState(state), frozenset(organization or ()))

    async def look(purchases: SqlListed, _decisions: SqlDecisions) -> int:
        found, now = await purchases.list(wanted, limit), utc_now()
        if as_json:
            print(to_json({"items": [document(one, now) for one in found]}, indent=2).decode())
        elif found:
            print(table(HEADS, (row(one, now) for one in found)))
        else:
            print("no such purchases", file=sys.stderr)
        return 0

    _look(look)


@verbs.command("show")
def show(shipment: Shipment, organization: Organization = None, as_json: Json = False) -> None:
    """Show the purchase of one shipment, with what was decided about it last. Its whole story: bridge why.

    Example: bridge purchases show 3900000017
    """
    from pydantic_core import to_json

    from bridge.approvals.document import decision, document
    from bridge.approvals.words import decided_lines, lines
    from bridge.cli.table import record
    from bridge.lifecycle import utc_now
    from bridge.model import ShipmentId

    async def look(purchases: SqlListed, decisions: SqlDecisions) -> int:
        among = frozenset(() if organization is None else (organization,))
        found, now = await purchases.find(ShipmentId(shipment), among), utc_now()
        if not found:
            print(f"bridge: no purchase of shipment {shipment} was ever asked for", file=sys.stderr)
            return 1
        if len(found) > 1:
            whose = ", ".join(str(one.organization) for one in found)
            print(f"bridge: several organizations have it: say --organization, one of {whose}", file=sys.stderr)
            return 2
        one = found[0]
        latest = {each.organization: each for each in await decisions.latest(one.shipment)}
        decided = latest.get(one.organization)
        if as_json:
            last = None if decided is None else decision(decided)
            print(to_json({**document(one, now), "decision": last}, indent=2).decode())
        else:
            print(record(lines(one, now) | ({} if decided is None else decided_lines(decided))))
        return 0

    _look(look)


@verbs.command("approve")
def approve(
    shipment: Shipment,
    organization: Organization = None,
    intent: Annotated[
        str | None, typer.Option(metavar="ID", help="Only what is held under this intent, as `show --json` has it.")
    ] = None,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Let a purchase that is held be made: of the service that was chosen, up to the price it was chosen at.

    A running bridge does it: it reads the shipment anew and decides. Example: bridge purchases approve 3900000017
    """
    from bridge.commands.models import ApprovePurchase

    asked = body(ApprovePurchase, shipment_id=shipment, organization_id=organization, intent_id=intent)
    _hand_over(asked, wait=wait, as_json=as_json, told="is approved")


@verbs.command("hold")
def hold(shipment: Shipment, organization: Organization = None, wait: Wait = WAIT_S, as_json: Json = False) -> None:
    """Buy nothing for a shipment until somebody approves or retries it; not where it is being bought already.

    A running bridge does it. Example: bridge purchases hold 3900000017
    """
    from bridge.commands.models import HoldPurchase

    _order(HoldPurchase, shipment, organization, wait=wait, as_json=as_json, told="is held")


@verbs.command("retry")
def retry(shipment: Shipment, organization: Organization = None, wait: Wait = WAIT_S, as_json: Json = False) -> None:
    """Have a purchase decided about anew that ended unbought, is held, or is bought as a webhook alone says.

    A running bridge does it; it has five minutes. Example: bridge purchases retry 3900000017
    """
    from bridge.commands.models import RetryPurchase

    _order(RetryPurchase, shipment, organization, wait=wait, as_json=as_json, told="is decided about anew")


def _order(
    model: type[ShipmentOrder], shipment: int, organization: int | None, *, wait: float, as_json: bool, told: str
) -> None:
    """Hand over what is asked for, and say what came of it."""
    asked = body(model, shipment_id=shipment, organization_id=organization)
    _hand_over(asked, wait=wait, as_json=as_json, told=told)


def _hand_over(asked: ShipmentOrder, *, wait: float, as_json: bool, told: str) -> None:
    from bridge.cli.handing import hand_over

    running.run(
        hand_over(
            running.settings(),
            asked,
            wait_s=wait,
            as_json=as_json,
            told=lambda _: f"The purchase of shipment {asked.shipment_id} {told}.",
        )
    )


def _look(look: Any) -> None:
    """Open the database for reading, and look."""
    from bridge.store.decisions import SqlDecisions
    from bridge.store.listed import SqlListed
    from bridge.store.migrate import require_current
    from bridge.store.opening import existing

    settings = running.settings()

    async def work() -> int:
        database = existing(settings.database)
        try:
            await database.read(require_current)
            found: int = await look(SqlListed(database), SqlDecisions(database))
        finally:
            await database.close()
        return found

    running.run(work())
