"""What never differs, whatever was struck: charges are what is said to be bought, every intent ends once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from itertools import dropwhile

from bridge.model import ShipmentId
from tests.unit.purchasing.stage import LIVE, Stage, Told

ENDS = ("purchase_failed", "purchase_succeeded")
SEEN_BOUGHT = ("confirmed", "tracking_number_assigned", "status_changed")
"""What is told once of a shipment that is seen to be bought."""


def check(stage: Stage, shipments: Collection[ShipmentId], *, bought_by_carrier: Collection[ShipmentId] = ()) -> None:
    """Check everything about these shipments, each of which must have ended."""
    charges = Counter(stage.charges())
    for shipment in shipments:
        state, told = stage.state(shipment), stage.told(shipment)
        assert state not in LIVE
        assert charges[shipment] == (1 if state == "succeeded" or shipment in bought_by_carrier else 0), state
        check_told(told)
        _check_end(state, told)
    assert reserved(stage) == {(one,) for one in shipments if _is_ours(stage, one)}


def check_told(told: Collection[Told], *, is_over: bool = True) -> None:
    """Check that no fact is told twice, and that what was asked for ends once, if everything has come to an end."""
    assert max(Counter((one.type, one.key) for one in told).values(), default=1) == 1
    by_intent: dict[str, list[str]] = {}
    for one in told:
        if (intent := one.data.get("intent_id")) is not None and one.type != "purchase_unknown":
            by_intent.setdefault(intent, []).append(one.type)
    for types in by_intent.values():
        _check_intent(types, is_over=is_over)


def _check_intent(types: list[str], *, is_over: bool) -> None:
    """An intent is selected, perhaps held, as often as people say so, requested, and ends; what others bought ends."""
    ends = [one for one in types if one in ENDS]
    if "offer_selected" not in types:
        assert types == ["purchase_succeeded"]
        return
    assert types[0] == "offer_selected"
    assert len(ends) <= 1
    rest = list(dropwhile(lambda one: one == "purchase_held", types[1:]))
    if not rest:
        return
    assert rest == ["purchase_requested", *ends]
    assert ends or not is_over


def _check_end(state: str, told: Collection[Told]) -> None:
    types = [one.type for one in told]
    assert types.count("purchase_succeeded") <= (state == "succeeded")
    if state == "succeeded":
        assert all(types.count(one) == 1 for one in SEEN_BOUGHT)
        assert types.count("purchase_succeeded") == 1


def _is_ours(stage: Stage, shipment: ShipmentId) -> bool:
    return stage.state(shipment) == "succeeded" and stage.reason(shipment) is None


def reserved(stage: Stage) -> set[tuple[int]]:
    """List what the budget is reserved for; the sums agree with it."""
    held = stage.disk.rows("SELECT shipment FROM purchases WHERE reserved_day IS NOT NULL")
    [(total,)] = stage.disk.rows("SELECT coalesce(sum(n), 0) FROM budgets WHERE currency <> '*'")
    assert total == len(held)
    return {(row[0],) for row in held}
