"""`bridge shipments`: made, looked at, and steered by hand, each through a running bridge."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import labels, running
from bridge.cli.draft import Draft, draft
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Wait, body
from bridge.lifecycle import utc_now

if TYPE_CHECKING:
    from bridge.commands.models import Body
    from bridge.settings import Settings
    from bridge.store.database import ManagedDatabase

verbs = running.group("Shipments: made on demand, looked at, labelled, and steered by hand.")
verbs.command("label")(labels.label)

Shipment = Annotated[int, typer.Argument(metavar="SHIPMENT", min=1, max=10**18 - 1, help="The shipment's number.")]
Organization = Annotated[int | None, typer.Option(min=1, help="Whose it is, where there are several organizations.")]
Offer = Annotated[int, typer.Argument(metavar="OFFER", min=1, max=10**18 - 1, help="The offer's number.")]


@verbs.command("create")
def create(
    file: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            allow_dash=True,
            help="A JSON file with what POST /v1/shipments takes: one shipment, or `shipments`; - for standard input.",
        ),
    ] = None,
    receiver: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=VALUE",
            help="first_name, last_name, company_name, email, phone; or street, "
            "building_number, city, post_code. May be given several times.",
        ),
    ] = None,
    template: Annotated[str | None, typer.Option(help="The parcel's size: small, medium or large.")] = None,
    target_point: Annotated[str | None, typer.Option(help="The locker it goes to.")] = None,
    service: Annotated[str | None, typer.Option(help="Have InPost buy this service by itself.")] = None,
    reference: Annotated[str | None, typer.Option(help="What is printed on the label.")] = None,
    organization: Organization = None,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Make a shipment, or many from a file; each is made once, whatever becomes of the carrier's answer.

    Example: bridge shipments create --template small --target-point KRA010 --receiver phone=500100200
    --receiver email=jan@example.com
    """
    from bridge.shipments.asked import CreateShipments

    given = Draft(receiver or [], template, target_point, service, reference, organization)
    asked = draft(CreateShipments, file, given)
    _order(asked, wait=wait, as_json=as_json, told=_made, succeeded=_all_made)


@verbs.command("show")
def show(shipment: Shipment, organization: Organization = None, as_json: Json = False) -> None:
    """Show how a shipment stands: state, numbers, statuses, its purchase. Its whole story: bridge why.

    Example: bridge shipments show 3900000017
    """
    from bridge.cli.table import record, table
    from bridge.inspection.shown import show as run

    page = None if as_json else (record, table)

    async def work(settings: Settings, database: ManagedDatabase) -> int:
        settle = timedelta(seconds=settings.purchasing.settle_s)
        return await run(database, shipment, organization, now=utc_now(), settle=settle, page=page)

    running.with_database(work)


@verbs.command("select")
def select(
    shipment: Shipment, offer: Offer, organization: Organization = None, wait: Wait = WAIT_S, as_json: Json = False
) -> None:
    """Select an offer at the carrier, where the others are gone then; the policy decides about the one.

    A running bridge does it. Example: bridge shipments select 3900000017 1700000003
    """
    from bridge.commands.models import SelectOffer

    asked = body(SelectOffer, shipment_id=shipment, offer_id=offer, organization_id=organization)
    _order(asked, wait=wait, as_json=as_json, told=f"Offer {offer} of shipment {shipment} is selected.")


@verbs.command("buy")
def buy(
    shipment: Shipment,
    offer: Annotated[
        int | None,
        typer.Option(min=1, max=10**18 - 1, help="Buy this very offer, whatever the policy would choose."),
    ] = None,
    organization: Organization = None,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Have a shipment bought: by the policy, or the offer that you name, also where its purchase is held.

    A running bridge does it, within the caps. Example: bridge shipments buy 3900000017 --offer 1700000003
    """
    from bridge.commands.models import BuyShipment

    asked = body(BuyShipment, shipment_id=shipment, offer_id=offer, organization_id=organization)
    what = "by the policy" if offer is None else f"with offer {offer}"
    _order(asked, wait=wait, as_json=as_json, told=f"The purchase of shipment {shipment} {what} is asked for.")


@verbs.command("refresh")
def refresh(shipment: Shipment, organization: Organization = None, wait: Wait = WAIT_S, as_json: Json = False) -> None:
    """Have the offers of a shipment made anew, whether or not the present ones have run out.

    A running bridge does it. Example: bridge shipments refresh 3900000017
    """
    from bridge.commands.models import RefreshOffers

    asked = body(RefreshOffers, shipment_id=shipment, organization_id=organization)
    _order(asked, wait=wait, as_json=as_json, told=f"The offers of shipment {shipment} are made anew.")


@verbs.command("cancel")
def cancel(shipment: Shipment, organization: Organization = None, wait: Wait = WAIT_S, as_json: Json = False) -> None:
    """Cancel a shipment that is not bought; it is read again for some seconds before that counts.

    A running bridge does it. Example: bridge shipments cancel 3900000017
    """
    from bridge.commands.models import CancelShipment

    asked = body(CancelShipment, shipment_id=shipment, organization_id=organization)
    _order(asked, wait=wait, as_json=as_json, told=f"Shipment {shipment} is cancelled.")


def _order(asked: Body, *, wait: float, as_json: bool, told: Any, succeeded: Any = lambda _: True) -> None:
    """Hand over what is asked for, and say what came of it: by a sentence, or by a function of the result."""
    from bridge.cli.handing import hand_over

    say = told if callable(told) else lambda _: told
    running.run(hand_over(running.settings(), asked, wait_s=wait, as_json=as_json, told=say, succeeded=succeeded))


def _made(result: Any) -> str:
    """Say what was made, a line for each of many."""
    from bridge.cli.table import table

    if "items" not in result:
        return f"Shipment {result['shipment_id']} is made."
    heads = ("item", "outcome", "shipment", "error")
    rows = [(one["index"], one["outcome"], one.get("shipment_id"), one.get("error")) for one in result["items"]]
    return table(heads, rows)


def _all_made(result: Any) -> bool:
    return all(one["outcome"] == "done" for one in result.get("items", ()))
