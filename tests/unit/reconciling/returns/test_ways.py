"""A return's way back is told step by step, each step once, whichever provider carries it."""

from __future__ import annotations

from tests.unit.purchasing.virtual_time import in_virtual_time
from tests.unit.reconciling.returns.watch import CODES, PLATFORM, TICKETS, story


def test_a_ticket_is_followed_until_it_is_delivered() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            await it.looked(TICKETS)
            for status in ("ACCEPTED", "SCANNED", "USED", "DELIVERED"):
                await it.moved(TICKETS, status=status)
                for _ in range(2):
                    await it.looked(TICKETS)
            assert it.statuses(made) == [
                ("NEW", "created", True),
                ("ACCEPTED", "accepted", True),
                ("SCANNED", "dropped_off", True),
                ("USED", "dropped_off", True),
                ("DELIVERED", "delivered", True),
            ]
            assert it.told(made)[0][0] == "created"
            assert it.row(made, "state, return_status, due_at") == ("created", "delivered", None)

    in_virtual_time(play())


def test_a_code_is_followed_until_its_parcel_is_delivered() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(CODES)
            await it.looked(CODES)
            for status in ("dispatched_by_sender", "adopted_at_sorting_center", "delivered"):
                await it.moved(CODES, status=status)
                for _ in range(2):
                    await it.looked(CODES)
            assert it.statuses(made) == [
                ("code:active", "accepted", True),
                ("dispatched_by_sender", "dropped_off", True),
                ("adopted_at_sorting_center", "in_transit", True),
                ("delivered", "delivered", True),
            ]
            assert it.row(made, "return_status, due_at, tracking_number")[:2] == ("delivered", None)
            assert it.told(made)[-1][1]["tracking_number"] is not None

    in_virtual_time(play())


def test_a_parcel_of_the_platform_is_followed_until_it_is_delivered() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(PLATFORM)
            for status in ("10", "20", "30", "40", "45", "90", "50", "60"):
                await it.moved(PLATFORM, status=status)
                for _ in range(2):
                    await it.looked(PLATFORM)
            assert [one[:2] for one in it.statuses(made)] == [
                ("10", "created"),
                ("20", "dropped_off"),
                ("30", "in_transit"),
                ("40", "at_hub"),
                ("45", "at_hub"),
                ("90", "in_transit"),
                ("50", "in_transit"),
                ("60", "delivered"),
            ]
            assert {one[2] for one in it.statuses(made)} == {True}
            assert [kind for kind, _ in it.told(made)][:2] == ["created", "label_ready"]
            assert it.told(made)[-1][1]["country"] == "PL"
            assert it.row(made, "return_status, due_at") == ("delivered", None)

    in_virtual_time(play())
