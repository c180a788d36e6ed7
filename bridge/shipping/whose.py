"""For which organization something is asked for: a token that is for some is kept to those."""

from __future__ import annotations

from bridge.web.access import Client
from bridge.web.kinds import FORBIDDEN, UNPROCESSABLE
from bridge.web.problems import FieldError, Problem


def whose(client: Client, asked: int | None) -> int | None:
    """Give the organization that is meant; None where the only one that there is here will do. Raises a Problem."""
    if asked is not None and not client.sees(asked):
        raise Problem(FORBIDDEN, "This token is not for this organization.")
    if asked is not None or not client.organizations:
        return asked
    if len(client.organizations) > 1:
        why = "is needed: this token is for several organizations"
        error = FieldError("organization_id", "missing", why)
        raise Problem(UNPROCESSABLE, f"organization_id: {why}", [error])
    (only,) = client.organizations
    return only
