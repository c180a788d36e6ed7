"""What every table of a scenario file is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A table of the file; a key that nobody reads is a mistake, not a remark."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Seconds = Annotated[float, Field(ge=0, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]


def _ordered(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError("the shortest comes first, then the longest")
    return span


Wait = Annotated[float, Field(ge=0, le=3600)]
Span = Annotated[tuple[Wait, Wait], AfterValidator(_ordered)]
"""The shortest and the longest time something may take, in seconds."""
