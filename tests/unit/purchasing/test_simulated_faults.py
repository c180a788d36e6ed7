"""Purchases beside a carrier where everything goes wrong: what is said to be bought is what was paid. Virtual time."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, get_args

import pytest

from bridge.simulator.faults import CallKind
from tests.unit.purchasing.stage import CALL_WITHIN, SETTLE, Stage
from tests.unit.purchasing.virtual_time import in_virtual_time

SHIPMENTS: Final = 12
LATEST: Final = CALL_WITHIN.total_seconds() + 5
"""How late a call may get there: some seconds after its sender has given up."""
HIDDEN: Final = SETTLE.total_seconds() - 6
"""For how long an effect may stay hidden: paid for at last, it is seen before the doubt is settled."""
BUY: Final = {"method": "POST", "path": "/v1/shipments/*/buy"}
READ: Final = {"method": "GET", "path": "/v1/shipments/*"}


def lasting(kind: str) -> dict[str, Any]:
    return {"seconds": [0.1, LATEST]} if kind in ("slow", "late") else {}


KINDS: Final = [kind for kind in get_args(CallKind) if kind != "hidden"]
FAULTS: Final = {
    "calls": [
        *({"kind": kind, "share": 0.08, **BUY, **lasting(kind)} for kind in KINDS),
        *({"kind": kind, "share": 0.03, **READ, **lasting(kind)} for kind in KINDS),
    ],
    "hidden": {"share": 0.5, "seconds": [0.1, HIDDEN]},
}


@pytest.mark.parametrize("seed", range(12))
def test_charges_are_what_the_bridge_says_it_bought_whatever_goes_wrong(seed: int) -> None:
    in_virtual_time(_story(seed))


async def _story(seed: int) -> None:
    async with Stage(faults=FAULTS, seed=seed).open() as stage:
        shipments = [await stage.create() for _ in range(SHIPMENTS)]
        stage.want(*shipments)
        stage.start()
        ends = {shipment: await stage.settled(shipment, seconds=1200) for shipment in shipments}
        charges = Counter(stage.charges())
        assert charges == {shipment: 1 for shipment, end in ends.items() if end == "succeeded"}
        for shipment, end in ends.items():
            assert end in ("succeeded", "failed")
            assert stage.calls(f"/{shipment}/buy") == 1, "never twice, whatever came of the first"
            assert ("purchase_succeeded" in stage.types(shipment)) == (end == "succeeded")
        met = stage.simulator.world.trouble.met(0)
        lost = {one.shipment_id for one in met if one.about.endswith("/buy") and not one.reached}
        assert {shipment for shipment, end in ends.items() if end == "failed"} == lost


def test_an_effect_that_stays_hidden_for_longer_than_a_doubt_is_found_out() -> None:
    """The test above can fail: beyond the time for which a doubt is kept, a purchase would be said to have failed."""

    async def story() -> None:
        faults = {"hidden": {"share": 1, "of": ["purchase"], "seconds": [600, 600]}}
        async with Stage(faults=faults).open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            stage.start()
            assert (await stage.settled(shipment), stage.charges()) == ("failed", [shipment])

    in_virtual_time(story())
