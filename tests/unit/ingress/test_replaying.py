"""Many deliveries once more: each by what it is, the oldest first, and counted by what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bridge.carriers.shipx import webhook
from bridge.commands.models import ReplayDeliveries
from bridge.errors import Interrupted
from bridge.ingress import replaying
from bridge.ingress.replay import Replay
from bridge.ingress.replaying import ReplayedDeliveries
from bridge.model import ClaimedCommand, CommandState, Progress
from bridge.store import deliveries
from bridge.store.database import Unit
from bridge.store.deliveries import STATES
from bridge.store.sealed import Vault
from tests.support.hand import Told
from tests.unit.ingress.stage import CARRIER, NOW, OTHER, OTHER_SECRET, STRANGER, Stage, told

T = TypeVar("T")


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


class Meanwhile(Told):
    """Has one more webhook come, and be worked off, with every step."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.database, interrupt_after=10)
        self._stage = stage

    async def step(self, write: Unit[T], progress: Callable[[T], Progress]) -> T:
        found = await super().step(write, progress)
        await send(self._stage, told(second=30 + len(self.progress)))
        await self._stage.project()
        return found


async def test_what_comes_after_it_began_is_not_part_of_it(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        for second in range(3):
            await send(stage, told(second=second))
        await stage.project()
        assert (await replay(stage, Meanwhile(stage), state="done"))["outcomes"] == {"accepted": 3}


async def test_who_takes_over_ends_where_it_was_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "_PAGE", 2)
    async with Stage(tmp_path) as stage:
        for second in range(3):
            await send(stage, told(second=second), peer=STRANGER)
        told_of = Told(stage.database, interrupt_after=1)
        with pytest.raises(Interrupted):
            await replay(stage, told_of, state="parked")
        await send(stage, told(second=3), peer=STRANGER)
        progress = replace(told_of.progress[0], at=json.loads(json.dumps(told_of.progress[0].at)))
        assert (await replay(stage, progress=progress, state="parked"))["outcomes"] == {"accepted": 3}
        old = replace(progress, at={name: value for name, value in progress.at.items() if name != "until"})
        resumed = await replay(stage, progress=old, state="parked")
        assert resumed["outcomes"] == {"accepted": 3}, "an earlier version wrote down no end: it is the present one"


async def test_few_among_many_are_found_a_step_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "LOOKED", 2)
    async with Stage(tmp_path) as stage:
        for second in range(6):
            await send(stage, told(second=second))
        await stage.project()
        stage.change("UPDATE deliveries SET verdict = 'bug' WHERE rowid = 5")
        told_of = Told(stage.database)
        assert (await replay(stage, told_of, state="done", reason="bug"))["deliveries"] == 1
        assert [one.done for one in told_of.progress] == [0, 0, 1]


LOST = [
    # what is done to the bodies, why nothing can be made of them
    ("DELETE FROM sealed", "erased"),
    ("UPDATE sealed SET key_id = 'lost'", "key_missing"),
]


@pytest.mark.parametrize("state", ["done", "failed"])
@pytest.mark.parametrize(("change", "why"), LOST, ids=[why for _, why in LOST])
async def test_what_cannot_be_read_any_more_is_named_and_stays_as_it_is(
    tmp_path: Path, state: str, change: str, why: str
) -> None:
    async with Stage(tmp_path, vault=Vault.with_keys([b"k" * 32])) as stage:
        delivery = await send(stage, told())
        await stage.project()
        stage.change(f"UPDATE deliveries SET state = {STATES.index(state)}, verdict = 'this'")
        stage.change(change)
        assert await replay(stage, state=state) == {
            "deliveries": 1,
            "outcomes": {why: 1},
            "without_effect": [{"delivery_id": delivery, "why": why}],
        }
        assert stage.rows("SELECT state || ' ' || verdict FROM deliveries") == [f"{STATES.index(state)} this"]


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
