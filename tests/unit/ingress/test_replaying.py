"""Many deliveries once more: each by what it is, the oldest first, and counted by what became of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.carriers.shipx import webhook
from bridge.commands.models import ReplayDeliveries
from bridge.errors import Interrupted
from bridge.ingress import replaying
from bridge.ingress.replay import Replay
from bridge.ingress.replaying import ReplayedDeliveries
from bridge.model import ClaimedCommand, CommandState, Progress
from tests.support.hand import Told
from tests.unit.ingress.stage import CARRIER, NOW, OTHER, OTHER_SECRET, STRANGER, Stage, told


async def send(stage: Stage, body: object, **how: Any) -> str:
    stage.now += timedelta(seconds=1)
    return str((await stage.post(body, **how)).json()["delivery_id"])


async def replay(
    stage: Stage, told: Told | None = None, progress: Progress | None = None, **asked: Any
) -> dict[str, Any]:
    """Replay, and give the result."""
    handle = ReplayedDeliveries(Replay(stage.database, stage.deliveries, webhook.read, lambda: None))
    body = ReplayDeliveries(**asked).canonical
    claimed = ClaimedCommand("deliveries.replay", "replay-1", "tests", body, 1, progress or Progress())
    outcome = await handle(claimed, told or Told(stage.database))
    assert outcome.state is CommandState.done
    return dict(outcome.result or {})


async def test_parked_ones_take_effect_in_the_order_of_their_coming(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        for second, word in enumerate(["confirmed", "taken_by_courier", "delivered"]):
            await send(stage, told(word, second=second), peer=STRANGER)
        assert await replay(stage, state="parked", reason="outside_networks") == {
            "deliveries": 3,
            "outcomes": {"accepted": 3},
            "without_effect": [],
        }
        await stage.project()
        words = stage.rows("SELECT json_extract(body, '$.data.carrier_status') FROM events WHERE type LIKE '%changed'")
        assert words == ["confirmed", "taken_by_courier", "delivered"]
        assert (await replay(stage, state="parked"))["deliveries"] == 0, "what took effect is not taken up again"


async def test_what_cannot_take_effect_is_named_with_its_reason_and_holds_up_nothing(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        broken = await send(stage, b"{")
        await send(stage, told(), peer=STRANGER)
        foreign = await send(stage, told(organization_id=OTHER))
        assert await replay(stage, state="parked") == {
            "deliveries": 3,
            "outcomes": {"not_json": 1, "accepted": 1, "foreign_organization": 1},
            "without_effect": [
                {"delivery_id": broken, "why": "not_json"},
                {"delivery_id": foreign, "why": "foreign_organization"},
            ],
        }


async def test_failed_ones_are_projected_once_more(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        await send(stage, told())
        stage.change("UPDATE deliveries SET state = 2, verdict = 'bug'")
        await send(stage, told("delivered"))
        result = await replay(stage, state="failed", reason="bug")
        assert result["outcomes"] == {"accepted": 1}
        assert stage.rows("SELECT count(*) FROM deliveries WHERE state = 0") == [2]


SELECTIONS: list[tuple[dict[str, Any], int, str]] = [
    # asked for, how many, remark
    ({"reason": "outside_networks"}, 2, "by reason"),
    ({"reason": "too_large"}, 0, "by a reason that nobody has"),
    ({"since": NOW + timedelta(seconds=2)}, 2, "by time"),
    ({"organizations": [OTHER]}, 1, "by organization"),
]


@pytest.mark.parametrize(("asked", "number", "remark"), SELECTIONS, ids=[row[-1] for row in SELECTIONS])
async def test_a_selection_is_narrowed_down(tmp_path: Path, asked: dict[str, Any], number: int, remark: str) -> None:
    async with Stage(tmp_path) as stage:
        await send(stage, told("confirmed"), peer=STRANGER)
        await send(stage, told("delivered", second=1), peer=STRANGER)
        await send(stage, b"{", path=f"/webhooks/shipx/{OTHER_SECRET}")
        assert (await replay(stage, state="parked", **asked))["deliveries"] == number, remark


async def test_those_that_are_named_are_replayed_whatever_they_are(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        done = await send(stage, told("confirmed"))
        await stage.project()
        parked = await send(stage, told("delivered"), peer=STRANGER)
        result = await replay(stage, deliveries=(parked, done, "f" * 42, parked))
        assert result == {
            "deliveries": 3,
            "outcomes": {"accepted": 2, "not_found": 1},
            "without_effect": [{"delivery_id": "f" * 42, "why": "not_found"}],
        }
        assert (await replay(stage, deliveries=(parked,)))["outcomes"] == {"duplicate": 1}


@pytest.mark.parametrize("chosen", ["by state", "by name"])
async def test_who_takes_over_goes_on_after_the_last_page(
    tmp_path: Path, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "_PAGE", 2)
    async with Stage(tmp_path) as stage:
        keys = [await send(stage, told(second=number), peer=STRANGER) for number in range(5)]
        asked: dict[str, Any] = {"state": "parked"} if chosen == "by state" else {"deliveries": tuple(keys)}
        told_of = Told(stage.database, interrupt_after=2)
        with pytest.raises(Interrupted):
            await replay(stage, told_of, **asked)
        assert [one.done for one in told_of.progress] == [2, 4]
        assert stage.rows("SELECT count(*) FROM deliveries") == [4]
        rest = Told(stage.database)
        assert (await replay(stage, rest, told_of.progress[-1], **asked))["outcomes"] == {"accepted": 5}
        assert [one.done for one in rest.progress] == [5]


async def test_only_the_first_without_effect_are_named_and_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "_MOST_TOLD", 2)
    async with Stage(tmp_path) as stage:
        broken = [await send(stage, b"{" * (number + 1), peer=CARRIER) for number in range(4)]
        result = await replay(stage, state="parked")
        assert result["outcomes"] == {"not_json": 4}
        assert [one["delivery_id"] for one in result["without_effect"]] == broken[:2]
