"""The event contract as files, for whoever builds against it without a running bridge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bridge.events import asyncapi, schemas


def export(folder: Path) -> list[Path]:
    """Write one file per event type and `asyncapi.json`; the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = schemas.all_schemas() | {"asyncapi": asyncapi.document(asyncapi.CONTRACT_VERSION)}
    return [_written(folder / f"{name}.json", document) for name, document in sorted(documents.items())]


def _written(path: Path, document: Mapping[str, object]) -> Path:
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path
