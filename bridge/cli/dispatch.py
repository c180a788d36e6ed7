"""`bridge dispatch`: couriers are ordered to collect shipments, shown, called off, and given something to sign."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Wait, body

if TYPE_CHECKING:
    from bridge.cli.handing import Result
    from bridge.commands.models import Body
    from bridge.dispatch.asked import CreateDispatchOrder
    from bridge.settings import Settings
    from bridge.store.database import ManagedDatabase
    from bridge.store.dispatches import Kept

verbs = running.group("Couriers: ordered to collect shipments, shown, called off, given something to sign.")

_HEADS: Final = ("status", "at")
_OPTIONS: Final = {
    "shipments": "--shipment",
    "address": "--street or --point",
    "building_number": "--building",
    "dispatch_point_id": "--point",
}
"""Options that are not called as the fields are."""
Order = Annotated[int, typer.Argument(metavar="ORDER", min=1, max=10**18 - 1, help="The dispatch order's number.")]
Organization = Annotated[
    int | None, typer.Option(min=1, help="Whose it is, where there are several organizations here.")
]


@verbs.command("create")
def create(
    shipment: Annotated[
        list[int] | None, typer.Option(min=1, help="What is to be collected; may be given several times.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The whole order as JSON, as POST /v1/dispatch-orders takes it; - for stdin."
        ),
    ] = None,
    point: Annotated[int | None, typer.Option(min=1, help="A dispatch point that the carrier knows.")] = None,
    street: Annotated[str | None, typer.Option(help="Where the courier comes to, where it is no point.")] = None,
    building: Annotated[str | None, typer.Option(help="The number of the building.")] = None,
    city: Annotated[str | None, typer.Option(help="The city.")] = None,
    post_code: Annotated[str | None, typer.Option(help="The post code: 30-300.")] = None,
    name: Annotated[str | None, typer.Option(help="Whom the courier asks for.")] = None,
    phone: Annotated[str | None, typer.Option(help="Nine digits.")] = None,
    email: Annotated[str | None, typer.Option(help="An e-mail address.")] = None,
    office_hours: Annotated[str | None, typer.Option(help="When somebody is there: 8-16.")] = None,
    comment: Annotated[str | None, typer.Option(help="What the courier should know.")] = None,
    organization: Organization = None,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Order a courier: exactly one, also where the carrier's answer is lost.

    A running bridge does it. The carrier compares how an address is spelled: spell it the same every time.

    Example: bridge dispatch create --shipment 3900000017 --shipment 3900000018 --point 70012 --office-hours 8-16
    """
    address = _given(street=street, building_number=building, city=city, post_code=post_code)
    options = _given(
        shipments=shipment,
        dispatch_point_id=point,
        address=address or None,
        name=name,
        phone=phone,
        email=email,
        office_hours=office_hours,
        comment=comment,
    )
    asked = _in_options(options) if file is None else _in_file(file, options)
    if organization is not None:
        asked = asked.model_copy(update={"organization_id": organization})
    _hand_over(asked, wait=wait, as_json=as_json)


@verbs.command("show")
def show(order: Order, organization: Organization = None, as_json: Json = False) -> None:
    """Show how an order stands: its statuses, its shipments, when the carrier is asked next. Its story: bridge why.

    Only orders that were made here are known. Example: bridge dispatch show 500123
    """
    from bridge.dispatch.document import document
    from bridge.model import DispatchOrderId
    from bridge.store import dispatches

    async def look(_settings: Settings, database: ManagedDatabase) -> int:
        among = () if organization is None else (organization,)
        found = await database.read(lambda it: dispatches.find(it, DispatchOrderId(order), among))
        if len(found) == 1:
            _print(found[0], document(found[0]), as_json=as_json)
            return 0
        if not found:
            print(f"bridge: no order {order} was made here", file=sys.stderr)
            return 1
        whose = ", ".join(str(one.organization) for one in found)
        print(f"bridge: several organizations have it: say --organization, one of {whose}", file=sys.stderr)
        return 2

    running.with_database(look)


@verbs.command("printout")
def printout(
    order: Order,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.")],
    organization: Organization = None,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Write the list that the courier signs to a file: a PDF, or a ZIP where there are several.

    A running bridge fetches it from the carrier. Example: bridge dispatch printout 500123 --output list.pdf
    """
    from bridge.cli.fetched import write
    from bridge.dispatch.asked import PrintDispatchOrder

    asked = body(PrintDispatchOrder, dispatch_order_id=order, organization_id=organization)
    running.run(write(running.settings(), asked, output, wait_s=wait, as_json=as_json))


@verbs.command("cancel")
def cancel(order: Order, organization: Organization = None, wait: Wait = WAIT_S, as_json: Json = False) -> None:
    """Call a courier off; it is said to be done when the carrier shows it.

    A running bridge does it. Example: bridge dispatch cancel 500123
    """
    from bridge.dispatch.asked import CancelDispatchOrder

    asked = body(CancelDispatchOrder, dispatch_order_id=order, organization_id=organization)
    _hand_over(asked, wait=wait, as_json=as_json)


def _hand_over(asked: Body, *, wait: float, as_json: bool) -> None:
    from bridge.cli.handing import hand_over

    running.run(hand_over(running.settings(), asked, wait_s=wait, as_json=as_json, told=_told))


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _in_options(options: Mapping[str, Any]) -> CreateDispatchOrder:
    """Make an order of options. Raises BadParameter, which names the option."""
    from pydantic import ValidationError

    from bridge.dispatch.asked import CreateDispatchOrder
    from bridge.web.bodies import field_errors

    try:
        return CreateDispatchOrder(**options)
    except ValidationError as error:
        first = field_errors(error)[0]
        name = [part for part in first.field.split(".") if not part.isdecimal()][-1]
        hint = _OPTIONS.get(name, "--" + name.replace("_", "-"))
        raise typer.BadParameter(first.message, param_hint=hint) from None


def _in_file(path: Path, options: Mapping[str, Any]) -> CreateDispatchOrder:
    """Read an order. Raises BadParameter, which names the field."""
    from pydantic import ValidationError

    from bridge.dispatch.asked import CreateDispatchOrder
    from bridge.web.bodies import field_errors, told

    if options:
        raise typer.BadParameter("a file says all of it: give no other options", param_hint="--file")
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return CreateDispatchOrder.model_validate_json(data)
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="--file") from None
    except ValidationError as error:
        raise typer.BadParameter(told(field_errors(error)), param_hint="--file") from None


def _told(result: Result) -> str:
    from bridge.cli.table import record

    shipments = ", ".join(str(one) for one in result["shipments"])
    return record({**result, "shipments": shipments})


def _print(kept: Kept, written: Mapping[str, Any], *, as_json: bool) -> None:
    from pydantic_core import to_json

    from bridge.cli.table import record, table

    if as_json:
        print(to_json(written, indent=2).decode())
        return
    shown = {key: value for key, value in written.items() if key not in ("statuses", "shipments")}
    print(record(shown | {"shipments": ", ".join(map(str, kept.shipments))}))
    if kept.statuses:
        print()
        print(table(_HEADS, ((one.word, one.at) for one in kept.statuses)))
