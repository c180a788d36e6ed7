"""What a run is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How long, from which seed, on what, and how much is sent a second."""

    seconds: float
    seed: int
    on_sqlite: bool
    webhooks_per_second: float
    inputs_per_second: float
    shipments_per_second: float

    @property
    def bridges(self) -> list[str]:
        """The names of the processes: a SQLite file has room for one."""
        return [f"bridge/{number}" for number in range(1, 2 if self.on_sqlite else 4)]
