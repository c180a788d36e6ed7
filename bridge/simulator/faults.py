"""Failures on request: what the network edge in front of the carrier does to the next matching calls."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["unavailable", "limited", "lost"]


class Fault(BaseModel):
    """One kind of failure for the next `times` calls whose method and path match.

    `unavailable` (503) and `limited` (429 with `Retry-After`) keep the call from the carrier; `lost` (502) lets
    it happen and hides the answer. All come as an HTML page, as from the edge in front of the real carrier.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind
    method: Literal["*", "GET", "POST", "PUT", "DELETE"] = "*"
    path: Annotated[str, Field(max_length=200)] = "*"
    times: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    def matches(self, method: str, path: str) -> bool:
        """Compare with one call; `*` in the path stands for anything."""
        return self.method in ("*", method) and fnmatchcase(path, self.path)


class Faults:
    """The failures still to come, the oldest request first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._waiting)

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, method: str, path: str) -> Kind | None:
        """Use up one failure for this call, if one is waiting for it."""
        for index, fault in enumerate(self._waiting):
            if fault.matches(method, path):
                left = fault.model_copy(update={"times": fault.times - 1})
                self._waiting[index : index + 1] = [left] if left.times else []
                return fault.kind
        return None
