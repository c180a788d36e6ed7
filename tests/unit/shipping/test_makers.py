"""A ticket of InPost Returns is known again by its sender and its time, whatever else a list has."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.errors import CarrierUnavailable
from bridge.limits.connection import Purpose
from bridge.returns.draft import Party, ReturnDraft
from bridge.returns.listed import Listed, TicketPage, TicketQuery
from bridge.shipping.returns.makers import Making, TicketMaker

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
SENDER = Party(email="jan@example.com", phone="+48500100200")


def listed(id_: str, created_at: datetime | None, email: str = "jan@example.com") -> Listed:
    return Listed(id=id_, status="NEW", sender_email=email, sender_phone="+48 500 100 200", created_at=created_at)


class Unfiltered:
    """A desk that lists all it has, whichever time it is asked for."""

    def __init__(self, *tickets: Listed, at: datetime) -> None:
        self._tickets = tickets
        self._at = at

    async def tickets(self, query: TicketQuery, _purpose: Purpose = Purpose.sweep) -> TicketPage:
        found = [one for one in self._tickets if one.status == query.status]
        return TicketPage(tuple(found), 0, is_last=True, at=self._at)


async def _found(*tickets: Listed, at: datetime = T0) -> str | None:
    async def linked(ids: Collection[str]) -> set[str]:
        return {"linked"} & set(ids)

    desk: Any = Unfiltered(*tickets, at=at)
    maker = TicketMaker(desk, linked, lambda: T0)
    draft = ReturnDraft("ORDER 1", SENDER)
    making = Making("a" * 32, draft, maker.sender(draft))
    found = await maker.look(making, T0, T0 + timedelta(minutes=1))
    return None if found is None else found.provider_reference


@pytest.mark.parametrize(
    ("tickets", "reference"),
    [
        pytest.param([listed("own", T0), listed("old", T0 - timedelta(days=100))], "own", id="not an old one"),
        pytest.param([listed("old", T0 - timedelta(seconds=1))], None, id="none that was made before"),
        pytest.param([listed("new", T0 + timedelta(minutes=7))], None, id="none that was made later"),
        pytest.param([listed("ahead", T0 + timedelta(minutes=5))], "ahead", id="by a clock that is fast"),
        pytest.param([listed("own", None)], "own", id="one that does not say when"),
        pytest.param([listed("other", T0, "eva@example.com")], None, id="nobody else's"),
    ],
)
async def test_a_ticket_is_taken_for_a_return_only_where_it_was_made_in_its_time(
    tickets: Sequence[Listed], reference: str | None
) -> None:
    assert await _found(*tickets) == reference


@pytest.mark.parametrize("missing", [{"sender_email": None}, {"sender_phone": None}, {"sender_phone": "no phone"}])
async def test_where_a_ticket_says_not_clearly_whose_it_is_nobody_says_that_there_is_none(
    missing: dict[str, Any],
) -> None:
    vague = replace(listed("vague", T0), **missing)
    with pytest.raises(CarrierUnavailable, match="nameless_tickets"):
        await _found(vague)
    assert await _found(vague, listed("own", T0)) == "own"
    assert await _found(replace(vague, id="linked")) is None
    assert await _found(replace(vague, created_at=T0 - timedelta(days=1))) is None


@pytest.mark.parametrize("apart", [timedelta(minutes=-5), timedelta(minutes=4, seconds=1), timedelta(hours=2)])
async def test_nobody_says_that_there_is_none_by_a_clock_that_is_wrong(apart: timedelta) -> None:
    with pytest.raises(CarrierUnavailable, match="clocks_differ"):
        await _found(at=T0 + apart)
    with pytest.raises(CarrierUnavailable, match="clocks_differ"):
        await _found(listed("linked", T0), listed("other", T0, "eva@example.com"), at=T0 + apart)
    assert await _found(listed("own", T0), at=T0 + apart) == "own"


@pytest.mark.parametrize("apart", [timedelta(minutes=-4), timedelta(0), timedelta(minutes=4)])
async def test_a_clock_that_is_off_by_a_little_is_none_that_is_wrong(apart: timedelta) -> None:
    assert await _found(at=T0 + apart) is None
