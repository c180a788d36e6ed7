"""Parcels of a platform are followed by what it learned since the last look, whatever its clock says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qs

import httpx
import pytest

from bridge.reconciling.returns.parcels import OVERLAP
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.reconciling.returns.watch import DAY, HOUR, MINUTE, Story, story
from tests.unit.shipping.returning import PLATFORM, SCENARIO
from tests.unit.shipping.settling import doubted, look_for

FAR: Final = "INSERT OR REPLACE INTO return_cursors VALUES ('intelligentreturns/main', 4000000000000000)"
"""As if all that the platform learned was read long ago."""


def asked(it: Story) -> Sequence[str]:
    """Name the methods that were called since this was asked last."""
    found = [url.path.split("/intelligentreturns/")[1].removesuffix("/json") for url in it.watch.way.asked]
    it.watch.way.asked.clear()
    return found


def spans(it: Story) -> Sequence[tuple[datetime, datetime]]:
    """List the times that were asked for since this was asked last."""
    asked = [json.loads(parse_qs(body.decode())["request"][0]) for body in it.watch.way.bodies if b"date_from" in body]
    it.watch.way.bodies.clear()
    times = [(int(one["filter"]["date_from"]), int(one["filter"]["date_to"])) for one in asked]
    return [(datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)) for since, until in times]


def way(it: Story, made: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """List the statuses that followed the booking."""
    booked, *others = it.statuses(made)
    assert booked == ("10", "created")
    return others


def test_many_parcels_cost_one_call() -> None:
    async def play() -> None:
        async with story() as it:
            made = [await it.made(PLATFORM, str(number), reference=f"R{number}") for number in range(5)]
            for number in range(5):
                await it.moved(PLATFORM, number, status="20")
            asked(it)
            await it.looked(PLATFORM)
            assert asked(it) == ["tracking/get_by_date_added_range"]
            assert {tuple(way(it, one)) for one in made} == {(("20", "dropped_off"),)}

    in_virtual_time(play())


def test_a_scan_that_becomes_known_late_is_told_and_changes_nothing() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            await it.looked(PLATFORM, 6 * HOUR)
            await it.moved(PLATFORM, status="40")
            await it.looked(PLATFORM)
            await it.moved(PLATFORM, status="20", ago=5 * HOUR)
            for _ in range(2):
                await it.looked(PLATFORM)
            _, at_hub, late = it.changes(made)
            assert (at_hub["return_status"], at_hub["current"]) == ("at_hub", True)
            assert (late["return_status"], late["current"], late["previous_carrier_status"]) == (
                "dropped_off",
                False,
                "10",
            )
            assert it.row(made, "return_status") == ("at_hub",)

    in_virtual_time(play())


@pytest.mark.parametrize(
    "off", [timedelta(hours=-3), timedelta(minutes=-10), timedelta(minutes=40), timedelta(hours=5)]
)
def test_nothing_falls_between_two_looks_whatever_the_clocks_say(off: timedelta) -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            it.watched_by_another(off=off)
            words = ("10", "20", "30", "40", "50", "60")
            for word in words:
                await it.moved(PLATFORM, status=word)
                await pass_time(MINUTE)
                await it.looked(PLATFORM, 50 * MINUTE)
            assert [word for word, _ in it.statuses(made)] == list(words)

    in_virtual_time(play())


def test_what_is_learned_while_pages_are_read_is_not_lost() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            other = await it.made(PLATFORM, "two", reference="ANOTHER")
            await it.moved(PLATFORM, status="20")

            async def meanwhile(_: httpx.URL) -> None:
                it.watch.way.meanwhile = None
                await it.moved(PLATFORM, 1, status="20")
                await it.moved(PLATFORM, status="30")

            it.watch.way.meanwhile = meanwhile
            await it.looked(PLATFORM)
            assert way(it, made) == [("20", "dropped_off")]
            await it.looked(PLATFORM)
            assert way(it, made) == [("20", "dropped_off"), ("30", "in_transit")]
            assert way(it, other) == [("20", "dropped_off")]

    in_virtual_time(play())


def test_what_several_pages_hold_is_told_in_order() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            other = await it.made(PLATFORM, "two", reference="ANOTHER")
            it.watch.way.most = 3
            for word in ("20", "30", "40", "50"):
                for number in range(2):
                    await it.moved(PLATFORM, number, status=word)
                await pass_time(MINUTE)
            asked(it)
            await it.looked(PLATFORM)
            assert asked(it) == ["tracking/get_by_date_added_range"] * 4
            assert [word for word, _ in way(it, made)] == ["20", "30", "40", "50"]
            assert it.statuses(made) == it.statuses(other)

    in_virtual_time(play())


def test_after_an_idle_time_only_what_can_be_of_open_returns_is_read() -> None:
    async def play() -> None:
        async with story() as it:
            await it.made(PLATFORM)
            await it.moved(PLATFORM, status="60")
            await it.looked(PLATFORM)
            await pass_time(60 * DAY)
            made, began_at = await it.made(PLATFORM, "two", reference="ANOTHER"), it.stage.clock()
            await it.moved(PLATFORM, 1, status="20")
            spans(it)
            await it.looked(PLATFORM)
            [(since, _)] = spans(it)
            assert timedelta(hours=24) <= began_at - since < timedelta(hours=25)
            assert way(it, made) == [("20", "dropped_off")]

    in_virtual_time(play())


def test_a_long_time_is_read_day_by_day_and_no_day_again_where_another_one_cannot_be_had() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            await it.looked(PLATFORM)
            for word in ("20", "30", "40", "50"):
                await pass_time(2 * DAY)
                await it.moved(PLATFORM, status=word)
            spans(it)
            asked(it)

            async def meanwhile(_: httpx.URL) -> None:
                if len(it.watch.way.asked) == 5:
                    await it.stage.fault("unavailable", method="POST", path="*get_by_date_added_range*")

            it.watch.way.meanwhile = meanwhile
            await it.looked(PLATFORM)
            assert [word for word, _ in way(it, made)] == ["20", "30"]
            read = spans(it)[:5]
            assert all(until - since == timedelta(days=1) for since, until in read)
            it.watch.way.meanwhile = None
            await it.looked(PLATFORM, HOUR)
            assert [word for word, _ in way(it, made)] == ["20", "30", "40", "50"]
            every = [*read, *spans(it)]
            assert every[5][0] == every[4][1] - OVERLAP, "each goes on from the one before, and none is skipped"
            assert all(after <= until for (_, until), (after, _) in pairwise(every))
            assert every[-1][1] > it.stage.clock()

    in_virtual_time(play())


def test_virtual_codes_are_told_as_they_are_and_take_the_parcel_from_nobody() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            for word in ("10", "201", "20", "100", "202", "60", "202", "70"):
                await it.moved(PLATFORM, status=word)
                await it.looked(PLATFORM)
            assert it.statuses(made) == [
                ("10", "created"),
                ("201", "unknown"),
                ("20", "dropped_off"),
                ("100", "unknown"),
                ("202", "in_transit"),
                ("60", "delivered"),
            ]
            assert it.row(made, "return_status, due_at") == ("delivered", None)

    in_virtual_time(play())


def test_what_follows_an_end_is_told_as_long_as_anything_is_asked() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            await it.made(PLATFORM, "two", reference="ANOTHER")
            for word in ("60", "70", "202", "30"):
                await it.moved(PLATFORM, status=word)
                await it.looked(PLATFORM)
            assert way(it, made) == [
                ("60", "delivered"),
                ("70", "unknown"),
                ("202", "unknown"),
                ("30", "in_transit"),
            ]
            [refunded] = [one for one in it.changes(made) if one["carrier_status"] == "70"]
            assert (refunded["last_known_status"], refunded["reason"]) == ("delivered", "refunded")
            assert it.row(made, "due_at") != (None,), "it is under way again"

    in_virtual_time(play())


def test_a_lost_parcel_may_be_found() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            for word in ("20", "110", "50"):
                await it.moved(PLATFORM, status=word)
                await it.looked(PLATFORM)
            _, _, lost, found = it.changes(made)
            assert (lost["return_status"], lost["terminal"], lost["attention"]) == ("failed", False, True)
            assert found["return_status"] == "in_transit"

    in_virtual_time(play())


def test_a_cancelled_return_is_cancelled() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            for word in ("300", "310"):
                await it.moved(PLATFORM, status=word)
                await it.looked(PLATFORM)
            assert way(it, made) == [("300", "unknown"), ("310", "cancelled")]
            assert it.row(made, "state, return_status, due_at") == ("cancelled", "cancelled", None)

    in_virtual_time(play())


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ({"country": "DE", "state": "", "city": "Neuss"}, ("DE", "Neuss")),
        ({"country": "PL", "state": "", "city": "Żywiec-Zabłocie"}, ("PL", "Żywiec-Zabłocie")),
        ({"country": "Poland", "state": "", "city": "ul. Prosta 10"}, (None, None)),
        ({"country": "", "state": "", "city": ""}, (None, None)),
    ],
)
def test_places_are_told_where_they_read_as_places(location: dict[str, str], told: tuple[Any, Any]) -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            await it.moved(PLATFORM, status="40", location=location)
            await it.looked(PLATFORM)
            _, change = it.changes(made)
            assert (change["country"], change["place"]) == told

    in_virtual_time(play())


def test_an_unlisted_code_is_told_and_what_was_known_holds() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            for word in ("20", "999"):
                await it.moved(PLATFORM, status=word)
                await it.looked(PLATFORM)
            _, _, unknown = it.changes(made)
            assert (unknown["return_status"], unknown["last_known_status"]) == ("unknown", "dropped_off")
            assert it.row(made, "return_status") == ("dropped_off",)

    in_virtual_time(play())


def test_one_that_is_silent_for_long_is_asked_about_alone() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            await it.looked(PLATFORM)
            await it.moved(PLATFORM, status="20")
            it.change(FAR)
            await it.looked(PLATFORM)
            assert way(it, made) == []
            asked(it)
            await it.looked(PLATFORM, DAY)
            assert asked(it)[1:] == ["tracking/get"]
            assert way(it, made) == [("20", "dropped_off")]
            await it.looked(PLATFORM, HOUR)
            assert "tracking/get" not in asked(it)

    in_virtual_time(play())


def test_one_that_nothing_can_be_read_of_keeps_no_other_from_being_asked_about() -> None:
    async def play() -> None:
        async with story() as it:
            made = [await it.made(PLATFORM, key, reference=key) for key in ("one", "two")]
            await it.looked(PLATFORM)
            for number in (0, 1):
                await it.moved(PLATFORM, number, status="20")
            it.change(FAR)
            refusal = {"method": "tracking/get", "code": "code_empty"}
            await it.stage.merchant.post("/_control/intelligentreturns/refusals", json=refusal)
            asked(it)
            await it.looked(PLATFORM, DAY)
            assert asked(it)[1:] == ["tracking/get"] * 2
            assert sorted(len(way(it, one)) for one in made) == [0, 1]

    in_virtual_time(play())


def test_a_search_that_is_refused_for_the_moment_ends_the_round_and_harms_nothing() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            await it.moved(PLATFORM, status="20")
            refusal = {"method": "tracking/get_by_date_added_range", "code": "temporary_unavailable", "times": 2}
            await it.stage.merchant.post("/_control/intelligentreturns/refusals", json=refusal)
            for _ in range(6):
                await it.looked(PLATFORM)
            assert way(it, made) == [("20", "dropped_off")]

    in_virtual_time(play())


@pytest.mark.parametrize("code", ["request_wrong", "unknown_call", "other"])
def test_where_what_was_learned_cannot_be_had_each_is_asked_about_alone(code: str) -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            await it.moved(PLATFORM, status="20")
            refusal = {"method": "tracking/get_by_date_added_range", "code": code, "times": 100}
            await it.stage.merchant.post("/_control/intelligentreturns/refusals", json=refusal)
            await it.looked(PLATFORM)
            assert it.statuses(made) == []
            await it.looked(PLATFORM, DAY)
            assert way(it, made) == [("20", "dropped_off")]

    in_virtual_time(play())


def test_where_an_account_is_refused_nothing_more_is_asked() -> None:
    async def play() -> None:
        async with story() as it:
            await it.made(PLATFORM)
            refusal = {"method": "tracking/get_by_date_added_range", "code": "access_denied"}
            await it.stage.merchant.post("/_control/intelligentreturns/refusals", json=refusal)
            asked(it)
            await it.looked(PLATFORM, 2 * DAY)
            assert asked(it) == ["tracking/get_by_date_added_range"]

    in_virtual_time(play())


def test_what_was_learned_of_a_return_while_it_was_in_doubt_is_told_once_it_is_settled() -> None:
    async def play() -> None:
        async with story() as it:
            await it.made(PLATFORM, "other", reference="OTHER")
            await doubted(it.stage, PLATFORM, "hung_up")
            for number in (0, 1):
                await it.moved(PLATFORM, number, status="20")
            for _ in range(12):
                await it.looked(PLATFORM)
            await it.moved(PLATFORM, 0, status="30")
            await it.looked(PLATFORM)
            [(id_,)] = it.stage.disk.rows("SELECT id FROM returns WHERE state = 'unknown'")
            await look_for(it.stage, MINUTE)
            await it.looked(PLATFORM)
            assert way(it, {"return_id": id_}) == [("20", "dropped_off")]

    in_virtual_time(play())


def test_a_number_that_was_not_known_is_learned_and_the_scans_before_it() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            await it.moved(PLATFORM, status="20")
            it.change(FAR)
            it.change("UPDATE returns SET tracking_number = NULL")
            await it.looked(PLATFORM, DAY + HOUR)
            assert asked(it)[1:] == ["returns/get", "tracking/get"]
            assert it.row(made, "tracking_number") == (made["tracking_number"],)
            assert way(it, made) == [("20", "dropped_off")]

    in_virtual_time(play())


def test_a_label_that_comes_late_is_kept_and_told_of_once() -> None:
    async def play() -> None:
        async with story(intelligentreturns={**SCENARIO["intelligentreturns"], "label_lag": 2 * HOUR}) as it:
            made = await it.made(PLATFORM)
            assert it.row(made, "label_format") == (None,)
            for _ in range(3):
                await it.looked(PLATFORM, DAY + HOUR)
            assert it.kinds(made).count("label_ready") == 1
            assert asked(it).count("returns/get") == 1
            assert it.row(made, "label_format") == ("pdf",)

    in_virtual_time(play())


def test_that_no_label_can_be_read_keeps_nobody_from_hearing_where_it_has_been() -> None:
    async def play() -> None:
        async with story(intelligentreturns={**SCENARIO["intelligentreturns"], "label_lag": 10 * DAY}) as it:
            made = await it.made(PLATFORM)
            await it.looked(PLATFORM)
            await it.moved(PLATFORM, status="20")
            it.change(FAR)
            refusal = {"method": "returns/get", "code": "incorrect_type"}
            await it.stage.merchant.post("/_control/intelligentreturns/refusals", json=refusal)
            await it.looked(PLATFORM, DAY + HOUR)
            assert way(it, made) == [("20", "dropped_off")]

    in_virtual_time(play())
