"""How a run of a verb ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

WITHIN_S: Final = 60.0


@dataclass(frozen=True)
class Ran:
    """How a run ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it wrote for programs."""
        return json.loads(self.out)
