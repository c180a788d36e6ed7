"""How many rows a list answers at once, as its caller asks for it."""

from __future__ import annotations

from starlette.requests import Request

from bridge.web.problems import bad_field


def limit(request: Request, *, usual: int, most: int) -> int:
    """Read `limit`. Raises a Problem for what is no number from 1 to the most."""
    text = request.query_params.get("limit")
    if text is None:
        return usual
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= most:
        raise bad_field("limit", "out_of_range", f"must be a number from 1 to {most}")
    return int(text)
