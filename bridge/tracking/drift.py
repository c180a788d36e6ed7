"""How the carrier's list of words differs from our table: a value, and what people are told of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pydantic_core import from_json, to_json

from bridge.tracking.dictionary import Dictionary


@dataclass(frozen=True, slots=True)
class Drift:
    """What a comparison found: words that our table does not have, and words of ours that the carrier does not list.

    Both are no error: an unlisted word is passed on as it is, with the last known status beside it.
    """

    at: datetime
    unknown: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    unread: int = 0

    @classmethod
    def between(cls, dictionary: Dictionary, ours: Iterable[str], at: datetime) -> Self:
        """Compare."""
        theirs, known = {one.name for one in dictionary.statuses}, set(ours)
        return cls(at, tuple(sorted(theirs - known)), tuple(sorted(known - theirs)), dictionary.unread)

    def dump(self) -> str:
        """Write it for the store."""
        return to_json([self.at, self.unknown, self.unlisted, self.unread]).decode()

    @classmethod
    def load(cls, text: str) -> Self:
        """Read what `dump` wrote."""
        at, unknown, unlisted, unread = from_json(text)
        return cls(datetime.fromisoformat(at), tuple(unknown), tuple(unlisted), unread)
