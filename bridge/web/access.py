"""Who may ask for what: bearer tokens with scopes and organizations, compared in constant time."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal, get_args

from starlette.requests import Request

from bridge.web.kinds import FORBIDDEN, UNAUTHORIZED
from bridge.web.problems import Problem

Right = Literal["read", "events", "shipments:write", "purchases:write", "returns:write", "personal:read", "admin"]
"""A token's scope."""
Wanted = Right | Literal["any"]
"""What a token has to have: a scope, or nothing but to be known."""
EVERY_SCOPE: Final[frozenset[str]] = frozenset(get_args(Right))


@dataclass(frozen=True, slots=True)
class Client:
    """A token's owner. `organizations` empty means all of them."""

    name: str
    digest: str = field(repr=False)
    scopes: frozenset[str]
    organizations: frozenset[int] = frozenset()

    def sees(self, organization: int | None) -> bool:
        """Say whether the client may see an organization's data; what is nobody's, who sees all of them may."""
        return not self.organizations or organization in self.organizations


class Access:
    """Knows the tokens by their hashes."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self._clients = tuple(clients)

    def require(self, request: Request, scope: Wanted) -> Client:
        """Give the caller, or raise the problem that stands in its way."""
        client = self._known(request)
        if scope != "any" and scope not in client.scopes:
            raise Problem(FORBIDDEN, f"This token lacks the scope {scope}.")
        return client

    def _known(self, request: Request) -> Client:
        client = self._client(request.headers.get("authorization", ""))
        if client is None:
            raise Problem(UNAUTHORIZED, "A bearer token is needed.", headers={"www-authenticate": "Bearer"})
        return client

    def _client(self, header: str) -> Client | None:
        kind, _, token = header.partition(" ")
        digest = sha256(token.strip().encode("utf-8", "replace")).hexdigest()
        found = None
        for client in self._clients:
            if hmac.compare_digest(client.digest, digest):
                found = client
        return found if kind.lower() == "bearer" else None
