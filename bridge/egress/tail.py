"""`bridge events tail`: the feed on a terminal."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Final

from bridge.commands.waiting import PATIENCE_S
from bridge.errors import StoreUnavailable
from bridge.events.catalogue import CATALOGUE, versioned
from bridge.model import Event
from bridge.store.feed import Filter, Page, SqlFeed

_PAGE: Final = 500
_POLL_S: Final = 0.5
_NONE: Final = "no events yet"
_NONE_SUCH: Final = "no such events yet"
_TIME_WIDTH: Final = len("2026-03-22T08:41:10.482Z")
_TYPE_WIDTH: Final = max(len(versioned(kind.type)) for kind in CATALOGUE)


async def tail(feed: SqlFeed, *, last: int, follow: bool, wanted: Filter, as_json: bool) -> None:
    """Print the last events, and what follows them where that is asked for."""
    cursor = await feed.before(last, wanted)
    is_silent = last > 0
    while True:
        page = await _page(feed, cursor, wanted)
        is_silent = is_silent and not page.events
        if is_silent and page.is_last:
            print(_NONE if wanted == Filter() else _NONE_SUCH, file=sys.stderr, flush=True)
            is_silent = False
        _print(page.events, as_json=as_json)
        cursor = page.cursor
        if page.is_last and not follow:
            return
        if page.is_last:
            await asyncio.sleep(_POLL_S)


async def _page(feed: SqlFeed, cursor: str, wanted: Filter) -> Page:
    """Give what comes next; a database that is away for a moment is waited for. Raises StoreUnavailable."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await feed.page(cursor, _PAGE, wanted)
        except StoreUnavailable:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(_POLL_S)


def _print(events: Sequence[Event], *, as_json: bool) -> None:
    for event in events:
        print(event.body.decode() if as_json else line(event), flush=True)


def line(event: Event) -> str:
    """Write an event as one line for people, under the time at which the bridge recorded it."""
    document = json.loads(event.body)
    data = document["data"]
    told = [data[key] for key in ("tracking_status", "carrier_status", "reason", "service_id") if data.get(key)]
    number = data.get("tracking_number")
    return "  ".join(
        [
            f"{document['recordedtime']:<{_TIME_WIDTH}}",
            f"{event.subject.name:<22}",
            f"{event.sequence:>4}",
            f"{versioned(event.type):<{_TYPE_WIDTH}}",
            " ".join(map(str, told)),
            str(number or ""),
        ]
    ).rstrip()
