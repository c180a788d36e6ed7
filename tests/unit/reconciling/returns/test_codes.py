"""Codes are followed by a report on the days on which they were made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from bridge.reconciling.returns import learning
from bridge.reconciling.returns.changes import Change, change
from bridge.store.open_returns import OpenReturn
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.reconciling.returns.watch import DAY, HOUR, Story, story
from tests.unit.shipping.returning import CODES, at_provider

ACCOUNT: Final = {"email": "shop@example.com", "password": "secret"}


def reports(it: Story) -> int:
    """Count the calls since this was asked last."""
    found = len(it.watch.way.asked)
    it.watch.way.asked.clear()
    return found


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "UTC"])
@pytest.mark.parametrize("hours", [11, 12, 10 * 24 + 12.3])
def test_days_may_be_counted_in_any_zone(zone: str, hours: float) -> None:
    """Made half an hour before midnight in UTC or after it, and in the night in which clocks change."""

    async def play() -> None:
        terms: dict[str, Any] = {"accounts": [ACCOUNT], "zone": zone}
        async with story(szybkie_zwroty=terms) as it:
            await pass_time(hours * HOUR)
            made = await it.made(CODES)
            for status in ("dispatched_by_sender", "delivered"):
                await it.looked(CODES, 2 * HOUR)
                await it.moved(CODES, status=status)
            await it.looked(CODES, 2 * HOUR)
            assert [ours for _, ours in it.statuses(made)] == ["accepted", "dropped_off", "delivered"]

    in_virtual_time(play())


@pytest.mark.parametrize("off", [timedelta(hours=-14), timedelta(hours=14)])
def test_their_clock_may_be_another(off: timedelta) -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(CODES)
            it.watched_by_another(off=off)
            await it.looked(CODES, DAY)
            assert it.statuses(made) == [("code:active", "accepted")]

    in_virtual_time(play())


def test_many_codes_cost_one_call() -> None:
    async def play() -> None:
        async with story() as it:
            made = [await it.made(CODES, str(number), reference=f"R{number}") for number in range(5)]
            reports(it)
            await it.looked(CODES)
            assert reports(it) == 1
            assert {tuple(it.statuses(one)) for one in made} == {(("code:active", "accepted"),)}

    in_virtual_time(play())


def test_a_parcels_word_that_nobody_knows_is_told_and_what_was_known_holds() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(CODES)
            await it.moved(CODES, status="dispatched_by_sender")
            await it.looked(CODES)
            await it.moved(CODES, status="hovering")
            await it.looked(CODES)
            _, unknown = it.changes(made)
            assert (unknown["carrier_status"], unknown["return_status"]) == ("hovering", "unknown")
            assert (unknown["last_known_status"], unknown["terminal"]) == ("dropped_off", False)
            assert it.row(made, "return_status") == ("dropped_off",)

    in_virtual_time(play())


def test_a_code_that_nobody_used_expires_with_its_time_and_not_with_the_one_that_was_promised() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(CODES, expires_at="2026-03-28T12:00:00Z")
            await it.looked(CODES, 10 * DAY)
            assert datetime.fromisoformat(made["expires_at"]) < it.stage.clock()
            assert it.statuses(made) == [("code:active", "accepted")]
            await it.looked(CODES, HOUR)
            assert it.statuses(made)[-1] == ("code:inactive_past_expiry", "expired")
            assert it.row(made, "return_status, due_at") == ("expired", None)

    in_virtual_time(play())


def test_a_row_that_cannot_be_read_is_no_sign_that_a_code_has_expired() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(CODES, expires_at="2026-03-28T12:00:00Z")
            await it.moved(CODES, status="dispatched_by_sender")
            code = made["code"].encode()
            it.watch.way.garbled = b"<code>%s</code>" % code, b"<code>%s ?</code>" % code
            await it.looked(CODES, 12 * DAY)
            assert it.statuses(made) == []
            assert it.row(made, "state, due_at IS NULL") == ("created", 0)
            it.watch.way.garbled = None
            await it.looked(CODES, DAY)
            assert it.statuses(made) == [("dispatched_by_sender", "dropped_off")]

    in_virtual_time(play())


def test_a_report_that_one_row_makes_unreadable_is_read_by_days() -> None:
    async def play() -> None:
        async with story() as it:
            spoiled = await it.made(CODES)
            others = []
            for number in range(3):
                await pass_time(2 * DAY if number else DAY)
                others.append(await it.made(CODES, str(number), reference=f"R{number}"))
            rma = b"<rma>%s</rma>" % spoiled["return_id"].encode()
            it.watch.way.garbled = rma, b"<rma>&</rma>"
            await it.looked(CODES)
            assert [it.statuses(one) for one in others] == [[("code:active", "accepted")]] * 3
            await it.looked(CODES, 40 * DAY)
            assert it.row(spoiled, "state, due_at IS NULL") == ("created", 0)
            it.watch.way.garbled = None
            await it.looked(CODES, DAY)
            assert it.statuses(spoiled)[-1] == ("code:inactive_past_expiry", "expired")

    in_virtual_time(play())


def test_a_report_without_a_place_for_rows_keeps_no_later_day_from_being_read_and_lets_no_code_expire() -> None:
    async def play() -> None:
        async with story() as it:
            first = await it.made(CODES, expires_at="2026-03-28T12:00:00Z")
            await pass_time(10 * DAY)
            other = await it.made(CODES, "two", reference="ANOTHER")
            it.watch.way.emptied = (first["code"].encode(), b"<paczkomaty/>")
            reports(it)
            await it.looked(CODES)
            assert reports(it) == 2, "fewer days would show no more"
            assert (it.statuses(first), it.statuses(other)) == ([], [("code:active", "accepted")])
            await it.looked(CODES, 10 * DAY)
            assert it.row(first, "state, due_at IS NULL") == ("created", 0)
            it.watch.way.emptied = None
            await it.looked(CODES, DAY)
            assert it.statuses(first)[-1] == ("code:inactive_past_expiry", "expired")

    in_virtual_time(play())


def test_a_provider_that_gives_no_report_is_not_asked_for_each_day() -> None:
    async def play() -> None:
        async with story() as it:
            for number in range(4):
                await it.made(CODES, str(number), reference=f"R{number}")
                await pass_time(10 * DAY)
            reports(it)
            it.watch.way.garbled = b"<", b"&"
            await it.looked(CODES)
            assert reports(it) <= 8

    in_virtual_time(play())


@pytest.mark.parametrize("used", [0, 1])
def test_of_two_codes_for_one_return_the_one_that_is_used_counts(used: int) -> None:
    """One was made before, and showed too late."""

    async def play() -> None:
        async with story() as it:
            made = await it.made(CODES)
            await it.made(CODES, "two", reference="ANOTHER")
            one, other = await at_provider(it.stage, CODES)
            rmas = [one["rma"].encode(), other["rma"].encode()]
            mine = made["return_id"].encode()
            it.watch.way.garbled = next(one for one in rmas if one != mine), mine
            await it.moved(CODES, used, status="dispatched_by_sender")
            for _ in range(3):
                await it.looked(CODES)
            assert it.statuses(made) == [("dispatched_by_sender", "dropped_off")]

    in_virtual_time(play())


def test_a_bug_about_one_return_keeps_no_other_from_being_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        async with story() as it:
            spoiled, other = [await it.made(CODES, key, reference=key) for key in ("one", "two")]

            def broken(before: OpenReturn, *others: Any) -> Change | None:
                if before.id == spoiled["return_id"]:
                    raise ValueError("a bug")
                return change(before, *others)

            with monkeypatch.context() as patch:
                patch.setattr(learning, "change", broken)
                await it.looked(CODES)
            assert (it.statuses(spoiled), it.statuses(other)) == ([], [("code:active", "accepted")])
            await it.looked(CODES, 7 * HOUR)
            assert it.statuses(spoiled) == [("code:active", "accepted")]

    in_virtual_time(play())
