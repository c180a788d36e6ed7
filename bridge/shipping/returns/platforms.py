"""Who is asked what only one provider knows: orders, services, drop-off points, prices and bills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from bridge.ports.return_platform import ReturnPlatform
from bridge.shipping.refusals import Refusal, ours
from bridge.shipping.returns.makers import Maker, PlatformMaker
from bridge.web.kinds import NOT_SUPPORTED, named
from bridge.web.problems import FieldError, Problem

PROVIDER: Final = "intelligentreturns"
_NOBODY: Final = f"No provider that knows this is set up here: {PROVIDER} does, once its credentials are set."


@dataclass(frozen=True, slots=True)
class Account:
    """One of its accounts, by the name of its connection."""

    connection: str
    platform: ReturnPlatform


class Platforms:
    """The accounts at that provider."""

    def __init__(self, platforms: Mapping[str, ReturnPlatform]) -> None:
        self._platforms = platforms

    @classmethod
    def among(cls, makers: Mapping[str, Maker]) -> Self:
        """Find them among all that make returns."""
        return cls({name: one.platform for name, one in makers.items() if isinstance(one, PlatformMaker)})

    def choose(self, provider: str | None, name: str | None = None) -> Account | Refusal:
        """Give the account that is asked, or say why there is none; `name` is what it is called at its provider."""
        if provider not in (None, PROVIDER):
            return Refusal(NOT_SUPPORTED.name, f"{provider} does not know this; {PROVIDER} does.")
        if not self._platforms:
            return Refusal(NOT_SUPPORTED.name, _NOBODY)
        for connection, platform in self._platforms.items():
            if name in (None, connection.partition("/")[2]):
                return Account(connection, platform)
        return ours([FieldError("connection", "unknown_value", "is none that is set up here")])

    def account(self, provider: str | None, name: str | None = None) -> Account:
        """Give the account that is asked. Raises a Problem."""
        found = self.choose(provider, name)
        if isinstance(found, Refusal):
            raise Problem(named(found.kind, NOT_SUPPORTED), found.why, found.errors)
        return found

    def __getitem__(self, connection: str) -> ReturnPlatform:
        return self._platforms[connection]

    def find(self, connection: str) -> ReturnPlatform | None:
        """Give the account that a return was made at; None where it is another provider's, or gone."""
        return self._platforms.get(connection)
