"""docs/reference/routes.md: everything that can be asked over HTTP, read off what the routes are made of."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.app.answering import described
from bridge.web.endpoint import Operation
from bridge.web.kinds import KINDS
from tests.reference.markdown import code, table

_INTRODUCTION = """\
# Routes

<!-- Written by `python -m tests.drift --write`; change the routes in bridge/ instead. -->

Parameters, bodies, answers and problems of each are described by `GET /openapi.json` (OpenAPI 3.1), which
`bridge schema export` writes, too. `/v1` wants a bearer token (`BRIDGE_API_TOKEN`) with the scope that stands here.
"""
_PUBLIC = "\n## For the carrier\n\nOn `BRIDGE_HTTP__PORT`; no token, the secret is in the path.\n\n"
_INTERNAL = "\n## For operators and consumers\n\nOn `BRIDGE_HTTP__INTERNAL_PORT` alone where that is set.\n\n"
_PROBLEMS = """
## Problems

Errors are `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, and where single fields are wrong
`errors` with `field`, `code` and `message` of each. `type` names the sort; it is no address.

"""


def names(operations: Sequence[Operation]) -> list[str]:
    """Name every operation by its method and path: `GET /livez`; HEAD goes with GET."""
    return [f"{one.method} {one.path}" for one in operations]


def page() -> str:
    """Write the page."""
    found = described()
    public = [one for one in found if one.path.startswith("/webhooks/")]
    internal = [one for one in found if one not in public]
    return _INTRODUCTION + _PUBLIC + _table(public) + _INTERNAL + _table(internal) + _PROBLEMS + _kinds()


def _table(operations: Sequence[Operation]) -> str:
    rows = [(code(f"{one.method} {one.address}"), code(one.right or ""), one.summary) for one in operations]
    return table(("request", "scope", "does"), rows)


def _kinds() -> str:
    rows = [(code(one.type), str(one.status), one.meaning) for one in KINDS]
    return table(("`type`", "status", "means"), rows)
