"""Szybkie Zwroty against its stand-in, in every way in which the pages can be understood."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from bridge.carriers.szybkie_zwroty.codec import ReportForm
from bridge.errors import CarrierRefused
from bridge.events.statuses import ReturnStatus
from bridge.returns.codes import CodeQuery
from tests.contract.returns.szybkie_zwroty import SzybkieZwrotyStage, settings

WAYS = [
    dict(zip(("elements", "errors", "error_status", "answer", "dates"), one, strict=True))
    for one in product(("numbered", "item"), ("text", "key"), (200, 404), ("whole", "short"), ("lenient", "strict"))
][::3]
"""A third of all combinations, each value of each with the others'."""


@pytest.fixture
async def stages() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def opened(stages: AsyncExitStack, **terms: Any) -> SzybkieZwrotyStage:
    told = {"szybkie_zwroty": {**settings()["szybkie_zwroty"], **terms}}
    return await stages.enter_async_context(SzybkieZwrotyStage(told))


def query(stage: SzybkieZwrotyStage, **changes: Any) -> CodeQuery:
    return replace(CodeQuery(stage.in_days(-1).date(), stage.in_days(1).date()), **changes)


@pytest.mark.parametrize("terms", WAYS, ids=lambda terms: "-".join(map(str, terms.values())))
async def test_both_scenarios_of_the_pages(terms: dict[str, Any], stages: AsyncExitStack) -> None:
    stage = await opened(stages, **terms)
    client = stage.client

    at_once = await stage.make()
    first, second, third = await client.make_spare(3)
    assert not any(one.is_active for one in (first, second, third))
    activated = await client.activate(first.code, stage.draft, "RMA-2")
    without_rma = await client.activate(second.code, stage.draft)
    await client.invalidate(third.code)
    with pytest.raises(CarrierRefused):
        await client.activate(third.code, stage.draft)
    with pytest.raises(CarrierRefused):
        await client.invalidate(first.code)

    assert (activated.code, without_rma.code) == (first.code, second.code)
    assert at_once.expires_at is not None
    assert stage.draft.expires_at is not None
    assert at_once.expires_at < stage.draft.expires_at
    rows = {one.code: one.rma async for one in client.reported(query(stage))}
    assert rows == {at_once.code: "RMA1", first.code: "RMA-2", second.code: None}


@pytest.mark.parametrize(("form", "sections"), [("siblings", "siblings"), ("nested", "nested"), ("siblings", "any")])
async def test_a_report_is_asked_for_as_they_understand_it(
    form: ReportForm, sections: str, stages: AsyncExitStack
) -> None:
    stage = await opened(stages, sections=sections)
    stage.report_form = form
    stage.open(stage.SECRETS[-1])
    for number in range(5):
        await stage.make(str(number))
    found = [one.rma async for one in stage.client.reported(query(stage, limit=2))]
    assert found == [f"RMA{number}" for number in range(5)]
    assert [one.rma for one in (await stage.client.report(query(stage, rma="RMA3"))).codes] == ["RMA3"]
    outside = query(stage, since=stage.in_days(-9).date(), until=stage.in_days(-8).date())
    assert (await stage.client.report(outside)).codes == ()


async def test_what_was_sent_is_followed_by_its_flags_and_its_parcel(stages: AsyncExitStack) -> None:
    stage = await opened(stages)
    ticket = await stage.make()
    seen = []
    for status in (None, "taken_by_courier", "delivered"):
        if status is not None:
            path = f"/_control/szybkie-zwroty/codes/{ticket.code}/statuses"
            assert (await stage.carrier.client.post(path, json={"status": status})).status_code == 200
        [row] = (await stage.client.report(query(stage, code=ticket.code))).codes
        seen.append(stage.client.meaning(stage.client.word(row, ticket.expires_at)).returned)
    assert seen == [ReturnStatus.accepted, ReturnStatus.dropped_off, ReturnStatus.delivered]
    [row] = (await stage.client.report(query(stage, is_used=True, tracking_number=row.tracking_number))).codes
    assert row.code == ticket.code


async def test_a_code_that_is_late_in_the_report_is_not_there_yet(stages: AsyncExitStack) -> None:
    stage = await opened(stages, report_lag=60)
    await stage.make()
    assert await stage.find() is None
    await stage.carrier.advance(61)
    assert await stage.find() is not None
