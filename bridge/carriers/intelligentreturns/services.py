"""The services that the provider's page lists, as data. One that is not among them is legal: the page's own samples
name some (16, 48, 66, 114), so of those nothing is known, and the provider decides.

https://returns.returnsplatform.com/api (list of all carrier services; read 2026-10)
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from bridge.carriers.intelligentreturns import words


@dataclass(frozen=True, slots=True)
class KnownService:
    """One row. Whether it is tracked is the table's word, which a name may contradict (262)."""

    id: int
    carrier: str
    name: str
    is_tracked: bool

    @property
    def label_formats(self) -> tuple[str, ...]:
        """The formats that may be wished for, the default first; none where a wish is an error."""
        return words.LABEL_FORMATS.get(self.carrier, ())


@cache
def table() -> Mapping[int, KnownService]:
    """Give all of them, by id."""
    text = resources.files(__package__).joinpath("services.csv").read_text(encoding="utf-8")
    return {int(row["service_id"]): _service(row) for row in csv.DictReader(text.splitlines())}


def _service(row: Mapping[str, str]) -> KnownService:
    is_tracked = {"yes": True, "no": False}[row["trackable"]]
    return KnownService(int(row["service_id"]), row["carrier"], row["service_name"], is_tracked)
