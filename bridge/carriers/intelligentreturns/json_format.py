"""JSON, end to end: `{"order": {…}}` there, `{"success": …}` or `{"error": …}` back."""

from __future__ import annotations

import json
from typing import Final, Literal

from pydantic_core import from_json

from bridge.carriers.intelligentreturns.tree import Tree
from bridge.errors import Unreadable


class JsonFormat:
    """Writes and reads it."""

    name: Final[Literal["json"]] = "json"

    def write(self, root: str, tree: Tree) -> str:
        """Write a request in ASCII, for it is to be url-encoded."""
        return json.dumps({root: tree}, separators=(",", ":"))

    def read(self, body: bytes) -> tuple[str, object]:
        """Read an answer, which says one of two things. Raises Unreadable."""
        try:
            found = from_json(body, allow_inf_nan=False)
        except ValueError:
            raise Unreadable("not_json") from None
        if isinstance(found, dict) and len(found) == 1:
            return next(iter(found.items()))
        raise Unreadable("no_envelope")
