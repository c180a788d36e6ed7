"""JSON, end to end: `{"order": {…}}` there, `{"success": …}` or `{"error": …}` back."""

from __future__ import annotations

import json
from typing import Final, Literal

from pydantic_core import from_json

from bridge.carriers.intelligentreturns.tree import Tree
from bridge.errors import Unreadable

_MOST_VALUES: Final = 2_000_000
"""A page of a search has a thousand returns, however many articles each of them has."""
_COSTLY: Final = (b"{", b"[", b",")


class JsonFormat:
    """Writes and reads it."""

    name: Final[Literal["json"]] = "json"

    def write(self, root: str, tree: Tree) -> str:
        """Write a request in ASCII, for it is to be url-encoded."""
        return json.dumps({root: tree}, separators=(",", ":"))

    def read(self, body: bytes) -> tuple[str, object]:
        """Read an answer, which says one of two things. Raises Unreadable."""
        if sum(map(body.count, _COSTLY)) > _MOST_VALUES:
            raise Unreadable("too_many_values")
        try:
            found = from_json(body, allow_inf_nan=False)
        except ValueError:
            raise Unreadable("not_json") from None
        if isinstance(found, dict) and len(found) == 1:
            return next(iter(found.items()))
        raise Unreadable("no_envelope")
