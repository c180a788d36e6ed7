"""`bridge events`: look at the events this bridge has recorded, and send them once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Organizations, Since, Until, Wait

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.store.database import ManagedDatabase

verbs = running.group("The events this bridge has recorded.")

Subject = Annotated[str | None, typer.Option(help="Only this subject, e.g. shipment/123.")]


def _known(kind: str | None) -> str | None:
    """Take a type as it is published or without the version. Raises BadParameter: nobody waits for what never comes."""
    from bridge.events.catalogue import is_known

    if kind is not None and not is_known(kind):
        raise typer.BadParameter("is not a type of events: `bridge schema export` lists them")
    return kind


Type = Annotated[
    str | None,
    typer.Option("--type", callback=_known, help="Only this type, e.g. bridge.shipment.confirmed.v1."),
]


@verbs.command("tail")
def tail(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    last: Annotated[int, typer.Option("--last", "-n", min=0, max=1000, help="How many to begin with.")] = 20,
    subject: Subject = None,
    kind: Type = None,
    as_json: Json = False,
) -> None:
    """Print events from the database, oldest first: when the bridge recorded it, subject, sequence, type, what it says.

    Example: bridge events tail --follow --json | jq .data
    """
    from bridge.egress.tail import tail
    from bridge.store.feed import Filter, SqlFeed

    async def work(_settings: Settings, database: ManagedDatabase) -> int:
        await tail(SqlFeed(database), last=last, follow=follow, wanted=Filter(kind, subject), as_json=as_json)
        return 0

    running.with_database(work)


@verbs.command("replay")
def replay(
    subject: Subject = None,
    kind: Type = None,
    since: Since = None,
    until: Until = None,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="Only what comes after this cursor.")] = None,
    organization: Organizations = None,
    to_queue: Annotated[
        str | None, typer.Option(metavar="NAME", help="To this queue alone; otherwise to bridge.events, for everybody.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All there is, to everybody.")] = False,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Send stored events once more: the same bytes, id and sequence, marked by the header `bridge-replay`.

    A running bridge does it, in order for each subject; Ctrl-C ends it. Times are those of recording. The queue has to
    be there, and cannot be one of the bridge's own.

    Example: bridge events replay --since 6h --to-queue warehouse
    """
    from bridge.cli.handing import hand_over
    from bridge.cli.values import body
    from bridge.commands.models import ReplayEvents

    asked = body(
        ReplayEvents,
        subject=subject,
        type=kind,
        since=since,
        until=until,
        after=after,
        organizations=tuple(organization or ()),
        to_queue=to_queue,
        all=everything,
    )
    running.run(hand_over(running.settings(), asked, wait_s=wait, as_json=as_json, told=_told))


def _told(result: Any) -> str:
    """Say in words what came of a replay."""
    sent = f"{result['events']} events sent to {result['to']}" if result["events"] else "no such events"
    return f"{sent}; older ones were deleted for their age (BRIDGE_RETENTION__EVENTS)" if result.get("pruned") else sent
