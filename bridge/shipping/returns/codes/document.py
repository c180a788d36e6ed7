"""Codes made in advance as programs read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal

from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict

from bridge.store.spare_codes import UNREADABLE, Spare, SpareState

Why = Literal["fewer", "refused", "lost", "unavailable"]
"""Why there are fewer codes than were asked for: the provider gave fewer, said no, or its answers were lost; or it
could not be asked any more."""


class ShownCode(TypedDict):
    """A code. It opens nothing while it is inactive; `code` is null where the token may not see it, or no key opens it.

    `return_id` is the return that it was activated for.
    """

    id: str
    code: str | None
    provider: str
    connection: str
    organization_id: int | None
    state: SpareState
    return_id: str | None
    made_at: datetime


class MadeCodes(TypedDict):
    """Codes that were made. `reason` says why there are fewer of them than were asked for, where there are."""

    asked: int
    made: int
    reason: Why | None
    items: Sequence[ShownCode]


class CodesPage(TypedDict):
    """Some codes."""

    items: Sequence[ShownCode]
    next: str | None


def document(spare: Spare, *, with_code: bool) -> ShownCode:
    """Describe it."""
    return {
        "id": spare.id,
        "code": spare.code if with_code and spare.code != UNREADABLE else None,
        "provider": spare.provider,
        "connection": spare.connection.partition("/")[2],
        "organization_id": spare.organization,
        "state": spare.state,
        "return_id": spare.return_id,
        "made_at": spare.made_at,
    }


def result(spare: Spare, state: SpareState) -> dict[str, object]:
    """Describe it in its new state as what came of a command, without what opens a locker."""
    written: dict[str, object] = to_jsonable_python(document(replace(spare, state=state), with_code=False))
    return written


COLUMNS: Final = ("id", "code", "state", "return", "made")


def row(shown: ShownCode) -> Sequence[object]:
    """Write it for a list that people read."""
    return shown["id"], shown["code"], shown["state"], shown["return_id"], shown["made_at"]
