"""compose.yaml, and the secrets that are made for it."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import compose
from tests.deploy.__main__ import made_secrets
from tests.deploy.rendering import ROOT


def test_compose_keeps_every_rule(tmp_path: Path) -> None:
    assert list(compose.findings(compose.committed(), made_secrets(tmp_path))) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda it: it["services"]["postgres"].update(image="postgres"), "not pinned"),
        (lambda it: it["services"]["bridge"]["ports"].append("8080:8080"), "beyond this machine"),
        (lambda it: it["services"]["bridge"]["depends_on"].update(db={"condition": "service_started"}), "not there"),
        (lambda it: it["services"]["postgres"].pop("healthcheck"), "never says so"),
        (lambda it: it["services"]["bridge"]["secrets"].append("password"), "there is no secret password"),
        (lambda it: it["services"]["bridge"]["secrets"].remove("amqp_url"), "cannot be read"),
        (lambda it: it["services"]["bridge"]["environment"].update(BRIDGE_API_TOKEN="x" * 20), "is a secret"),
        (lambda it: it["services"]["migrate"].update(read_only=False), "write to its root"),
        (
            lambda it: it["secrets"]["shipx_token"].update(file="./secrets/shipx_token"),
            "nothing makes",
        ),
        (lambda it: it["secrets"].update(more={"file": "./secrets/compose/more"}), "nothing makes the secret more"),
    ],
)
def test_a_broken_rule_is_told(change: Callable[[Any], object], found: str, tmp_path: Path) -> None:
    changed = deepcopy(compose.committed())
    change(changed)
    told = list(compose.findings(changed, made_secrets(tmp_path)))
    assert any(found in text for text in told), told


def test_the_bridge_of_compose_reaches_the_three_beside_it(tmp_path: Path) -> None:
    secrets = made_secrets(tmp_path)
    settings = compose.settings_of(compose.committed()["services"]["bridge"], secrets)
    password = secrets["postgres_password"].strip()
    assert settings.amqp_url is not None
    assert settings.database_url.get_secret_value() == f"postgresql://bridge:{password}@postgres:5432/bridge"
    assert settings.amqp_url.get_secret_value().partition("@")[2] == "rabbitmq:5672/bridge"
    assert settings.amqp_url.get_secret_value().split(":")[2].partition("@")[0] in secrets["rabbitmq_user"]
    assert settings.shipx.base_url == "http://127.0.0.1:8090"


def test_secrets_are_new_for_everybody_and_kept(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    made, others = made_secrets(first), made_secrets(second)
    assert {name for name in made if made[name] == others[name]} == {"shipx_token"}
    assert stat.S_IMODE((first / "secrets" / "compose").stat().st_mode) == 0o700


def test_secrets_that_are_there_stay(tmp_path: Path) -> None:
    kept = tmp_path / "secrets" / "compose" / "api_token"
    kept.parent.mkdir(parents=True)
    kept.write_text("mine-and-nobody-else-s\n", encoding="utf-8")
    assert made_secrets(tmp_path)["api_token"] == "mine-and-nobody-else-s\n"
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_secrets_of_production_beside_them_are_neither_taken_nor_opened(tmp_path: Path) -> None:
    mine = tmp_path / "secrets"
    mine.mkdir()
    for name in ("database_url", "shipx_token"):
        (mine / name).write_text("of production\n", encoding="utf-8")
        (mine / name).chmod(0o600)
    assert "of production\n" not in made_secrets(tmp_path).values()
    assert {stat.S_IMODE((mine / name).stat().st_mode) for name in ("database_url", "shipx_token")} == {0o600}


def test_the_image_has_the_version_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    service = compose.committed()["services"]["bridge"]
    demo = (ROOT / "k8s/overlays/demo/kustomization.yaml").read_text(encoding="utf-8")
    assert (service["image"], service["build"]["args"]["VERSION"]) == (f"shipx-bridge:{version}", version)
    assert f"newTag: {version}\n" in demo
