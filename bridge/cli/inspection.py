"""The verbs that only read the database: `bridge audit` and `bridge why`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.cli.values import Since
from bridge.lifecycle import utc_now

if TYPE_CHECKING:  # what a verb needs is imported when it runs
    from bridge.settings import Settings
    from bridge.store.database import ManagedDatabase

_SUBJECT = re.compile(r"(connection/)?[a-z_]{1,32}/[A-Za-z0-9_.:-]{1,64}")
"""A connection's name is one of two parts itself: `connection/shipx/4821`."""


def audit(since: Since = None, as_json: Json = False) -> None:
    """Check that the books add up: deliveries, facts and events, sequences, publishes, purchases; with their figures.

    Reads one consistent view while the service runs. Exits 0 when all is balanced, 1 when something is not, with what
    and examples.

    Example: bridge audit --since 7d
    """
    from bridge.inspection.audit import audit as run

    async def work(settings: Settings, database: ManagedDatabase) -> int:
        return await run(database, now=utc_now(), since=since, settle=_settle(settings), as_json=as_json)

    running.with_database(work)


def why(
    subject: Annotated[
        str, typer.Argument(help="What it is about: shipment/3900000017, return/7c1d0b6a5e5c4f0f9a2b8d3e6f1a4c97.")
    ],
    organization: Annotated[
        int | None, typer.Option(help="Whose it is, where several organizations have one of this number.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell what happened to a shipment, why, and what is next: deliveries, reads, decisions, calls, events, publishes.

    Of a return: who was to make it, what was sent and found, events. With --json it is what
    `GET /v1/shipments/{shipment_id}` answers.

    Example: bridge why shipment/3900000017 --json | jq .outlook
    """
    from bridge.inspection.why import why as run

    if not _SUBJECT.fullmatch(subject):
        raise typer.BadParameter(
            "a subject is written like shipment/3900000017, or connection/shipx/4821", param_hint="SUBJECT"
        )

    async def work(settings: Settings, database: ManagedDatabase) -> int:
        return await run(database, subject, organization, now=utc_now(), settle=_settle(settings), as_json=as_json)

    running.with_database(work)


def _settle(settings: Settings) -> timedelta:
    return timedelta(seconds=settings.purchasing.settle_s)
