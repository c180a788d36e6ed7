"""`bridge backfill`: what was created since a date is asked about, whatever is known of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Organizations, Wait, body, moment


def backfill(
    since: Annotated[
        Any, typer.Option(parser=moment, metavar="TIME", help="From this creation on: 2026-11-01, or 90m, 6h, 2d ago.")
    ],
    organization: Organizations = None,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Ask the carrier about every shipment created since then, and tell what is not known yet; nothing is told twice.

    A running bridge does it, page after page, behind all other calls. What the carrier cancelled is in no list of it.

    Example: bridge backfill --since 2026-11-01 --organization 4821
    """
    from bridge.cli.handing import hand_over
    from bridge.commands.models import Backfill

    asked = body(Backfill, since=since, organizations=tuple(organization or ()))
    running.run(hand_over(running.settings(), asked, wait_s=wait, as_json=as_json, told=_told))


def _told(result: Any) -> str:
    """Say in words what came of it."""
    facts = ", ".join(f"{number} {fact}" for fact, number in sorted(result["facts"].items()))
    return f"asked about {result['shipments']} shipments: {facts or 'nothing new'}"
