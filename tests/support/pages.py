"""What documents say word for word: the blocks that are run, behind a comment `<!-- run: NAME -->`, and their links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_RUN: Final = re.compile(r"^<!-- run: (?P<name>[^\n]+) -->\n+```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> dict[str, str]:
    """Give the blocks that a page wants run, by name, in its order."""
    return {found["name"]: found["text"] for found in _RUN.finditer(page.read_text(encoding="utf-8"))}
