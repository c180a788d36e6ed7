"""`bridge events tail`: the feed on a terminal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Final

from bridge.model import Event
from bridge.store.feed import Filter, SqlFeed

_PAGE: Final = 500
_POLL_S: Final = 0.5


async def tail(feed: SqlFeed, *, last: int, follow: bool, wanted: Filter, as_json: bool) -> None:
    """Print the last events, and what follows them where that is asked for."""
    cursor = await feed.before(last, wanted)
    while True:
        page = await feed.page(cursor, _PAGE, wanted)
        _print(page.events, as_json=as_json)
        cursor = page.cursor
        if page.is_last and not follow:
            return
        if page.is_last:
            await asyncio.sleep(_POLL_S)


def _print(events: Sequence[Event], *, as_json: bool) -> None:
    for event in events:
        print(event.body.decode() if as_json else line(event), flush=True)


def line(event: Event) -> str:
    """Write an event as one line for people."""
    document = json.loads(event.body)
    data = document["data"]
    told = [data[key] for key in ("tracking_status", "carrier_status", "reason", "service_id") if data.get(key)]
    number = data.get("tracking_number")
    return "  ".join(
        [
            document["time"],
            f"{event.subject.name:<22}",
            f"{event.sequence:>4}",
            f"{event.type:<34}",
            " ".join(map(str, told)),
            str(number or ""),
        ]
    ).rstrip()
