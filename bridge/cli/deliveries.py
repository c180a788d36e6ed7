"""`bridge deliveries`: the webhooks that came, what was done with them, and once more from the beginning."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Organizations, Since, Wait

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.store.database import ManagedDatabase
    from bridge.store.deliveries import Listed, Place, SqlDeliveries

verbs = running.group("The webhooks that came, and what was done with them.")

State = Annotated[Literal["pending", "done", "failed", "parked"] | None, typer.Option(help="Only those in this state.")]
_HEADS = ("delivery", "state", "organization", "shipment", "event", "received", "repeats", "verdict")


@verbs.command("list")
def list_deliveries(
    state: State = None,
    organization: Organizations = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many at most.")] = 50,
    after: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Go on after this cursor: `next` of the list before.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List deliveries from the database, parked ones among them, the newest first.

    Where there may be more, the cursor to go on after is told below, and with --json it is `next`.

    Example: bridge deliveries list --state parked
    """
    from pydantic_core import to_json

    from bridge.cli.table import table
    from bridge.ingress.api import item
    from bridge.store.deliveries import Wanted, following

    wanted = Wanted(state, frozenset(organization or ()), _place(after))

    async def look(deliveries: SqlDeliveries) -> int:
        found = await deliveries.list(wanted, limit)
        cursor = following(found, limit)
        if as_json:
            print(to_json({"items": [item(one) for one in found], "next": cursor}, indent=2).decode())
        elif found:
            print(table(_HEADS, map(_row, found)))
            if cursor is not None:
                print(f"go on with --after {cursor}", file=sys.stderr)
        else:
            print("no such deliveries", file=sys.stderr)
        return 0

    _look(look)


@verbs.command("show")
def show(
    delivery: Annotated[str, typer.Argument(metavar="ID", help="The delivery's id.")],
    body: Annotated[bool, typer.Option("--body", help="Show what it said, too: that may be personal.")] = False,
    as_json: Json = False,
) -> None:
    """Show one delivery and what was done with it; what it said only when that is asked for.

    Example: bridge deliveries show 016741f0… --body
    """
    from pydantic_core import to_json

    from bridge.cli.table import printable, record
    from bridge.ingress.api import item

    async def look(deliveries: SqlDeliveries) -> int:
        listed = await deliveries.show(delivery)
        if listed is None:
            print("bridge: there is no such delivery", file=sys.stderr)
            return 1
        kept = await deliveries.body(delivery) if body else None
        text = None if kept is None else kept.body.decode("utf-8", "backslashreplace")
        shown = item(listed)
        if as_json:
            print(to_json(shown | {"body": text} if body else shown, indent=2).decode())
            return 0
        print(record(shown))
        if body:
            print("", "(its body was erased)" if text is None else printable(text, keep="\n\t"), sep="\n")
        return 0

    _look(look)


@verbs.command("replay")
def replay(
    deliveries: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Which; or choose by state.")] = None,
    state: Annotated[
        Literal["parked", "failed", "done"] | None, typer.Option(help="All that are in this state.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Of these, those with this verdict, e.g. outside_networks.")
    ] = None,
    since: Since = None,
    organization: Organizations = None,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Let parked deliveries take effect, and have others projected once more; what is known already stays as it is.

    A running bridge does it, the oldest first. Exits 1 where one did not take effect, and names it.

    Example: bridge deliveries replay --state parked --reason outside_networks --since 6h
    """
    from bridge.cli.handing import hand_over
    from bridge.cli.values import body
    from bridge.commands.models import ReplayDeliveries

    asked = body(
        ReplayDeliveries,
        deliveries=tuple(deliveries or ()),
        state=state,
        reason=reason,
        since=since,
        organizations=tuple(organization or ()),
    )
    settings = running.settings()
    running.run(
        hand_over(
            settings, asked, wait_s=wait, as_json=as_json, told=_told, succeeded=lambda found: not _without(found)
        )
    )


def _look(look: Any) -> None:
    """Open the database for reading, and look."""
    from bridge.store.deliveries import SqlDeliveries
    from bridge.store.inbox import SqlInbox
    from bridge.store.sealed import Vault

    async def work(settings: Settings, database: ManagedDatabase) -> int:
        vault = Vault.with_keys(settings.personal_data.key_bytes)
        found: int = await look(SqlDeliveries(database, vault, SqlInbox(database, vault)))
        return found

    running.with_database(work)


def _place(cursor: str | None) -> Place | None:
    """Read where to go on. Raises BadParameter."""
    from bridge.errors import Unreadable
    from bridge.store.deliveries import decode

    try:
        return None if cursor is None else decode(cursor)
    except Unreadable:
        raise typer.BadParameter("is not a cursor of this list", param_hint="--after") from None


def _row(one: Listed) -> tuple[object, ...]:
    return (
        one.id,
        one.state,
        one.organization,
        one.shipment,
        one.event,
        one.received_at,
        one.repeats,
        one.verdict,
    )


def _without(result: Any) -> int:
    """Count those that did not take effect."""
    effective = sum(result["outcomes"].get(outcome, 0) for outcome in ("accepted", "duplicate"))
    return int(result["deliveries"] - effective)


def _told(result: Any) -> str:
    """Say in words what came of a replay."""
    counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(result["outcomes"].items()))
    lines = [f"replayed {result['deliveries']}: {counts}" if counts else "no such deliveries"]
    lines += [f"without effect: {one['delivery_id']} ({one['why']})" for one in result["without_effect"]]
    return "\n".join(lines)
