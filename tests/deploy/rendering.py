"""Rendering: the overlays as the cluster would get them, by whichever renderer is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support import yaml_text

ROOT: Final = Path(__file__).resolve().parents[2]
EXAMPLE: Final = Path(__file__).with_name("values.env")
"""A filling of the production overlay, with names and networks that belong to nobody."""
MISSING: Final = "neither kubectl (1.27 or newer) nor kustomize (5.0 or newer) is on PATH"
_RENDERERS: Final = (
    (("kubectl", "kustomize"), ("version", "--client", "--output=json"), (1, 27)),
    (("kustomize", "build"), ("version",), (5, 0)),
)
"""The command that renders, how its program tells its version, and the oldest that will do."""

Document = dict[str, Any]


class RenderingError(Exception):
    """An overlay cannot be rendered; says what the renderer says."""


def find_renderer() -> Sequence[str] | None:
    """Give the command that renders a folder, or None where none is installed that is new enough."""
    found = (command for command, asking, oldest in _RENDERERS if (_version(command[0], asking) or (0, 0)) >= oldest)
    return next(found, None)


def why_none() -> str:
    """Say what is missing to render, and what is there and too old."""
    told = [MISSING]
    for (program, _), asking, _ in _RENDERERS:
        if shutil.which(program):
            version = _version(program, asking)
            told.append(f"{program} is {'.'.join(map(str, version)) if version else 'of no known version'}")
    return "; ".join(told)


def read_version(text: str) -> tuple[int, int] | None:
    """Read what either program says of itself."""
    found = re.search(r"\bv(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


@cache
def _version(program: str, asking: Sequence[str]) -> tuple[int, int] | None:
    if shutil.which(program) is None:
        return None
    done = subprocess.run([program, *asking], capture_output=True, text=True, timeout=30, check=False)
    return read_version(done.stdout)


def render(renderer: Sequence[str], overlay: Path) -> list[Document]:
    """Render a folder. Raises RenderingError."""
    done = subprocess.run([*renderer, str(overlay)], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RenderingError(done.stderr.strip())
    return [document for document in yaml_text.read_all(done.stdout) if document]


def filled(folder: Path, values: str) -> Path:
    """Copy the manifests, with these values for production; gives that overlay's place."""
    shutil.copytree(ROOT / "k8s", folder / "k8s")
    overlay = folder / "k8s" / "overlays" / "production"
    (overlay / "values.env").write_text(values, encoding="utf-8")
    return overlay


def named(document: Document) -> str:
    """Name an object as people do: `Deployment/bridge-worker`."""
    return f"{document['kind']}/{document['metadata']['name']}"


def of_kind(documents: Sequence[Document], *kinds: str) -> list[Document]:
    """Pick the objects of these kinds."""
    return [document for document in documents if document["kind"] in kinds]
