"""Compare what is written from the code with what is committed: `python -m tests.drift`; `--write` updates it all.

A difference is a change of something public: meant, it goes into the same commit as the code that made it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bridge.events import export
from bridge.events.reference import render_events_reference
from bridge.settings.reference import render_example, render_settings_reference
from tests.deploy import alerts
from tests.reference import bus, commands, grafana, metrics, routes, topology
from tests.support.document import api_document

ROOT: Final = Path(__file__).resolve().parents[1]
GOLDEN: Final = "tests/contract/golden"
UPDATE: Final = "python -m tests.drift --write"
_MOST_LINES: Final = 40


def generated() -> dict[str, str]:
    """Write every page from the code; gives the text by its path in the repository."""
    return {
        "config/bridge.example.toml": render_example(),
        "config/grafana/bridge.json": grafana.page(),
        "docs/reference/bus.md": bus.page(),
        "docs/reference/commands.md": commands.page(),
        "docs/reference/events.md": render_events_reference(),
        "docs/reference/metrics.md": metrics.page(),
        "docs/reference/routes.md": routes.page(),
        "docs/reference/settings.md": render_settings_reference(),
        "docs/reference/topology.md": topology.page(),
        "k8s/base/config/policy.toml": (ROOT / "config" / "policy.toml").read_text(encoding="utf-8"),
        alerts.PAGE: alerts.page(),
        **_golden(),
    }


def committed(root: Path, wanted: Mapping[str, str]) -> dict[str, str]:
    """Read what is there under these paths, and whatever else lies among the pinned documents."""
    paths = {root / path for path in wanted} | set((root / GOLDEN).glob("*"))
    return {
        path.relative_to(root).as_posix(): path.read_bytes().decode("utf-8") for path in sorted(paths) if path.is_file()
    }


def differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    """Say of every path that differs how it does."""
    for path in sorted({*wanted, *found}):
        if path not in wanted:
            yield f"{path}: nothing makes this file any more\n"
        elif path not in found:
            yield f"{path}: is missing\n"
        elif wanted[path] != found[path]:
            yield _difference(path, found[path], wanted[path])


def write(root: Path, wanted: Mapping[str, str]) -> list[str]:
    """Make the files what they should be; gives the paths that changed."""
    found = committed(root, wanted)
    changed = [path for path in sorted({*wanted, *found}) if wanted.get(path) != found.get(path)]
    for path in changed:
        if path not in wanted:
            (root / path).unlink()
            continue
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(wanted[path], encoding="utf-8", newline="\n")
    return changed


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Compare, or write; gives the exit code."""
    if arguments not in ([], ["--write"]):
        print(f"usage: {UPDATE.replace(' --write', ' [--write]')}", file=sys.stderr)
        return 2
    wanted = generated()
    if arguments:
        print("\n".join(write(root, wanted)) or "Nothing to update.")
        return 0
    told = list(differences(wanted, committed(root, wanted)))
    if told:
        print("\n".join([*told, f"Meant? Then update what is committed: {UPDATE}"]))
    return 1 if told else 0


def _golden() -> dict[str, str]:
    with TemporaryDirectory() as folder:
        paths = export.export(Path(folder), {"openapi": api_document()})
        return {f"{GOLDEN}/{path.name}": path.read_bytes().decode("utf-8") for path in paths}


def _difference(path: str, found: str, wanted: str) -> str:
    lines = list(unified_diff(found.splitlines(), wanted.splitlines(), path, "what the code makes", lineterm=""))
    rest = len(lines) - _MOST_LINES
    more = [f"… and {rest} lines more"] if rest > 0 else []
    return "\n".join([*islice(lines, _MOST_LINES), *more, ""])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
