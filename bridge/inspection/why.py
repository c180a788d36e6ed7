"""`bridge why`: what happened to one subject, why, and what is going to happen."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from pydantic_core import to_json

from bridge.inspection.outlook import clock, outlook
from bridge.inspection.timeline import Moment, timeline
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
    lines, next_ = timeline(found), outlook(found, now, settle)
    print(_document(found, lines, next_) if as_json else _page(found, lines, next_))
    return 0


def _of(organization: int | None) -> str:
    return "" if organization is None else f" of organization {organization}"


def _page(found: Story, lines: list[Moment], next_: list[str]) -> str:
    """Write it for people."""
    head = [f"{found.name} of {found.source}"]
    if found.deleted:
        head.append(f"deleted for their age, {len(found.deleted)} events: {', '.join(found.deleted)}")
    told = [f"{clock(one.at)}  {one.kind:<{_WIDTH}}  {one.text}" for one in lines]
    return "\n".join([*head, "", *told, "", *(f"next: {one}" for one in next_)])


def _document(found: Story, lines: list[Moment], next_: list[str]) -> str:
    """Write it for programs."""
    document = {
        "subject": found.name,
        "source": found.source,
        "timeline": [{"at": one.at, "kind": one.kind, **one.details} for one in lines],
        "purchase": None if found.purchase is None else asdict(found.purchase),
        "deleted_events": found.deleted,
        "next": next_,
    }
    return to_json(document, indent=2).decode()
