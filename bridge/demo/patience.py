"""How long the demo waits for something to happen."""

from __future__ import annotations

import time
from typing import Final

_REMIND_S: Final = 10.0


class Patience:
    """Knows for how long nothing has changed, and when to say so."""

    def __init__(self) -> None:
        self._known: object = None
        self._since = time.monotonic()
        self._reminded = 0.0

    def silence(self, progress: object) -> float:
        """Give the seconds since something last changed."""
        if progress != self._known:
            self._known, self._since, self._reminded = progress, time.monotonic(), 0.0
        return time.monotonic() - self._since

    def is_due(self, silent: float) -> bool:
        """Say whether it is time for another word about it."""
        if silent - self._reminded < _REMIND_S:
            return False
        self._reminded = silent
        return True
