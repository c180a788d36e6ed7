"""What is not filled in is not rendered."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.__main__ import main
from tests.deploy.production import SERVICE_PATCH
from tests.deploy.rendering import EXAMPLE, MISSING, ROOT, RenderingError, filled, find_renderer, read_version, render
from tests.support.tools import go_without

LINES = EXAMPLE.read_text(encoding="utf-8").splitlines()
NAMES = [line.partition("=")[0] for line in LINES]


def test_the_example_fills_in_what_is_asked_for_and_nothing_else() -> None:
    asked = (ROOT / "k8s/overlays/production/values.env").read_text(encoding="utf-8").splitlines()
    names = [line[1:].partition("=")[0] for line in asked if line.startswith("#") and line[1:2].islower()]
    assert names == NAMES
    assert not [line for line in asked if line and not line.startswith("#")]


@pytest.mark.parametrize("missing", NAMES)
def test_each_value_that_is_missing_fails_the_rendering_by_its_name(missing: str, tmp_path: Path) -> None:
    renderer = find_renderer()
    if renderer is None:
        go_without(MISSING)
    overlay = filled(tmp_path, "\n".join(line for line in LINES if not line.startswith(f"{missing}=")))
    with pytest.raises(RenderingError, match=rf"`data\.{missing}` is missing"):
        render(renderer, overlay)


def test_the_ingress_controller_is_told_to_keep_the_address_of_the_sender() -> None:
    text = (ROOT / SERVICE_PATCH).read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        "spec:",
        "  externalTrafficPolicy: Local",
    ]


KUBECTL_1_20 = """{"clientVersion": {"major": "1", "minor": "20", "gitVersion": "v1.20.2"}}"""

VERSIONS = [
    # what the program says, the version, remark
    (KUBECTL_1_20, (1, 20), "Debian's kubernetes-client"),
    ('{"clientVersion": {"gitVersion": "v1.32.4-x"}, "kustomizeVersion": "v5.5.0"}', (1, 32), "of two the first"),
    ("v5.6.0\n", (5, 6), "kustomize"),
    ("{Version:kustomize/v4.5.7 GitCommit:56d82a8 GoOs:linux}\n", (4, 5), "kustomize before 5"),
    ("(devel)\n", None, "made by somebody from its source"),
]


@pytest.mark.parametrize(("text", "version", "remark"), VERSIONS, ids=[row[-1] for row in VERSIONS])
def test_the_version_is_read(text: str, version: tuple[int, int] | None, remark: str) -> None:
    assert read_version(text) == version, remark


def test_a_renderer_that_is_too_old_is_named_with_its_version(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\necho '{KUBECTL_1_20}'\n", encoding="utf-8")
    kubectl.chmod(0o755)
    command = [sys.executable, "-m", "tests.deploy", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, f"k8s: cannot be rendered: {MISSING}; kubectl is 1.20\n")


@pytest.mark.parametrize(("ci", "code"), [({"CI": "true"}, 1), ({}, 0)])
def test_without_a_renderer_the_check_says_what_is_missing_and_fails_where_nobody_reads_it(
    ci: dict[str, str], code: int, tmp_path: Path
) -> None:
    for program in ("sh", "cat", "chmod", "dirname", "mkdir", "od", "sed", "tr"):
        found = shutil.which(program)
        assert found is not None
        (tmp_path / program).symlink_to(found)
    command = [sys.executable, "-m", "tests.deploy"]
    environ = {"PATH": str(tmp_path), **ci}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, MISSING in done.stdout + done.stderr) == (code, True)


@pytest.mark.parametrize("emptied", [NAMES, ["host"]], ids=["each", "one"])
def test_a_value_that_is_empty_is_found_before_it_is_applied(
    emptied: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if find_renderer() is None:
        go_without(MISSING)
    values = "\n".join(f"{name}=" if name in emptied else line for name, line in zip(NAMES, LINES, strict=True))
    assert main([str(filled(tmp_path, values))]) == 1
    told = [line for line in capsys.readouterr().out.splitlines() if line.endswith(" is empty")]
    assert told == [f"values.env: {name} is empty" for name in emptied]


def test_a_filled_overlay_is_fit(tmp_path: Path) -> None:
    if find_renderer() is None:
        go_without(MISSING)
    assert main([str(filled(tmp_path, EXAMPLE.read_text(encoding="utf-8")))]) == 0
