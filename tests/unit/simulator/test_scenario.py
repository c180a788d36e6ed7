"""Scenario files: the packaged one works, and a mistake is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from bridge.simulator import ScenarioError, load_scenario
from bridge.simulator.faults import CallKind, FaultTable, FileKind
from bridge.simulator.public import status_dictionary

from .stage import DRAFT, Stage
from .test_faults import begun

ORGANIZATION = '[[organizations]]\nid = 1\nname = "A"\ntoken = "t"\naccount = "postpaid"\n'


def test_the_packaged_scenario_has_both_kinds_of_account() -> None:
    demo = load_scenario()
    assert [(one.account, one.token) for one in demo.organizations] == [
        ("prepaid", "demo-token-prepaid"),
        ("postpaid", "demo-token-postpaid"),
    ]
    known = {row["name"] for row in status_dictionary()}
    assert {step.status for plan in demo.journeys for step in plan.steps} <= known


async def test_the_packaged_scenario_can_be_played_to_its_end() -> None:
    async with Stage(load_scenario()) as stage, stage.client_of("demo-token-prepaid") as stage.client:
        await stage.client.put("/_control/organizations/4821/webhook", json={"url": "http://127.0.0.1/x"})
        for _ in range(8):
            await stage.bought()
        await stage.advance(60)
        assert stage.simulator.idle
        assert len(await stage.charges()) == 8
        assert {"delivered", "returned_to_sender"} <= set(stage.events())


def test_the_packaged_scenario_with_faults_has_the_same_accounts_and_journeys() -> None:
    demo, faults = load_scenario(), load_scenario(Path("faults"))
    assert (demo.organizations, demo.journeys) == (faults.organizations, faults.journeys)
    assert demo.faults == FaultTable()


def test_the_packaged_scenario_with_faults_has_every_kind_of_them() -> None:
    table = load_scenario(Path("faults")).faults
    kinds = {one.kind for one in table.calls if one.share}
    assert kinds == {*get_args(CallKind), *get_args(FileKind)} - {"hidden"}
    webhooks = table.webhooks
    odds = (
        table.hidden,
        table.cancels_overwritten,
        webhooks.missing,
        webhooks.delayed,
        webhooks.reordered,
        webhooks.repeated,
        webhooks.bursts,
    )
    assert all(one.share > 0 for one in odds)


@pytest.mark.parametrize("seed", range(5))
async def test_the_packaged_scenario_with_faults_can_be_played_to_its_end(seed: int) -> None:
    """Whoever asks until there is an answer, and then looks, finds every purchase charged once."""
    async with (
        Stage(load_scenario(Path("faults")), seed=seed) as stage,
        stage.client_of("demo-token-postpaid") as stage.client,
    ):
        await stage.client.put("/_control/organizations/4822/webhook", json={"url": "http://127.0.0.1/x"})
        path = "/v1/organizations/4822/shipments"
        for _ in range(20):
            await answer_to(stage, lambda: stage.client.post(path, json={**DRAFT, "service": "inpost_locker_standard"}))
        await stage.client.delete("/_control/faults")
        await stage.advance(60)
        shipments = (await stage.control("state"))["shipments"]
        assert stage.simulator.idle
        assert sorted(shipment for shipment, _ in await stage.charges()) == [one["id"] for one in shipments]
        assert {"delivered", "returned_to_sender"} <= set(stage.events())
        assert len(shipments) >= 20


async def answer_to(stage: Stage, ask: Callable[[], Coroutine[Any, Any, httpx.Response]]) -> None:
    """Ask, again and again while the carrier does not take it."""
    while True:
        asking = await begun(ask())
        while not asking.done():
            await stage.advance(0.5)
            await asyncio.sleep(0)
        if asking.result().is_success:
            return


def test_defaults_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(ORGANIZATION)
    assert load_scenario(path).journeys == ()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("sped = 2\n" + ORGANIZATION, "sped"),
        (ORGANIZATION + "colour = 1\n", "organizations.0.colour"),
        ("[delays]\noffers = -1\n" + ORGANIZATION, "delays.offers"),
        (ORGANIZATION + 'services = [{ id = "pigeon" }]\n', "organizations.0.services.0"),
        (
            ORGANIZATION.replace("postpaid", "prepaid") + 'services = [{ id = "inpost_courier_c2c" }]\n',
            "organizations.0",
        ),
        (ORGANIZATION + ORGANIZATION, "scenario"),
        ("organizations = []\n", "organizations"),
        (ORGANIZATION + '[[faults.calls]]\nkind = "lost"\n', "faults.calls.0.share"),
        (ORGANIZATION + '[[faults.calls]]\nkind = "lost"\nshare = 1\nseconds = [1, 2]\n', "faults.calls.0"),
        (ORGANIZATION + "[faults.webhooks]\nmissing = { share = 2 }\n", "faults.webhooks.missing.share"),
    ],
)
def test_a_mistake_is_named_by_its_key(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert [name for name, _ in caught.value.problems] == [key]


@pytest.mark.parametrize("text", [None, "not toml", "\udcff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "scenario.toml"
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ScenarioError, match=r"scenario\.toml"):
        load_scenario(path)
