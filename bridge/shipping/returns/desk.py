"""Who may make a return: the providers that take it, the best first, or what is wrong with it by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bridge.errors import FieldProblem
from bridge.returns.draft import ReturnDraft
from bridge.returns.omissions import fitted, forgiven
from bridge.returns.routing import Route, ways
from bridge.shipping.returns.asked import CreateReturn
from bridge.shipping.returns.makers import Maker
from bridge.web.problems import FieldError

_MEANINGS: Final[Mapping[str, str]] = {
    "missing": "is needed",
    "unexpected": "is not for this provider",
    "unknown_value": "is none that is set up here",
    "too_long": "is too long",
    "too_short": "is too short",
    "too_early": "is too early",
    "too_late": "is too late",
    "invalid_format": "does not have its form",
}


class Desk:
    """The makers, by the names of their connections, and the rules that choose between them."""

    def __init__(self, makers: Mapping[str, Maker], routes: Sequence[Route]) -> None:
        self.makers = makers
        self._routes = routes

    def ways(self, asked: CreateReturn) -> tuple[str, ...] | list[FieldError]:
        """Give the connections that may make it and take it. Where none does, what the best one is missing.

        They take it as it is; of those that a rule leads to, each without what only another one of them takes.
        """
        found = ways(asked.wish, self._routes, sorted(self.makers))
        if isinstance(found, FieldProblem):
            return [told(found)]
        broken = {name: self.makers[name].broken(asked.draft) for name in found.connections}
        left = forgiven(broken) if found.is_by_rule else broken
        able = tuple(name for name in found.connections if not left[name])
        return able or [told(one) for one in left[found.connections[0]]]

    def draft(self, connection: str, asked: CreateReturn) -> ReturnDraft:
        """Write it as this one takes it, which is one of its ways."""
        return fitted(asked.draft, self.makers[connection].broken(asked.draft))


def told(problem: FieldProblem) -> FieldError:
    """Say in a sentence what is wrong with a field."""
    return FieldError(problem.field, problem.code, _MEANINGS.get(problem.code, "is not taken by the provider"))
