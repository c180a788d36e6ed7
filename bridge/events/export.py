"""What is published, and whatever else is handed over, as files: for whoever builds against it without a bridge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bridge.events import asyncapi, schemas


def export(folder: Path, others: Mapping[str, Mapping[str, object]]) -> list[Path]:
    """Write one file per event type, `asyncapi.json`, and others by their names; the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = {**schemas.all_schemas(), "asyncapi": asyncapi.document(asyncapi.CONTRACT_VERSION), **others}
    return [_written(folder / f"{name}.json", document) for name, document in sorted(documents.items())]


def _written(path: Path, document: Mapping[str, object]) -> Path:
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path
