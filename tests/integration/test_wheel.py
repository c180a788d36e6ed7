"""The wheel, as the image installs it: alone in an environment of its own, far from the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.deploy.rendering import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the repository as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=100)
    [found] = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def bridge(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from the wheel; what it depends on comes from this environment."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    quietly = ["--quiet", "--no-input", "--disable-pip-version-check"]
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", *quietly]
    subprocess.run([*install, "--no-deps", "--no-index", str(wheel)], check=True, timeout=100)
    [packages] = place.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return place / "bin" / "bridge"


def run(bridge: Path, folder: Path, *arguments: str, **settings: str) -> str:
    environ = {"PATH": os.environ["PATH"], **settings}
    done = subprocess.run(
        [bridge, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=True, timeout=100
    )
    return done.stdout


def data_files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path.relative_to(folder.parent).as_posix()


def test_the_wheel_holds_every_file_of_the_package_that_is_no_code(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("bridge/") and not name.endswith(".py")}
    assert held == {*data_files(ROOT / "bridge")}
    assert "bridge/events/statuses.csv" in held


def test_the_wheel_holds_nothing_but_the_package(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        assert {name.partition("/")[0].partition("-")[0] for name in archive.namelist()} == {"bridge", "shipx_bridge"}


def test_the_installed_command_is_the_wheel_s(bridge: Path, tmp_path: Path) -> None:
    python = bridge.with_name("python")
    command = [str(python), "-c", "import bridge; print(bridge.__file__)"]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=True, timeout=100)
    assert Path(done.stdout.strip()).is_relative_to(bridge.parents[1])


def test_the_installed_command_migrates_and_exports_from_what_it_carries(bridge: Path, tmp_path: Path) -> None:
    database = {"BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/bridge.db", "BRIDGE_ROLES": "worker"}
    assert "0001_spine" in run(bridge, tmp_path, "migrate", **database)
    assert "bridge.events" in run(bridge, tmp_path, "topology", "show", **database)
    run(bridge, tmp_path, "schema", "export", str(tmp_path / "schemas"), **database)
    assert (tmp_path / "schemas" / "openapi.json").is_file()


def test_the_installed_command_plays_the_packaged_demo(bridge: Path, tmp_path: Path) -> None:
    assert "balances" in run(bridge, tmp_path, "demo", "--once", "--shipments", "3")
