"""Where a parcel is and which words there are, as the carrier tells anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpx import HTTPXMock

from bridge.carriers.shipx.paths import number, tracked
from bridge.tracking.dictionary import Dictionary, StatusText
from bridge.tracking.trail import Step, Tracking
from tests.unit.carriers.shipx.families import ShipxShipping

from .stage import refused, sample, unavailable

NUMBER = "620000000000000000000019"
TRAIL = Tracking(
    number=NUMBER,
    status="adopted_at_source_branch",
    service="inpost_courier_standard",
    steps=(
        Step("adopted_at_source_branch", datetime(2026, 3, 19, 17, 2, 41, tzinfo=UTC)),
        Step("confirmed", datetime(2026, 3, 18, 11, 32, 11, 870000, UTC)),
    ),
    target_point="KRA010",
    created_at=datetime(2026, 3, 18, 11, 31, 58, 79000, UTC),
    updated_at=datetime(2026, 3, 19, 17, 2, 41, tzinfo=UTC),
)


async def test_a_trail_is_read_newest_first(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("tracking"))
    assert await shipping.tracker.track(NUMBER) == TRAIL


async def test_a_locker_may_stand_under_its_older_name(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("tracking_point"))
    found = await shipping.tracker.track("620000000000000000000027")
    assert (found.target_point, found.steps) == (
        "KRA010",
        (Step("delivered", datetime(2015, 11, 5, 22, 15, 5, tzinfo=UTC), "DOR", "KRK"),),
    )


@pytest.mark.parametrize(
    ("step", "steps", "unread"),
    [
        pytest.param({"status": "delivered"}, 2, 1, id="without a time"),
        pytest.param({"status": "Anna Kowalska", "datetime": "2026-03-19T18:02:41+01:00"}, 2, 1, id="no word"),
        pytest.param({"status": "delivered", "datetime": "2026-03-19T18:02:41"}, 2, 1, id="a time of nowhere"),
        pytest.param(None, 2, 1, id="nothing"),
        pytest.param(
            {"status": "delivered", "datetime": "2026-03-19T18:02:41+01:00", "agency": 5}, 3, 0, id="its rest"
        ),
    ],
)
async def test_a_step_that_cannot_be_read_takes_no_other_along(
    step: Any, steps: int, unread: int, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    found = sample("tracking")
    httpx_mock.add_response(json=found | {"tracking_details": [step, *found["tracking_details"]]})
    trail = await shipping.tracker.track(NUMBER)
    assert (len(trail.steps), trail.unread) == (steps, unread)


async def test_a_trail_without_steps(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"tracking_number": NUMBER, "status": "created", "tracking_details": None})
    assert await shipping.tracker.track(NUMBER) == Tracking(NUMBER, "created", None, ())


async def test_the_trail_of_another_parcel_is_none(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("tracking"))
    assert (await unavailable(shipping.tracker.track("620000000000000000000020"))).reason == "another_parcel"


async def test_a_parcel_that_nobody_knows(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=404, json=sample("error_public_not_found"))
    error = await refused(shipping.tracker.track(NUMBER))
    assert (error.key, error.status) == ("resource_not_found", 404)


async def test_the_words_that_there_are(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=sample("statuses"))
    words = await shipping.tracker.statuses()
    assert [one.name for one in words.statuses] == ["created", "offers_prepared", "canceled"]
    assert words.unread == 0


async def test_a_word_may_have_no_text_and_one_that_cannot_be_read_takes_no_other_along(
    shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    items = [{"name": "missing", "title": None}, {"name": "no word"}, {"title": "x"}]
    httpx_mock.add_response(json={"items": items})
    assert await shipping.tracker.statuses("pl_PL") == Dictionary((StatusText("missing", None, None),), unread=2)


@pytest.mark.parametrize("text", ["", "..", "1/../2", "1?x", "6" * 41, "62 00", "ą", "1\n", "%2e"])
async def test_what_is_no_number_is_in_no_path(text: str, shipping: ShipxShipping) -> None:
    with pytest.raises(ValueError, match="not a tracking number"):
        await shipping.tracker.track(text)
    with pytest.raises(ValueError, match="not a tracking number"):
        tracked(text)


@pytest.mark.parametrize("value", [0, -1, 10**18, True, "5", 1.0, None])
def test_what_is_no_id_is_in_no_path(value: Any) -> None:
    with pytest.raises(ValueError, match="not an id"):
        number(value)
