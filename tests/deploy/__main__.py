"""`python -m tests.deploy`: the manifests rendered, held against schemas and rules; the Dockerfile; compose.yaml.

`python -m tests.deploy k8s/overlays/production` looks at that overlay as it is filled in, and at nothing else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.deploy import (
    availability,
    compose,
    configuration,
    confinement,
    dockerfile,
    exposure,
    production,
    reach,
    schemas,
    selection,
)
from tests.deploy.rendering import EXAMPLE, ROOT, RenderingError, filled, find_renderer, render, why_none

RULES: Final = (
    schemas.mistakes,
    confinement.findings,
    exposure.findings,
    selection.findings,
    availability.findings,
    configuration.findings,
    reach.findings,
)


def main(arguments: Sequence[str]) -> int:
    """Say what is wrong; gives the exit code."""
    renderer = find_renderer()
    told: list[str] = []
    if not arguments:
        told += [f"Dockerfile: {text}" for text in dockerfile.findings(dockerfile.committed())]
        told += [f"compose.yaml: {text}" for text in _compose()]
    if renderer is not None:
        told += list(_filled_in(renderer, Path(arguments[0])) if arguments else _overlays(renderer))
    elif arguments or os.environ.get("CI"):
        told.append(f"k8s: cannot be rendered: {why_none()}")
    else:
        print(f"Not looked at: k8s/, because {why_none()}", file=sys.stderr)
    print("\n".join(told), end="\n" if told else "")
    return 1 if told else 0


def _overlays(renderer: Sequence[str]) -> Iterator[str]:
    yield from _unfilled(renderer)
    with TemporaryDirectory() as folder:
        overlay = filled(Path(folder), EXAMPLE.read_text(encoding="utf-8"))
        try:
            documents = {name: render(renderer, overlay.with_name(name)) for name in ("demo", "production")}
        except RenderingError as error:
            yield f"k8s: {error}"
            return
    for name, found in documents.items():
        yield from (f"{name}: {text}" for rule in RULES for text in rule(found))
    yield from (f"production: {text}" for text in production.findings(documents["production"]))


def _filled_in(renderer: Sequence[str], overlay: Path) -> Iterator[str]:
    yield from _empty(overlay / "values.env")
    try:
        found = render(renderer, overlay)
    except RenderingError as error:
        yield str(error)
        return
    for rule in (*RULES, production.findings):
        yield from rule(found)


def _empty(values: Path) -> Iterator[str]:
    """Say which values are there and empty: a renderer takes those for what is meant."""
    lines = values.read_text(encoding="utf-8").splitlines() if values.exists() else []
    pairs = (line.partition("=") for line in lines if not line.startswith("#"))
    yield from (f"{values.name}: {name} is empty" for name, mark, value in pairs if mark and not value.strip())


def _unfilled(renderer: Sequence[str]) -> Iterator[str]:
    """The overlay as committed must not be rendered, and the reason must be the first value that is missing."""
    try:
        render(renderer, ROOT / "k8s" / "overlays" / "production")
    except RenderingError as error:
        if "`data.image` is missing" not in str(error):
            yield f"production: is not refused for want of values, but because {error}"
    else:
        yield "production: is rendered although nobody filled in values.env"


def _compose() -> Iterator[str]:
    with TemporaryDirectory() as folder:
        yield from compose.findings(compose.committed(), made_secrets(Path(folder)))


def made_secrets(folder: Path) -> dict[str, str]:
    """Make the secrets of compose.yaml in a folder; gives them by name."""
    script = folder / "compose" / "make-secrets"
    script.parent.mkdir()
    script.write_bytes((ROOT / "compose" / "make-secrets").read_bytes())
    subprocess.run(["sh", str(script)], check=True, timeout=30)
    return {one.name: one.read_text(encoding="utf-8") for one in (folder / "secrets" / "compose").iterdir()}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
