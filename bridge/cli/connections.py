"""`bridge connections`: what stands against a purchase at each carrier, and pausing by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Wait, body

verbs = running.group("Connections to carriers: one for each organization, such as shipx/4821.")

Name = Annotated[str, typer.Argument(help="Which one, as `bridge connections list` names it: shipx/4821.")]


@verbs.command("list")
def list_connections(as_json: Json = False) -> None:
    """List the connections: paused, left alone for a while, degraded or ready, and how many calls are under way.

    One that the settings have no token for any more is listed as `not_configured`.

    Example: bridge connections list --json | jq '.items[] | select(.state != "ready")'
    """
    from pydantic_core import to_json

    from bridge.app.stores import connection_names
    from bridge.cli.table import table
    from bridge.connections.document import document
    from bridge.connections.words import HEADS, row
    from bridge.events.cloudevents import Envelope
    from bridge.store.connections import SqlConnections
    from bridge.store.facts import Recorder
    from bridge.store.migrate import require_current
    from bridge.store.opening import existing

    settings = running.settings()

    async def work() -> int:
        database = existing(settings.database)
        try:
            await database.read(require_current)
            recorder = Recorder(Envelope(settings.environment))
            found = await SqlConnections(database, recorder, connection_names(settings)).list()
        finally:
            await database.close()
        if as_json:
            print(to_json({"items": [document(one) for one in found]}, indent=2).decode())
        else:
            print(table(HEADS, map(row, found)))
        return 0

    running.run(work())


@verbs.command("pause")
def pause(name: Name, wait: Wait = WAIT_S, as_json: Json = False) -> None:
    """Begin no purchase on a connection any more, in any replica; what is in doubt is still settled.

    A purchase that has its turn already, for at most 8 seconds, is still made.

    A running bridge does it. Example: bridge connections pause shipx/4821
    """
    from bridge.cli.handing import hand_over
    from bridge.commands.models import PauseConnection

    asked = body(PauseConnection, name=name)
    running.run(hand_over(running.settings(), asked, wait_s=wait, as_json=as_json, told=lambda _: f"{name} is paused."))


@verbs.command("resume")
def resume(name: Name, wait: Wait = WAIT_S, as_json: Json = False) -> None:
    """Buy again on a connection, whoever paused it; what waited and is still in its window is decided now.

    What the pause kept from being bought is wanted again, with new offers, where the policy says so.

    A running bridge does it. Example: bridge connections resume shipx/4821
    """
    from bridge.cli.handing import hand_over
    from bridge.commands.models import ResumeConnection

    asked = body(ResumeConnection, name=name)
    running.run(
        hand_over(running.settings(), asked, wait_s=wait, as_json=as_json, told=lambda _: f"{name} buys again.")
    )
