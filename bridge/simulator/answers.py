"""What a call that meets a fault is answered: the real answer, a part of it, something else, or nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Message

from bridge.simulator.errors import NullDetails, Refusal
from bridge.simulator.trouble import Mishap

PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


Failure = Callable[[str], Response]
"""How a carrier says that it failed, when this path was called."""


def failed(_: str) -> Response:
    """Say it as ShipX does."""
    return JSONResponse(Refusal(500, "internal_server_error").envelope, 500)


def answer_to(mishap: Mishap, real: Response, failure: Callable[[], Response]) -> Response | None:
    """Give the answer; None closes the connection instead. `real` is empty where the call never got there."""
    match mishap.kind:
        case "limited":
            return _page(429, {"Retry-After": str(math.ceil(mishap.seconds or 0))})
        case "unavailable":
            return _page(503)
        case "lost":
            return _page(502)
        case "page":
            return _page(200)
        case "failed" | "crashed":
            return failure()
        case "unready":
            return JSONResponse(NullDetails(400, "label_generation_failed").envelope, 400)
        case "cut":
            return _cut(real)
        case "garbled":
            return _garbled(real)
        case "dropped" | "hung_up":
            return None
        case _:
            return real


def whole(messages: Sequence[Message]) -> Response:
    """Put an answer together from what was sent of it."""
    start, *parts = messages
    answer = Response(b"".join(part.get("body", b"") for part in parts), start["status"])
    answer.raw_headers = list(start["headers"])
    return answer


def _page(status: int, headers: dict[str, str] | None = None) -> Response:
    """Answer as the network edge in front of the carrier does."""
    return HTMLResponse(PAGE.format(status), status, headers)


def _cut(real: Response) -> Response:
    """Answer with the first half of the body, which no longer is JSON."""
    body = bytes(real.body)
    status = 200 if real.status_code == 204 else real.status_code
    return Response(body[: len(body) // 2] or b"{", status, media_type="application/json")


def _garbled(real: Response) -> Response:
    """Answer with a body of the same kind and length whose first bytes are wrong."""
    body = bytes(real.body)
    status = 200 if real.status_code == 204 else real.status_code
    return Response(b"\0" * min(8, len(body) or 8) + body[8:], status, media_type=real.headers.get("content-type"))
