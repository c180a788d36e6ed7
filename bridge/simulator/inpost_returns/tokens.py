"""Access tokens for clients that show their secret."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from bridge.simulator.clock import Clock
from bridge.simulator.inpost_returns.problems import TokenRefused
from bridge.simulator.inpost_returns.terms import AccountTerms


@dataclass(frozen=True)
class Grant:
    """Whose token it is, and until when it is good."""

    account: AccountTerms
    until: datetime


class Tokens:
    """Every token that was given out."""

    def __init__(self, accounts: Sequence[AccountTerms], seconds: int, clock: Clock) -> None:
        self._accounts = {account.client_id: account for account in accounts}
        self._seconds = seconds
        self._clock = clock
        self._grants: dict[str, Grant] = {}
        self._numbers = count(1)

    @property
    def issued(self) -> int:
        """Count the tokens that are known, good or not."""
        return len(self._grants)

    def issue(self, form: Mapping[str, str]) -> dict[str, object]:
        """Answer one request for a token. TokenRefused for a wrong grant, a missing field or a wrong secret."""
        if form.get("grant_type") != "client_credentials":
            raise TokenRefused(400, "unsupported_grant_type" if form.get("grant_type") else "invalid_request")
        account = self._accounts.get(form.get("client_id", ""))
        given = form.get("client_secret", "").encode()
        if account is None or not hmac.compare_digest(given, account.client_secret.encode()):
            raise TokenRefused(401, "invalid_client")
        token = uuid.uuid5(uuid.NAMESPACE_OID, f"{account.client_id}/{next(self._numbers)}").hex
        self._grants[token] = Grant(account, self._clock.now() + timedelta(seconds=self._seconds))
        return {
            "access_token": token,
            "expires_in": self._seconds,
            "refresh_expires_in": 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": "api:apipoints",
        }

    def owner(self, token: str) -> AccountTerms | None:
        """Tell whose token this is while it is good."""
        grant = self._grants.get(token)
        return grant.account if grant and self._clock.now() < grant.until else None

    def revoke(self) -> None:
        """Let no token be good any more."""
        self._grants.clear()
