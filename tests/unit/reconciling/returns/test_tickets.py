"""Tickets are followed by lists of those of one status that were created within a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest

from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.reconciling.returns.watch import DAY, HOUR, MINUTE, Story, story
from tests.unit.shipping.returning import TICKETS

ACCOUNT: Final = {"client_id": "shop", "client_secret": "secret"}
DRAFT: Final = {
    "shipment": {
        "sender": {"firstName": "Ewa", "lastName": "Testowa", "phone": "+48500600700", "email": "ewa@example.com"}
    }
}


def lists(it: Story) -> list[httpx.URL]:
    """Give the questions for lists since this was asked last."""
    found = [url for url in it.watch.way.asked if url.path.endswith("/tickets")]
    it.watch.way.asked.clear()
    return found


async def others(it: Story, number: int, apart: float = 0) -> None:
    """Have tickets made that are no returns of ours."""
    prefix, login = "/inpost-returns", {"grant_type": "client_credentials", **ACCOUNT}
    token = await it.stage.merchant.post(f"{prefix}/auth/realms/external/protocol/openid-connect/token", data=login)
    headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
    for _ in range(number):
        answer = await it.stage.merchant.post(f"{prefix}/v1/returns/tickets", json=DRAFT, headers=headers)
        assert answer.status_code == 200, answer.text
        await pass_time(apart)


def test_many_open_tickets_cost_a_call_for_each_open_status() -> None:
    async def play() -> None:
        async with story() as it:
            made = [await it.made(TICKETS, str(number), reference=f"R{number}") for number in range(12)]
            lists(it)
            await it.looked(TICKETS)
            assert len(lists(it)) == 4
            assert {tuple(it.statuses(one)) for one in made} == {(("NEW", "created"),)}
            await it.moved(TICKETS, 7, status="CANCELED")
            await it.looked(TICKETS)
            assert len(lists(it)) == 8
            assert it.statuses(made[7])[1:] == [("CANCELED", "cancelled")]
            assert it.row(made[7], "state, due_at") == ("cancelled", None)

    in_virtual_time(play())


def test_a_list_that_is_full_is_read_by_halves_while_tickets_leave_it() -> None:
    async def play() -> None:
        async with story() as it:
            first = await it.made(TICKETS, "first", reference="FIRST")
            await pass_time(2 * HOUR)
            it.watch.way.most = 10
            await others(it, 15, apart=2)
            await pass_time(2 * HOUR)
            last = await it.made(TICKETS, "last", reference="LAST")
            left = 0

            async def leave(url: httpx.URL) -> None:
                nonlocal left
                if "status=NEW" in str(url) and left < 3:
                    left += 1
                    await it.moved(TICKETS, left, status="REJECTED")

            it.watch.way.meanwhile = leave
            lists(it)
            await it.looked(TICKETS)
            asked = [url for url in lists(it) if url.params["status"] == "NEW"]
            assert len(asked) > 2
            assert {url.params["page"] for url in asked} == {"0"}
            assert it.statuses(first) == it.statuses(last) == [("NEW", "created")]

    in_virtual_time(play())


def test_tickets_of_one_second_are_read_page_by_page() -> None:
    async def play() -> None:
        async with story() as it:
            it.watch.way.most = 10
            await others(it, 15)
            made = await it.made(TICKETS)
            lists(it)
            await it.looked(TICKETS)
            asked = [url for url in lists(it) if url.params["status"] == "NEW"]
            assert "1" in {url.params["page"] for url in asked}
            assert it.statuses(made) == [("NEW", "created")]

    in_virtual_time(play())


def test_a_list_that_knows_nothing_of_times_comes_to_an_end() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            await others(it, 2)
            it.watch.way.most, it.watch.way.drops_times = 2, True
            await it.looked(TICKETS)
            assert len(lists(it)) == 200
            it.watch.way.most, it.watch.way.drops_times = None, False
            await it.looked(TICKETS)
            assert it.statuses(made) == [("NEW", "created")]

    in_virtual_time(play())


@pytest.mark.parametrize(
    "off", [timedelta(hours=-14), timedelta(minutes=-20), timedelta(minutes=20), timedelta(hours=14)]
)
def test_their_clock_or_zone_may_be_another(off: timedelta) -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            shift = int(off.total_seconds() * 1_000_000)
            it.change("UPDATE returns SET begun_at = begun_at + ?, created_at = created_at + ?", shift, shift)
            it.watched_by_another(off=off)
            for status in ("ACCEPTED", "USED", "DELIVERED"):
                await it.moved(TICKETS, status=status)
                await it.looked(TICKETS)
            assert [word for word, _ in it.statuses(made)] == ["ACCEPTED", "USED", "DELIVERED"]
            assert [one["current"] for one in it.changes(made)] == [True] * 3

    in_virtual_time(play())


def test_the_day_on_which_clocks_change_hides_nothing() -> None:
    async def play() -> None:
        async with story() as it:
            await pass_time(10 * DAY + 12 * HOUR)  # 28 March, just before midnight UTC; the clocks change that night
            made = await it.made(TICKETS)
            for status in ("ACCEPTED", "USED", "DELIVERED"):
                await it.looked(TICKETS, 40 * MINUTE)
                await it.moved(TICKETS, status=status)
            await it.looked(TICKETS, 40 * MINUTE)
            assert [word for word, _ in it.statuses(made)] == ["NEW", "ACCEPTED", "USED", "DELIVERED"]
            times = [one["time"] for one in it.changes(made)]
            assert times == sorted(times)

    in_virtual_time(play())


def test_when_it_was_sent_and_delivered_they_say() -> None:
    async def play() -> None:
        async with story(inpost_returns={"accounts": [ACCOUNT], "status_case": "lower"}) as it:
            made = await it.made(TICKETS)
            begun = it.stage.clock()
            await it.moved(TICKETS, status="USED")
            await pass_time(HOUR)
            await it.moved(TICKETS, status="DELIVERED")
            await it.looked(TICKETS, 3 * HOUR)
            [delivered] = it.changes(made)
            assert (delivered["carrier_status"], delivered["previous_return_status"]) == ("DELIVERED", "created")
            assert delivered["time"].startswith(f"{begun + timedelta(hours=1):%Y-%m-%dT%H:%M}")

    in_virtual_time(play())


def test_what_only_the_list_says_is_learned() -> None:
    async def play() -> None:
        async with story(inpost_returns={"accounts": [{**ACCOUNT, "numbers": False}]}) as it:
            made = await it.made(TICKETS)
            assert made["tracking_number"] is None
            it.change("UPDATE returns SET expires_at = NULL, expiry_due_at = NULL")
            await it.looked(TICKETS)
            number, expires_at, has_code = it.row(made, "tracking_number, expires_at, has_code")
            assert number == it.changes(made)[0]["tracking_number"] is not None
            assert expires_at is not None
            assert has_code == 1

    in_virtual_time(play())


def test_an_end_of_the_time_after_it_was_sent_is_a_contradiction_that_ends_nothing() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            for status in ("USED", "EXPIRED", "DELIVERED"):
                await it.moved(TICKETS, status=status)
                for _ in range(2):
                    await it.looked(TICKETS)
            used, expired, delivered = it.changes(made)
            assert used["return_status"] == "dropped_off"
            assert (expired["return_status"], expired["last_known_status"]) == ("unknown", "dropped_off")
            assert (expired["attention"], expired["terminal"]) == (True, False)
            assert (delivered["return_status"], delivered["terminal"]) == ("delivered", True)

    in_virtual_time(play())


def test_a_time_that_ended_unused_is_an_end() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            await it.looked(TICKETS, 7 * DAY + HOUR)
            assert it.statuses(made)[-1] == ("EXPIRED", "expired")
            assert it.row(made, "state, return_status, due_at") == ("created", "expired", None)

    in_virtual_time(play())


def test_silence_is_asked_about_ever_more_seldom() -> None:
    async def asked(it: Story, seconds: float) -> int:
        lists(it)
        for _ in range(int(seconds / (5 * MINUTE))):
            await it.looked(TICKETS)
        return len(lists(it)) // 4

    async def play() -> None:
        async with story() as it:
            await it.made(TICKETS)
            first_hour = await asked(it, HOUR)
            await pass_time(22 * HOUR)
            await it.looked(TICKETS)
            later_hours = await asked(it, 4 * HOUR)
            assert first_hour >= 10
            assert 3 <= later_hours <= 5
            await it.moved(TICKETS, status="USED")
            await it.looked(TICKETS, 2 * HOUR)
            assert await asked(it, HOUR) >= 10

    in_virtual_time(play())


def test_two_processes_at_once_tell_it_once() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            one, two = it.watch, it.watched_by_another()
            for status in ("ACCEPTED", "USED", "DELIVERED"):
                await it.moved(TICKETS, status=status)
                await pass_time(5 * MINUTE)
                await asyncio.gather(one.look(TICKETS), two.look(TICKETS))
            assert [word for word, _ in it.statuses(made)] == ["ACCEPTED", "USED", "DELIVERED"]

    in_virtual_time(play())


def test_what_was_read_before_somebody_else_knew_more_is_not_taken_in() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            slow, fast = it.watch, it.watched_by_another()

            async def overtake(url: httpx.URL) -> None:
                if url.params.get("status") == "NEW":
                    slow.way.meanwhile = None
                    await it.moved(TICKETS, status="USED")
                    await pass_time(2)
                    await fast.look(TICKETS)

            slow.way.meanwhile = overtake
            await pass_time(5 * MINUTE)
            await slow.look(TICKETS)
            assert it.statuses(made) == [("USED", "dropped_off")]

    in_virtual_time(play())


def test_an_announced_end_ends_a_round() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)

            async def end(_: httpx.URL) -> None:
                it.watch.shared.stop.announce()

            it.watch.way.meanwhile = end
            await it.looked(TICKETS)
            assert len(lists(it)) <= 1
            it.watched_by_another()
            await it.looked(TICKETS)
            assert it.statuses(made) == [("NEW", "created")]

    in_virtual_time(play())


@pytest.mark.parametrize(("kind", "calls"), [("limited", 1), ("unavailable", 1), ("cut", 2), ("page", 2)])
def test_a_call_without_an_answer_ends_a_round_and_harms_nothing(kind: str, calls: int) -> None:
    """What is an answer, and none that can be read, may be a matter of one list; a second one is not."""

    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            await it.stage.fault(kind, method="GET", path="/inpost-returns/v1/returns/tickets", times=calls)
            await it.looked(TICKETS)
            assert len(lists(it)) <= calls
            await it.looked(TICKETS)
            assert it.statuses(made) == [("NEW", "created")]

    in_virtual_time(play())


def test_a_refused_login_ends_a_round_and_harms_nothing() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            account: Any = it.stage.simulator.world.scenario.inpost_returns.accounts[0]
            object.__setattr__(account, "permitted", False)
            await it.looked(TICKETS)
            object.__setattr__(account, "permitted", True)
            await it.looked(TICKETS)
            assert it.statuses(made) == [("NEW", "created")]

    in_virtual_time(play())


@pytest.mark.parametrize("status", ["SCANNED", "EXPIRED"])
def test_a_list_that_cannot_be_read_keeps_no_other_from_being_read(status: str) -> None:
    async def play() -> None:
        async with story() as it:
            made, silent = [await it.made(TICKETS, key, reference=key) for key in ("one", "two")]

            async def garble(url: httpx.URL) -> None:
                is_it = url.params.get("status") == status
                it.watch.way.garbled = (b'"returns"', b'"nothing"') if is_it else None

            it.watch.way.meanwhile = garble
            await it.moved(TICKETS, status="USED")
            await it.looked(TICKETS)
            await it.moved(TICKETS, status="DELIVERED")
            await it.moved(TICKETS, 1, status=status)
            await it.looked(TICKETS)
            assert it.statuses(made)[-1] == ("DELIVERED", "delivered")
            it.watch.way.meanwhile = it.watch.way.garbled = None
            await it.looked(TICKETS)
            assert it.statuses(silent)[-1][0] == status

    in_virtual_time(play())
