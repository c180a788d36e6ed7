"""The buyer against the simulated carrier, in virtual time."""

from __future__ import annotations

from typing import Any

from tests.unit.purchasing.stage import Stage
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time


def test_a_purchase_is_told_from_the_decision_to_the_number_under_one_intent() -> None:
    async def story() -> None:
        async with Stage().open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            stage.start()
            assert await stage.settled(shipment) == "succeeded"
            told = stage.told(shipment)
            assert [one.type for one in told] == [
                "offer_selected",
                "purchase_requested",
                "purchase_succeeded",
                "confirmed",
                "tracking_number_assigned",
                "status_changed",
            ]
            print(told)
    in_virtual_time(story())
