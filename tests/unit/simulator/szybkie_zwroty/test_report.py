"""The report: which codes are in it, and what it says of their parcels."""

from __future__ import annotations

import pytest

from .conftest import Opened
from .hatch import ORDER, Hatch, read, sample, written


async def test_a_row_says_what_became_of_a_code(hatch: Hatch) -> None:
    code = await hatch.generated()
    row = await hatch.row(code)
    assert (row["active"], row["reverseReturnPackCode"], row["rma"]) == ("true", "", "RMA1")
    await hatch.move(code, "delivered")
    row = await hatch.row(code)
    assert (row["active"], row["reverseReturnPackStatus"]) == ("false", "delivered")
    assert len(row["reverseReturnPackCode"]) == 24
    known = {one.tag for one in read(sample("report")).find("return/item_0") or []}
    assert known <= row.keys()


async def test_inactive_codes_are_not_in_it(hatch: Hatch) -> None:
    [_, code] = await hatch.stocked(2)
    await hatch.answered("revlogactivatecode", written({"code": code, **ORDER}))
    assert await hatch.reported() == [code]


async def test_the_filters_are_those_of_the_page(hatch: Hatch) -> None:
    first, second = await hatch.generated(), await hatch.generated(rma="RMA2")
    await hatch.move(first, "dispatched_by_sender")
    number = (await hatch.row(first))["reverseReturnPackCode"]
    for section, expected in [
        ({"used": "true"}, [first]),
        ({"used": "FALSE"}, [second]),
        ({"active": "true"}, [second]),
        ({"packCode": number}, [first]),
        ({"rma": "RMA2"}, [second]),
        ({"code": first}, [first]),
        ({"code": first, "rma": "RMA2"}, []),
    ]:
        assert await hatch.reported(written(section)) == expected


@pytest.mark.parametrize("place", ["siblings", "nested"])
@pytest.mark.parametrize("looked", ["any", "siblings", "nested"])
async def test_days_and_pages_stand_beside_or_inside(opened: Opened, place: str, looked: str) -> None:
    hatch = await opened(sections=looked)
    first, second = await hatch.generated(), await hatch.generated()
    days = written({"startDate": "2026-03-18", "endDate": "2026-03-18"}, "dateRange")
    paging = written({"limit": "1", "offset": "1"}, "paging")
    inside = f"<paczkomaty>{days}{paging}</paczkomaty>"
    content = inside if place == "nested" else f"<paczkomaty/>{days}{paging}"
    if looked == "nested" and place == "siblings":
        assert await hatch.error("revloggetreport", content) == "Nieprawidłowy dokument XML"
    else:
        unread = looked == "siblings" and place == "nested"
        assert await hatch.reported(content) == ([first, second] if unread else [second])


async def test_the_days_are_those_of_creation_in_poland(hatch: Hatch) -> None:
    code = await hatch.generated()
    await hatch.stage.advance(11.6 * 3600)  # past midnight in Poland, not yet in UTC
    later = await hatch.generated(rma="RMA2")
    for day, expected in (("2026-03-18", [code]), ("2026-03-19", [later]), ("2026-03-17", [])):
        section = written({"startDate": day, "endDate": day}, "dateRange")
        assert await hatch.reported(f"<paczkomaty/>{section}") == expected


async def test_the_first_row_may_be_the_first(opened: Opened) -> None:
    hatch = await opened(first_row=1)
    code = await hatch.generated()
    assert await hatch.reported(f"<paczkomaty/>{written({'offset': '1'}, 'paging')}") == [code]


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ({"limit": "1001"}, "paging"),
        ({"limit": "0"}, "paging"),
        ({"offset": "-1"}, "paging"),
        ({"startDate": "18.03.2026"}, "dateRange"),
        ({"used": "yes"}, "paczkomaty"),
    ],
)
async def test_what_is_not_valid_is_refused(hatch: Hatch, section: dict[str, str], name: str) -> None:
    content = written(section, name) if name == "paczkomaty" else f"<paczkomaty/>{written(section, name)}"
    assert (await hatch.error("revloggetreport", content)).endswith(next(iter(section)))


async def test_a_new_code_may_be_missing_for_a_while(opened: Opened) -> None:
    hatch = await opened(report_lag=5)
    code = await hatch.generated()
    assert await hatch.reported() == []
    await hatch.stage.advance(5)
    assert await hatch.reported() == [code]


async def test_what_nobody_uses_expires_and_goes_no_way(opened: Opened) -> None:
    hatch = await opened(courses=[{"name": "late", "steps": [{"status": "delivered", "after": 600_000}]}])
    expiring = await hatch.generated(expirationDate="2026-03-20T11:00:00")
    used = await hatch.generated(rma="RMA2")
    await hatch.stage.advance(600_000)
    assert ((await hatch.row(expiring))["active"], (await hatch.row(expiring))["dateUsed"]) == ("false", "")
    assert (await hatch.row(used))["reverseReturnPackStatus"] == "delivered"


async def test_only_the_parcel_of_an_ordered_code_can_be_moved(hatch: Hatch) -> None:
    [inactive] = await hatch.stocked()
    assert (await hatch.move(inactive, "delivered"), await hatch.move("x", "delivered")) == (404, 404)
    listed = (await hatch.stage.control("szybkie-zwroty/codes"))["items"]
    assert [(one["code"], one["active"], one["valid"], one["used"]) for one in listed] == [
        (inactive, False, True, False)
    ]
