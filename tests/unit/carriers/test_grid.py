"""The grid that providers of returns share, so that what is written about adding one stays true."""

from __future__ import annotations

import csv
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from dataclasses import replace
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest

from bridge.app.providers.opening import limits_of
from bridge.settings import Settings
from bridge.settings.model import ReturnProvider
from bridge.shipping.returns.asked import Provider
from bridge.simulator import Scenario
from tests.contract.returns.providers import PROVIDERS
from tests.support.returns import credentials

ROOT = Path(__file__).parents[3]
NAMES = get_args(ReturnProvider)
PURE = ("words", "wire", "rules")

every_provider = pytest.mark.parametrize("name", NAMES)


def is_there(module: str) -> bool:
    return find_spec(module) is not None


def test_a_request_may_name_every_provider_of_the_settings() -> None:
    assert get_args(Provider) == NAMES


@every_provider
def test_a_client_has_the_files_of_the_grid(name: str) -> None:
    package = f"bridge.carriers.{name}"
    codec = ["codec"] if is_there(f"{package}.codec") else ["calls", "reading"]
    pure = [f"{package}.{module}" for module in (*PURE, *codec)]
    used = (f"{package}.caller", f"{package}.client", f"bridge.app.providers.{name}")
    assert [one for one in (*pure, *used) if not is_there(one)] == []
    rules = ConfigParser()
    rules.read(ROOT / ".importlinter", encoding="utf-8")
    listed = next(rules[one] for one in rules.sections() if rules[one].get("name") == "The pure middle does no I/O")
    assert set(pure) <= set(listed["source_modules"].split())


def test_a_process_loads_no_client_before_an_account_is_set_up() -> None:
    """They are a good part of a start, and most processes have none of them."""
    code = "import sys, bridge.app.process; print(*[name for name in sys.modules if name.startswith('bridge.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "bridge.app.providers.opening" in loaded
    own = tuple(f"bridge.{part}.{name}" for name in NAMES for part in ("carriers", "app.providers"))
    assert [one for one in loaded if one.startswith(own)] == []


@every_provider
def test_so_has_its_stand_in(name: str) -> None:
    package = f"bridge.simulator.{name}"
    assert [one for one in ("terms", "desk", "rest", "control", "provider") if not is_there(f"{package}.{one}")] == []
    assert name in Scenario.model_fields
    for scenario in ("demo", "faults"):
        played = resources.files("bridge.simulator.scenarios").joinpath(f"{scenario}.toml").read_text("utf-8")
        assert tomllib.loads(played)[name]["accounts"]


@every_provider
def test_and_so_have_its_tests_its_samples_and_its_page(name: str) -> None:
    assert is_there(f"tests.unit.carriers.{name}.stage")
    assert is_there(f"tests.unit.carriers.{name}.test_client")
    assert name in PROVIDERS
    assert is_there(f"tests.contract.returns.test_{name}")
    assert (ROOT / "tests/samples" / name / "README.md").is_file()
    assert (ROOT / "docs/carriers" / f"{name}.md").is_file()
    assert f"({name}.md)" in (ROOT / "docs/carriers/README.md").read_text(encoding="utf-8")


@every_provider
def test_it_is_told_where_it_is_how_often_it_may_be_asked_and_what_its_statuses_mean(name: ReturnProvider) -> None:
    told = Settings().return_provider(name)
    limits = limits_of(Settings(), name)
    assert (limits.per_minute, limits.at_once, told.timeout_s) == (60, 2, 10)
    assert limits.stops_all
    assert limits.pauses_on_refusal
    other = Settings.model_validate({name: {"requests_per_minute": 300, "max_in_flight": 5}})
    assert limits_of(other, name) == replace(limits, per_minute=300, at_once=5)
    assert told.base_url.startswith("https://")
    assert any(key.startswith(f"BRIDGE_{name.upper()}__") for key in credentials("http://127.0.0.1:1"))
    rows = csv.DictReader(resources.files("bridge.events").joinpath("statuses.csv").read_text("utf-8").splitlines())
    assert "*" in [row["raw_status"] for row in rows if row["source"] == name]
    assert name == import_module(f"bridge.carriers.{name}.words").SOURCE
