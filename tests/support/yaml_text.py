"""YAML, read by the C library where there is one: it takes a tenth of the time, and reads the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

_LOADER: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str) -> Any:
    """Read the one document of a text."""
    return yaml.load(text, _LOADER)


def read_all(text: str) -> Iterator[Any]:
    """Read every document of a text."""
    return iter(yaml.load_all(text, _LOADER))
