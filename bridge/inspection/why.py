"""`bridge why`: what happened to one subject, why, and what is going to happen."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import Final

from pydantic_core import to_json

from bridge.inspection.document import document
from bridge.inspection.outlook import outlook
from bridge.inspection.timeline import timeline
from bridge.inspection.words import clock
from bridge.store.database import Database
from bridge.store.story import Story, sources, story

_WIDTH: Final = len("delivery")


async def why(
    database: Database, name: str, organization: int | None, *, now: datetime, settle: timedelta, as_json: bool
) -> int:
    """Print the timeline of a subject; gives the exit code."""
    known = await database.read(lambda transaction: sources(transaction, name))
    if organization is not None:
        known = [one for one in known if one == f"/shipx/{organization}"]
    if not known:
        print(f"bridge why: nothing is known of {name}{_of(organization)}", file=sys.stderr)
        return 1
    if len(known) > 1:
        print(f"bridge why: {name} is known to several: {', '.join(known)}; add --organization", file=sys.stderr)
        return 2
    found = await database.read(lambda transaction: story(transaction, known[0], name))
    if as_json:
        about = {"subject": found.name, "source": found.source}
        print(to_json({**about, **document(found, now, settle)}, indent=2).decode())
    else:
        print(_page(found, now, settle))
    return 0


def _of(organization: int | None) -> str:
    return "" if organization is None else f" of organization {organization}"


def _page(found: Story, now: datetime, settle: timedelta) -> str:
    """Write it for people."""
    head = [f"{found.name} of {found.source}"]
    if found.deleted:
        head.append(f"deleted for their age, {len(found.deleted)} events: {', '.join(found.deleted)}")
    told = [f"{clock(one.at)}  {one.kind:<{_WIDTH}}  {one.text}" for one in timeline(found)]
    return "\n".join([*head, "", *told, "", *(f"next: {one}" for one in outlook(found, now, settle))])
