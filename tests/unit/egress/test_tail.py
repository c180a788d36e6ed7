"""The feed on a terminal, through a database that is away for a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import pytest

from bridge.egress import tail as tailing
from bridge.egress.tail import tail
from bridge.errors import StoreUnavailable
from bridge.model import Event, EventId, Subject
from bridge.store.feed import Filter, Page, SqlFeed

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AWAY = StoreUnavailable("away")


class Over(Exception):
    """Nothing more is to come."""


def page(body: bytes) -> Page:
    subject = Subject("/shipx/1", "shipment/1")
    event = Event(1, EventId("id"), "shipment.confirmed", subject, 1, "a.b", "1", NOON, body)
    return Page((event,), body.decode(), is_last=True)


class Pages:
    """Gives what it is to give, page after page, and notes after which cursors it was asked."""

    def __init__(self, *given: Page | Exception) -> None:
        self.given: Sequence[Page | Exception] = given
        self.cursors: list[str] = []

    async def before(self, _last: int, _wanted: Filter) -> str:
        return "start"

    async def page(self, after: str, _limit: int, _wanted: Filter) -> Page:
        found = self.given[len(self.cursors)]
        self.cursors.append(after)
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(tailing, "_POLL_S", 0)


async def followed(pages: Pages) -> None:
    await tail(cast("SqlFeed", pages), last=1, follow=True, wanted=Filter(), as_json=True)


async def test_a_database_that_is_away_for_a_moment_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    pages = Pages(page(b"1"), AWAY, AWAY, page(b"2"), Over())
    with pytest.raises(Over):
        await followed(pages)
    assert capsys.readouterr().out.split() == ["1", "2"]
    assert pages.cursors == ["start", "1", "1", "1", "2"]


async def test_one_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailing, "PATIENCE_S", -1)
    with pytest.raises(StoreUnavailable):
        await followed(Pages(page(b"1"), AWAY))
