"""Purchases beside a carrier where everything goes wrong: what is said to be bought is what was paid. Virtual time."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, get_args

import pytest

from bridge.model import ShipmentId
from bridge.purchasing.settling import REFUSALS
from bridge.simulator.faults import CallKind
from tests.unit.purchasing.invariants import check
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


SEEDS: Final = 12
BOUGHT: Counter[bool] = Counter()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_charges_are_what_the_bridge_says_it_bought_whatever_goes_wrong(seed: int) -> None:
    in_virtual_time(_story(seed))


async def _story(seed: int) -> None:
    async with Stage(faults=FAULTS, seed=seed).open() as stage:
        shipments = [await stage.create() for _ in range(SHIPMENTS)]
        stage.want(*shipments)
        stage.start()
        ends = {shipment: await stage.settled(shipment, seconds=1200) for shipment in shipments}
        check(stage, shipments)
        for shipment, end in ends.items():
            BOUGHT[end == "succeeded"] += 1
            assert end == "succeeded" or _lost(stage, shipment) >= REFUSALS, "nothing but lost calls keeps it from it"


def _lost(stage: Stage, shipment: ShipmentId) -> int:
    """Count the calls that should have bought it and never got there."""
    met = stage.simulator.world.trouble.met(0)
    return sum(one.about.endswith(f"/{shipment}/buy") and not one.reached for one in met)


def test_nearly_all_of_them_are_bought() -> None:
    if BOUGHT.total() == SEEDS * SHIPMENTS:  # not where the stories were played elsewhere
        assert BOUGHT[True] >= 0.98 * BOUGHT.total()


def test_an_effect_that_stays_hidden_for_longer_than_a_doubt_is_found_out() -> None:
    """The test above can fail: beyond the time for which a doubt is kept, a purchase would be said to have failed."""

    async def story() -> None:
        faults = {"hidden": {"share": 1, "of": ["purchase"], "seconds": [600, 600]}}
        async with Stage(again="refuse", faults=faults).open() as stage:
            shipment = await stage.create()
            stage.want(shipment)
            stage.start()
            assert (await stage.settled(shipment), stage.charges()) == ("failed", [shipment])

    in_virtual_time(story())
