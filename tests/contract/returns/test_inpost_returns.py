"""InPost Returns against its stand-in: lists by every filter, labels, tokens that end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from bridge.carriers.inpost_returns.words import TicketStatus
from bridge.errors import CarrierRefused, NoPermit
from bridge.returns.listed import TicketQuery
from bridge.returns.ticket import Ticket
from tests.contract.returns.inpost_returns import InPostReturnsStage, settings


class Desk(InPostReturnsStage):
    """The stage, with what only this provider has."""

    async def several(self, number: int) -> list[Ticket]:
        """Make tickets, one a minute."""
        made = []
        for _ in range(number):
            made.append(await self.make())
            await self.carrier.advance(60)
        return made

    def query(self, **changes: Any) -> TicketQuery:
        return replace(TicketQuery(self.in_days(-1), self.in_days(1), "NEW"), **changes)

    async def pages(self, **changes: Any) -> list[list[str | None]]:
        """Read the list to its end, page by page."""
        found: list[list[str | None]] = []
        while True:
            page = await self.client.tickets(self.query(page=len(found), **changes))
            found.append([one.id for one in page.tickets])
            if page.is_last:
                return found

    async def move(self, ticket: Ticket, status: str) -> None:
        path = f"/_control/inpost-returns/tickets/{ticket.provider_reference}/statuses"
        assert (await self.carrier.client.post(path, json={"status": status})).status_code == 200

    def listed(self) -> list[dict[str, str]]:
        """Give what was asked of the list."""
        queries = [one.url.query.decode() for one in self.wire.requests if one.url.query]
        return [{name: values[0] for name, values in parse_qs(one).items()} for one in queries]


@pytest.fixture
async def stages() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def opened(stages: AsyncExitStack, account: dict[str, Any] | None = None, **terms: Any) -> Desk:
    told = settings(**(account or {}))
    return await stages.enter_async_context(Desk({"inpost_returns": {**told["inpost_returns"], **terms}}))


async def test_a_list_is_read_page_by_page_each_ticket_once(stages: AsyncExitStack) -> None:
    desk = await opened(stages)
    made = [one.provider_reference for one in await desk.several(5)]
    assert await desk.pages(size=2) == [made[:2], made[2:4], made[4:]]
    assert await desk.pages(size=5, sort="createdAt,desc") == [made[::-1], []]


@pytest.mark.parametrize("count", ["total", "page"])
async def test_whatever_count_counts_pages_end_where_they_end(count: str, stages: AsyncExitStack) -> None:
    desk = await opened(stages, count=count)
    made = [one.provider_reference for one in await desk.several(3)]
    assert await desk.pages(size=2) == [made[:2], made[2:]]


@pytest.mark.parametrize("case", ["upper", "lower"])
async def test_a_ticket_is_listed_by_its_status_however_that_is_written(case: str, stages: AsyncExitStack) -> None:
    desk = await opened(stages, status_case=case)
    [ticket] = await desk.several(1)
    for status in TicketStatus:
        await desk.move(ticket, status)
        listed = {
            one: [row.id for row in (await desk.client.tickets(desk.query(status=one))).tickets] for one in TicketStatus
        }
        assert {one for one, ids in listed.items() if ids} == {status}
        assert desk.client.meaning(status.lower()) == desk.client.meaning(status)


@pytest.mark.parametrize("dates", ["plain", "zoned"])
async def test_a_window_holds_what_was_made_in_it_however_times_are_wanted(dates: str, stages: AsyncExitStack) -> None:
    desk = await opened(stages, dates=dates)
    first, second, _ = await desk.several(3)
    begun = desk.now() - timedelta(minutes=3)
    for changes, wanted in (
        ({"created_from": begun, "created_to": begun}, [first]),
        ({"created_from": begun + timedelta(seconds=1), "created_to": begun + timedelta(seconds=60)}, [second]),
    ):
        assert await desk.pages(**changes) == [[one.provider_reference for one in wanted]]
    headers = {one.headers.get("accept-time-zone") for one in desk.wire.requests if one.url.query}
    assert headers == {"UTC"}
    assert desk.listed()[-1].keys() == {"dateFrom", "dateTo", "status", "page", "size"}


async def test_times_of_the_list_are_moments_and_what_has_not_come_is_none(stages: AsyncExitStack) -> None:
    desk = await opened(stages)
    made_at = desk.now()
    [ticket] = await desk.several(1)
    await desk.move(ticket, "DELIVERED")
    [row] = (await desk.client.tickets(desk.query(status="DELIVERED"))).tickets
    assert (row.created_at, row.delivered_at, row.sent_at) == (made_at, desk.now(), desk.now())
    assert (row.sender_email, row.sender_phone) == ("ewa@example.com", "+48500600700")


@pytest.mark.parametrize("host", ["own", "foreign"])
async def test_a_label_is_fetched_from_them_wherever_they_say_it_is(host: str, stages: AsyncExitStack) -> None:
    desk = await opened(stages, label_host=host)
    [ticket] = await desk.several(1)
    label = await desk.label(ticket)
    assert label is not None
    assert label.content.startswith(b"%PDF-")
    assert {one.url.host for one in desk.wire.requests} == {"carrier"}


async def test_without_labels_there_is_none(stages: AsyncExitStack) -> None:
    desk = await opened(stages, {"labels": False})
    [ticket] = await desk.several(1)
    assert ticket.label_url is None
    with pytest.raises(CarrierRefused, match="not_found"):
        await desk.label(ticket)


@pytest.mark.parametrize("echoes", [False, True])
async def test_what_they_repeat_or_leave_out_changes_nothing(echoes: bool, stages: AsyncExitStack) -> None:
    desk = await opened(stages, {"numbers": False}, echoes=echoes)
    [ticket] = await desk.several(1)
    assert ticket.is_usable
    assert ticket.tracking_number is None
    [row] = (await desk.client.tickets(desk.query())).tickets
    assert (row.id, row.expires_at) == (ticket.provider_reference, desk.draft.expires_at)


async def test_a_token_that_ended_is_renewed_and_no_ticket_is_made_twice(stages: AsyncExitStack) -> None:
    desk = await opened(stages)
    await desk.several(1)
    assert (await desk.carrier.client.delete("/_control/inpost-returns/tokens")).status_code == 204
    with pytest.raises(NoPermit, match="token_renewed"):
        await desk.make()
    assert await desk.made() == 1
    await desk.make()
    assert await desk.made() == 2
    assert (await desk.carrier.client.delete("/_control/inpost-returns/tokens")).status_code == 204
    assert len((await desk.client.tickets(desk.query())).tickets) == 2
