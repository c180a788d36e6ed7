"""What becomes of a test whose program is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.support.tools import PACKAGES, find_tool, missing, need_tool

ROOT: Final = Path(__file__).parents[2]
NAME = "no-such-program"


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is nowhere, and its package."""
    monkeypatch.setitem(PACKAGES, NAME, "its-package")


def test_it_is_skipped_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install --no-install-recommends its-package"):
        need_tool(NAME)


def test_where_everything_has_to_run_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="its-package"):
        need_tool(NAME)


def test_dev_has_everything_installed_where_everything_has_to_run() -> None:
    [line] = [line for line in (ROOT / "dev").read_text(encoding="utf-8").splitlines() if "tests.support.tools" in line]
    assert sorted(line.split()[2:]) == sorted(PACKAGES.keys() - {NAME})


def test_the_packages_of_what_is_missing_are_named() -> None:
    assert missing([NAME]) == ["its-package"]


def test_a_program_is_also_found_where_servers_are_though_the_path_does_not_lead_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    assert find_tool("chroot")
