"""`bridge events`: look at the events this bridge has recorded, and send them once more."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli import running
from bridge.cli.running import Json

verbs = running.group("The events this bridge has recorded.")

Subject = Annotated[str | None, typer.Option(help="Only this subject, e.g. shipment/123.")]
Type = Annotated[str | None, typer.Option("--type", help="Only this type, e.g. bridge.shipment.confirmed.v1.")]


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
    from bridge.store.opening import existing

    settings = running.settings()

    async def work() -> int:
        database = existing(settings.database)
        try:
            await tail(SqlFeed(database), last=last, follow=follow, wanted=Filter(kind, subject), as_json=as_json)
        finally:
            await database.close()
        return 0

    running.run(work())
