"""Several organizations: each has its own policy and limits, or everybody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.app.carriers import limits_of
from bridge.app.policy import forgoing, policy_file, read_policy
from bridge.doctor.purchasing import examine
from bridge.errors import SettingsError
from bridge.limits.connection import Limits
from bridge.model import OrganizationId
from bridge.settings import Settings, load

FIRST, SECOND, THIRD = OrganizationId(1000), OrganizationId(1001), OrganizationId(1002)
RULE = "[[rules]]\nid = '{}'\nprefer_services = ['inpost_locker_standard']\n"
ORGANIZATIONS = """
[[shipx.organizations]]
id = 1001
token = "token-of-1001"
policy = "{own}"
requests_per_minute = 120
max_in_flight = 4

[[shipx.organizations]]
id = 1002
token = "token-of-1002"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "policy.toml").write_text(RULE.format("everybody"))
    (tmp_path / "own.toml").write_text("regenerate_after_pause = false\n" + RULE.format("own"))
    (tmp_path / "bridge.toml").write_text(ORGANIZATIONS.format(own=tmp_path / "own.toml"))
    return load(
        {
            "BRIDGE_CONFIG": str(tmp_path / "bridge.toml"),
            "BRIDGE_ENVIRONMENT": "demo",
            "BRIDGE_POLICY": str(tmp_path / "policy.toml"),
            "BRIDGE_SHIPX__BASE_URL": "http://127.0.0.1:9",
            "BRIDGE_SHIPX__ORGANIZATION_ID": "1000",
            "BRIDGE_SHIPX__TOKEN": "token-of-1000",
            "BRIDGE_SHIPX__WEBHOOK_SECRETS": "5" * 40,
            "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "90",
        }
    )


async def test_each_buys_by_its_own_policy_or_by_everybodys(settings: Settings) -> None:
    rules = {one: (await read_policy(settings, one)).rules[0].id for one in (FIRST, SECOND, THIRD)}
    assert rules == {FIRST: "everybody", SECOND: "own", THIRD: "everybody"}
    assert await forgoing(settings) == {SECOND}


def test_each_is_asked_within_its_own_limits_or_everybodys(settings: Settings) -> None:
    assert [limits_of(settings, one) for one in (FIRST, SECOND, THIRD)] == [
        Limits(90, 2),
        Limits(120, 4),
        Limits(90, 2),
    ]


async def test_the_doctor_reads_every_policy(settings: Settings) -> None:
    told = {check.name: check.state for check in await examine(settings)}
    assert (told["policy"], told["policy/1001"]) == ("ok", "ok")
    policy_file(settings, SECOND).unlink()
    [broken] = [check for check in await examine(settings) if check.state == "failed"]
    assert (broken.name, broken.do) == ("policy/1001", f"correct {policy_file(settings, SECOND)}")
    with pytest.raises(SettingsError, match=r"own\.toml cannot be read"):
        await read_policy(settings, SECOND)
