"""What the Dockerfile says, and what it is given."""

from __future__ import annotations

import subprocess
import sys
from pathlib import PurePosixPath

import pytest

from bridge.settings import load
from tests.deploy import dockerfile
from tests.deploy.rendering import ROOT

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8")


def test_the_image_keeps_every_rule() -> None:
    assert list(dockerfile.findings(dockerfile.committed())) == []


@pytest.mark.parametrize(
    ("written", "instead", "found"),
    [
        ("USER 10001:10001", "USER bridge", "user by name"),
        ("USER 10001:10001", "USER 0:0", "runs as root"),
        ('ENTRYPOINT ["bridge"]', "ENTRYPOINT bridge", "exec form"),
        ('CMD ["serve"]', "", "does not serve"),
        ("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL", "SIGTERM"),
        ("VOLUME /var/lib/bridge", "", "no volume"),
        ("HEALTHCHECK --interval=15s", "# HEALTHCHECK", "healthy"),
        ("image.revision", "image.url", "revision"),
        ("COPY config/image.toml", "ADD config/image.toml", "by ADD"),
        ("--no-index dist", "dist", "installs without hashes"),
        ("--require-hashes --only-binary :all: --requirement build.lock", "hatchling", "installs without hashes"),
        ("RUN rm -rf", "RUN pip install curl && rm -rf", "uses a build tool"),
        ("FROM ${PYTHON_IMAGE}\nARG", "ARG", "two stages"),
    ],
)
def test_a_broken_rule_is_told(written: str, instead: str, found: str) -> None:
    assert written in TEXT
    changed = dockerfile.instructions(TEXT.replace(written, instead, 1))
    assert any(found in text for text in dockerfile.findings(changed)), list(dockerfile.findings(changed))


def test_instructions_over_several_lines_are_one() -> None:
    text = '# first\nFROM a AS b\nRUN one \\\n    # between\n    && two\nFROM c\nCMD ["d"]\n'
    assert [(one.stage, one.name, one.value) for one in dockerfile.instructions(text)] == [
        (0, "FROM", "a AS b"),
        (0, "RUN", "one && two"),
        (1, "FROM", "c"),
        (1, "CMD", '["d"]'),
    ]


def test_the_builder_is_sent_what_is_copied_and_nothing_else() -> None:
    copied = dockerfile.sources(dockerfile.committed())
    assert dockerfile.sent(IGNORE) == set(copied)
    assert [source for source in copied if not (ROOT / source).exists()] == []


@pytest.mark.parametrize("kept_out", ["secrets", "tests", ".git", ".venv", "var", "docs", "k8s", "compose"])
def test_nothing_that_is_nobody_s_business_is_sent(kept_out: str) -> None:
    assert not [path for path in dockerfile.sent(IGNORE) if PurePosixPath(path).parts[0] == kept_out]


def test_the_image_starts_with_a_database_in_its_volume_and_listens_for_others() -> None:
    given = {"BRIDGE_SHIPX__ORGANIZATION_ID": "1", "BRIDGE_SHIPX__WEBHOOK_SECRETS": "5" * 40}
    environ = {**dockerfile.environment(), **given, "BRIDGE_SHIPX__BASE_URL": "http://127.0.0.1:8090"}
    settings = load(
        environ, lambda path: {"/etc/bridge/bridge.toml": ROOT / "config/image.toml"}[str(path)].read_text()
    )
    assert (settings.database_url.get_secret_value(), str(settings.policy), settings.http.host) == (
        "sqlite:////var/lib/bridge/bridge.db",
        "/etc/bridge/policy.toml",
        "0.0.0.0",
    )


def test_a_machine_that_cannot_build_it_is_told_why() -> None:
    command = [sys.executable, "-m", "tests.deploy.image"]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "not installed: buildah" in done.stderr or "it takes root on Linux" in done.stderr
