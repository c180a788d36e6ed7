"""Scenario files: the packaged one works, and a mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.simulator import ScenarioError, load_scenario
from bridge.simulator.public import status_dictionary

from .stage import Stage

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
